/**
 * RFC 8785 (JSON Canonicalization Scheme) of what JSON.parse gave: members in the order of their names' UTF-16 code units, no
 * white space, numbers and strings as ECMAScript writes them, which is what the RFC asks for. A lone surrogate, where the RFC
 * gives up, is written as its escape: no event in the log may be able to stop the chain.
 */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
};
