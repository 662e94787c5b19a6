import type { View, Watch } from '../reading/probes.js';
import type { Needle } from './needles.js';

/** Calls `found` wherever one of the needles stands. */
export const valueWatch = (
  needles: readonly Needle[],
  found: (needle: Needle, view: View, at: number) => void,
): Watch => {
  const byHead = Map.groupBy(needles, ({ bytes }) => bytes.readUInt32BE(0));
  const probe = (view: View, at: number): void => {
    if (at + 4 > view.bytes.length) return;
    for (const needle of byHead.get(view.bytes.readUInt32BE(at)) ?? [])
      if (stands(needle, view.bytes, at)) found(needle, view, at);
  };
  return { heads: needles.map(({ bytes }) => bytes), probe };
};

const stands = ({ bytes: needle }: Needle, bytes: Buffer, at: number): boolean => {
  const end = at + needle.length;
  return end <= bytes.length && needle.compare(bytes, at, end) === 0;
};
