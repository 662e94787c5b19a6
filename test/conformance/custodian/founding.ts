import { randomUUID } from 'node:crypto';
import type { ScopeId } from '#kernel';
import { newId } from '#kernel';
import type { Custodian } from '#vault/keeper';
import { CustodianMirrors } from '#vault/keeper';
import type { MirrorPlace } from './place.js';
import { RemovableMirror } from './place.js';

export const entry = () => ({ scopeId: newId<ScopeId>(), kind: 'erased' as const, epoch: 1 });

/** Loaded, and every mirror that is there counts, as after the vault has found its wrap. */
export const openMirrors = async (all: readonly Custodian[]): Promise<CustodianMirrors> => {
  const mirrors = new CustodianMirrors(all);
  await mirrors.load();
  join(mirrors);
  return mirrors;
};
export const join = (mirrors: CustodianMirrors): void => mirrors.joining().forEach((mirror) => mirrors.joined(mirror));

export const foundedOn = async (all: readonly Custodian[]): Promise<CustodianMirrors> => {
  const mirrors = new CustodianMirrors(all);
  await mirrors.load();
  await mirrors.found(randomUUID());
  await mirrors.change(() => ({ phase: 'founded' }));
  return mirrors;
};

/** Two places, each behind a mirror that can be taken away, and a custodian founded on them. */
export const foundedOnRemovable = async (place: () => Promise<MirrorPlace>) => {
  const all = [await place(), await place()] as const;
  const [a, b] = [new RemovableMirror(all[0].open()), new RemovableMirror(all[1].open())];
  const mirrors = await foundedOn([a, b]);
  const statesOf = () => Promise.all(all.map((at) => at.open().readState()));
  return { all, a, b, mirrors, statesOf };
};

export const shred = (mirrors: CustodianMirrors) =>
  mirrors.change(({ shredded }) => ({ shredded: [...shredded, entry()] }));

/** As a seal does it: the next epoch begins, and the one before is to be destroyed. */
export const seal = async (mirrors: CustodianMirrors): Promise<void> => {
  const sealed = mirrors.state!.epochs.at(-1)!;
  await mirrors.createRoot(sealed + 1);
  const at = '2026-11-20T00:00:00.000Z';
  await mirrors.change(({ retiring }) => ({
    retiring: [...retiring, { epoch: sealed, sealedAt: at, destroyAt: at, confirmed: [] }],
  }));
};

/** As the vault does it when nothing is outstanding. */
export const drop = (mirrors: CustodianMirrors, epoch: number) =>
  mirrors.change(({ epochs, retiring }) => ({
    epochs: epochs.filter((one) => one !== epoch),
    retiring: retiring.filter((one) => one.epoch !== epoch),
  }));
