import type { Category, Draft } from '#events';
import type { ActorId, OwnerRef } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import type { Decider, StreamName } from '#ledger';
import { LedgerDouble } from './ledger-double.js';

/**
 * The *given* of a decider's spec: the state of a stream after these events went through sealing and opening. With
 * `forgotten`, the keys of that owner and category are destroyed before it is read.
 */
export const stateAfter = async <S>(
  decider: Decider<S>,
  stream: StreamName,
  drafts: readonly Draft<any>[],
  forgotten?: { owner: OwnerRef; category: Category; partition?: string },
): Promise<S> => {
  const ledger = new LedgerDouble();
  if (drafts.length > 0)
    await inContext(systemContext(newId<ActorId>()), () => ledger.append({ stream, expected: 'no-stream', drafts }));
  if (forgotten) ledger.shred(forgotten.owner, forgotten.category, forgotten.partition);
  return (await ledger.load(decider, stream)).state;
};
