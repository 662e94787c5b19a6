import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MakulerError } from '#kernel';

/** A place on a token: RFC 7512. */
export interface TokenPlace {
  /** Label of the token. */
  readonly token: string;
  /** Begins the label of every object of ours: several mirrors may share a token, with a name each (`object=`). */
  readonly object: string;
  /** The vendor's PKCS#11 library, an absolute path (`module-path=`). */
  readonly modulePath: string;
  /** File that holds the user PIN, an absolute path (`pin-source=`). */
  readonly pinFile: string;
}

export const isTokenUri = (place: string): boolean => place.startsWith('pkcs11:');

const unfit = (detail: string): MakulerError => new MakulerError('mirror-unfit', { detail });

const attributes = (text: string, separator: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const part of text.split(separator).filter(Boolean)) {
    const at = part.indexOf('=');
    const name = at < 0 ? part : part.slice(0, at);
    // A place is shown to people and stored: a PIN in it would be too.
    if (name === 'pin-value') throw unfit('A PIN never stands in an address: name its file with pin-source.');
    if (at < 0 || found.has(name)) throw unfit(`The address has "${name}" twice or without a value.`);
    found.set(name, decoded(part.slice(at + 1)));
  }
  return found;
};
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unfit('The address is not percent-encoded correctly.');
  }
};

const absolute = (path: string | undefined, name: string): string => {
  const plain = path?.startsWith('file:') ? fileURLToPath(path.replace(/^file:(?!\/\/)/, 'file://')) : path;
  if (plain === undefined || !isAbsolute(plain)) throw unfit(`The address needs ${name} with an absolute path.`);
  return plain;
};

/**
 * Reads `pkcs11:token=LABEL;object=NAME?module-path=/…/lib.so&pin-source=file:/…/pin` (`object` may be left out: `makuler`).
 * Throws `mirror-unfit` for anything else: an attribute that was ignored might have named another token.
 */
export const parseTokenUri = (uri: string): TokenPlace => {
  const [path = '', query = ''] = uri.slice('pkcs11:'.length).split('?');
  const [named, asked] = [attributes(path, ';'), attributes(query, '&')];
  const unknown = [
    ...[...named.keys()].filter((name) => name !== 'token' && name !== 'object'),
    ...[...asked.keys()].filter((name) => name !== 'module-path' && name !== 'pin-source'),
  ];
  if (unknown.length > 0) throw unfit(`The address has attributes that are not understood: ${unknown.join(', ')}.`);
  const token = named.get('token');
  if (!token) throw unfit('The address names no token.');
  return {
    token,
    object: named.get('object') ?? 'makuler',
    modulePath: absolute(asked.get('module-path'), 'module-path'),
    pinFile: absolute(asked.get('pin-source'), 'pin-source'),
  };
};
