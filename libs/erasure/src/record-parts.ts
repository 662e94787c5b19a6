import type { Draft } from '#events';
import type { ErasureId, OwnerRef } from '#kernel';
import { currentContext, inContext, newId, RandomIds } from '#kernel';
import type { Ledger } from '#ledger';
import { erasureStream } from './erasure-case.js';
import type { DestroyedKey, PlannedScope } from './erasure.events.js';
import { ErasureCertificateListed, ErasureItemsListed, ErasureKeysListed } from './erasure.events.js';
import type { Parts } from './parts.js';
import { cut, NO_PARTS, PART_BYTES } from './parts.js';

/** Whose erasure. */
interface About {
  readonly erasureId: ErasureId;
  readonly owner: OwnerRef;
}

/** Records a plan's items, if they are too many for one event. Throws what appending throws. */
export const recordItems = (ledger: Ledger, about: About, items: readonly PlannedScope[]): Promise<Parts> =>
  record(ledger, about, cut(items), (some, place) =>
    ErasureItemsListed.of({ ...place, items: some }, { partitions: { request: about.erasureId } }),
  );

/** Records the keys that were destroyed, if they are too many for one event. */
export const recordKeys = (ledger: Ledger, about: About, destroyed: readonly DestroyedKey[]): Promise<Parts> =>
  record(ledger, about, cut(destroyed), (some, place) => ErasureKeysListed.of({ ...place, destroyed: some }));

/** Records a certificate, if it is too long for one event. It is ASCII. */
export const recordPieces = (ledger: Ledger, about: About, certificate: string): Promise<Parts> =>
  record(ledger, about, piecesOf(certificate), (piece, place) => ErasureCertificateListed.of({ ...place, piece }));

const piecesOf = (text: string): readonly string[] =>
  Array.from({ length: Math.ceil(text.length / PART_BYTES) }, (_, n) =>
    text.slice(n * PART_BYTES, (n + 1) * PART_BYTES),
  );

interface Place {
  readonly ownerId: OwnerRef['id'];
  readonly erasureId: ErasureId;
  readonly list: string;
  readonly part: number;
}

/**
 * An append for each part. They mean nothing until an event names their list, so it does not matter where a crash comes in
 * between: whoever does it again makes another list. For that reason their ids are not the reserved ones of the command, either:
 * a store that met one again would take the part that it has for the one that is sent.
 */
const record = async <T>(
  ledger: Ledger,
  { erasureId, owner }: About,
  parts: readonly T[],
  draftOf: (content: T, place: Place) => Draft<any>,
): Promise<Parts> => {
  if (parts.length <= 1 || currentContext().dryRun) return NO_PARTS;
  const list = newId();
  await inContext({ ...currentContext(), ids: new RandomIds() }, async () => {
    for (const [part, content] of parts.entries()) {
      const draft = draftOf(content, { ownerId: owner.id, erasureId, list, part });
      await ledger.append({ stream: erasureStream(owner), expected: 'any', drafts: [draft] });
    }
  });
  return { list, parts: parts.length };
};
