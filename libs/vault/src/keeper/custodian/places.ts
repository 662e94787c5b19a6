import { isAbsolute } from 'node:path';
import { MakulerError } from '#kernel';
import type { Custodian } from './custodian.js';
import type { FileCustodianOptions } from './file-custodian.js';
import { FileCustodian } from './file-custodian.js';

/** The custodian at a place: an absolute directory. Throws `mirror-unfit` for anything else. Makes nothing there. */
export const openPlace = (place: string, options: FileCustodianOptions = {}): Custodian => {
  if (isAbsolute(place)) return new FileCustodian(place, options);
  throw new MakulerError('mirror-unfit', { detail: 'A place is an absolute directory.' });
};
