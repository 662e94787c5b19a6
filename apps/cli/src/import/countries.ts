/** English country names, lower-case, to ISO 3166-1 alpha-2: from the runtime's own CLDR data, with what exports also write. */
const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

export const COUNTRIES: ReadonlyMap<string, string> = new Map([
  ...LETTERS.flatMap((a) =>
    LETTERS.flatMap((b): [string, string][] => {
      const name = names.of(`${a}${b}`);
      return name ? [[name.toLowerCase(), `${a}${b}`]] : [];
    }),
  ),
  ['usa', 'US'],
  ['united states of america', 'US'],
  ['uk', 'GB'],
  ['united kingdom', 'GB'],
  ['czech republic', 'CZ'],
  ['norge', 'NO'],
  ['sverige', 'SE'],
  ['danmark', 'DK'],
]);
