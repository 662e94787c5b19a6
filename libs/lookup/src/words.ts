/** What can be looked up. Exact but for names, which are found by words and by beginnings of words. */
export type LookupKind = 'email' | 'phone' | 'organisationNumber' | 'name' | 'companyId' | 'sourceKey';

const MIN_BEGINNING = 2;
const MAX_BEGINNING = 8;

/** Lower case without marks and punctuation: `Åse-Marie` and `ase marie` are found alike. æ, ø stay letters of their own. */
export const foldName = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

const fold = (kind: Exclude<LookupKind, 'name'>, value: string): string =>
  kind === 'email'
    ? value.trim().toLowerCase()
    : kind === 'sourceKey' || kind === 'companyId'
      ? value
      : value.replace(/[^\d+]/g, '');

/** The index words of a stored value: for a name, each word and its beginnings of two to eight letters. */
export const wordsOf = (kind: LookupKind, value: string): readonly string[] => {
  if (kind !== 'name') return [`${kind}:${fold(kind, value)}`];
  const words = new Set<string>();
  for (const word of foldName(value).split(' ').filter(Boolean)) {
    words.add(`name:${word}`);
    const letters = [...word];
    for (let n = MIN_BEGINNING; n <= Math.min(MAX_BEGINNING, letters.length); n++)
      words.add(`name:${letters.slice(0, n).join('')}`);
  }
  return [...words];
};

/** The words to ask for: every word of the query must be found. */
export const questionsOf = (kind: LookupKind, value: string): readonly string[] => {
  if (kind !== 'name') return [`${kind}:${fold(kind, value)}`];
  return foldName(value)
    .split(' ')
    .filter(Boolean)
    .map((word) => `name:${word}`);
};

/** Counted in letters (code points), as the index counts them. */
const isBeginning = (asked: string): boolean => {
  const letters = [...asked].length;
  return letters >= MIN_BEGINNING && letters <= MAX_BEGINNING;
};

/** Whether a stored value answers the query: hits of the index are verified with this after opening. */
export const answers = (kind: LookupKind, query: string, stored: string): boolean => {
  if (kind !== 'name') return fold(kind, query) === fold(kind, stored);
  const words = foldName(stored).split(' ');
  return foldName(query)
    .split(' ')
    .filter(Boolean)
    .every((asked) => words.some((word) => word === asked || (isBeginning(asked) && word.startsWith(asked))));
};
