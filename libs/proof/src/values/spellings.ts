/** A text in which a value may stand, and how it differs from what was given. */
export interface Spelling {
  readonly name: string;
  readonly text: string;
}

/** The usual spellings of a value: its cases, normal forms and escapes, and the groupings of what is a row of digits. */
export const spellingsOf = (value: string): readonly Spelling[] => {
  const spellings = new Map<string, Spelling>();
  // The first name that a text gets stays: most escapes of most values are the value itself.
  const add = (name: string, text: string) => {
    if (!spellings.has(text)) spellings.set(text, { name, text });
  };
  add('as given', value);
  for (const { name, text } of digitSpellings(value)) add(name, text);
  for (const [form, inForm] of formsOf(value))
    for (const [cased, text] of [
      ['', inForm],
      ['lower-cased', inForm.toLowerCase()],
      ['upper-cased', inForm.toUpperCase()],
    ] as const)
      add([cased, form].filter(Boolean).join(', '), text);
  for (const { name, text } of [...spellings.values()])
    for (const [escape, escaped] of escapesOf(text)) add(name === 'as given' ? escape : `${name}, ${escape}`, escaped);
  return [...spellings.values()];
};

const formsOf = (value: string): [string, string][] => [
  ['NFC', value.normalize('NFC')],
  ['NFD', value.normalize('NFD')],
  ['without diacritics', withoutDiacritics(value, { ø: 'o', æ: 'ae', å: 'a' })],
  ['transliterated', withoutDiacritics(value, { ø: 'oe', æ: 'ae', å: 'aa' })],
];

const withoutDiacritics = (value: string, letters: Readonly<Record<string, string>>): string =>
  value
    .normalize('NFC')
    .replace(/[øæå]/g, (letter) => letters[letter]!)
    .replace(/[ØÆÅ]/g, (letter) => capitalised(letters[letter.toLowerCase()]!))
    .normalize('NFD')
    .replace(/\p{M}/gu, '');

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const escapesOf = (text: string): [string, string][] => {
  const inUrl = encodeURIComponent(text);
  return [
    ['JSON', JSON.stringify(text).slice(1, -1)],
    ['JSON, ASCII', jsonAscii(text, false)],
    ['JSON, ASCII upper-case', jsonAscii(text, true)],
    ['URL', inUrl],
    ['URL, lower-case', inUrl.replace(/%../g, (escape) => escape.toLowerCase())],
    ['form', inUrl.replace(/%20/g, '+')],
  ];
};

const jsonAscii = (text: string, upper: boolean): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^ -~]/g, (unit) => {
      const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${upper ? hex.toUpperCase() : hex}`;
    });

/** How people group the digits of a telephone number of eight. */
const GROUPS = [
  [2, 2, 2, 2],
  [3, 2, 3],
  [4, 4],
  [3, 3, 2],
] as const;
const SEPARATORS = [' ', '-', '.', '\u00a0'] as const;
const FEWEST_DIGITS = 6;

/** Spellings of a number: bare, and, of eight digits with or without Norway's country code, in the usual groups. */
const digitSpellings = (value: string): Spelling[] => {
  if (!/^[+\d][\d\s().\-/]*$/.test(value)) return [];
  const digits = value.replace(/\D/g, '');
  if (digits.length < FEWEST_DIGITS) return [];
  const national = /^(?:00)?47(\d{8})$/.exec(digits)?.[1] ?? digits;
  const bare = [...new Set([digits, national])].map((text) => ({ name: 'digits', text }));
  if (national.length !== 8) return bare;
  const grouped = GROUPS.flatMap((group) =>
    SEPARATORS.map((separator) => ({ name: 'digits in groups', text: inGroups(national, group).join(separator) })),
  );
  return [...bare, { name: 'with country code', text: `47${national}` }, ...grouped];
};

const inGroups = (digits: string, group: readonly number[]): string[] => {
  let at = 0;
  return group.map((length) => digits.slice(at, (at += length)));
};
