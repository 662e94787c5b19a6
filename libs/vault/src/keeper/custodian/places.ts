import { isAbsolute } from 'node:path';
import { MakulerError } from '#kernel';
import type { Custodian } from './custodian.js';
import type { FileCustodianOptions } from './file-custodian.js';
import { FileCustodian } from './file-custodian.js';
import { Pkcs11Custodian } from './pkcs11/pkcs11-custodian.js';
import { isTokenUri } from './pkcs11/token-uri.js';

/** The custodian at a place: an absolute directory, or a token by its `pkcs11:` URI. Throws `mirror-unfit` for anything else. Makes nothing there. */
export const openPlace = (place: string, options: FileCustodianOptions = {}): Custodian => {
  if (isTokenUri(place)) return new Pkcs11Custodian(place);
  if (isAbsolute(place)) return new FileCustodian(place, options);
  throw new MakulerError('mirror-unfit', { detail: 'A place is an absolute directory or a pkcs11: URI.' });
};
