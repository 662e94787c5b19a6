import type { Watch } from './probes.js';
import { pair } from './probes.js';

/** What is recognised and can't be looked into: how it begins, and what it is. */
const FORMATS: readonly (readonly [Buffer, string])[] = [
  [Buffer.from('fd377a585a00', 'hex'), 'xz'],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => [Buffer.from(`BZh${level}1AY&SY`), 'bzip2'] as const),
  [Buffer.from('377abcaf271c', 'hex'), '7z'],
  [Buffer.from('Rar!\x1a\x07', 'latin1'), 'RAR'],
  [Buffer.from('LZIP\x01', 'latin1'), 'lzip'],
  [Buffer.from('ff060000734e61507059', 'hex'), 'Snappy'],
  [Buffer.from('LUKS\xba\xbe', 'latin1'), 'an encrypted disk (LUKS)'],
  [Buffer.from('age-encryption.org/v1'), 'an encrypted file (age)'],
  [Buffer.from('-----BEGIN PGP MESSAGE-----'), 'an encrypted file (PGP)'],
];

/** Containers that no reader of ours opens are named, so that nobody takes them for read. */
export const SEALED: readonly Watch[] = FORMATS.map(([magic, what]) => ({
  pairs: [pair(magic.toString('latin1', 0, 2))],
  probe: (view, at) => {
    if (view.bytes.subarray(at, at + magic.length).equals(magic)) view.unread(at, `${what} is not understood`);
  },
}));
