import { randomUUID } from 'node:crypto';
import type { OwnerRef, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { Vault } from '#vault';
import type { VaultOperations } from '#vault/operations';
import type { Shredder } from '#vault/shredder';

/** A vault that is administered: seals keep old copies open for a day, and are planned a day apart. */
export interface OperatedVault {
  readonly vault: Vault;
  readonly shredder: Shredder;
  readonly operations: VaultOperations;
  /** Time passes, for the vault. */
  pass(milliseconds: number): Promise<void>;
  /** One of two mirrors goes away or comes back. */
  setMirror(there: boolean): Promise<void>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** What the operations of every vault promise about epochs. */
export const describeOperations = (name: string, open: () => Promise<OperatedVault>): void =>
  describe(`the operations of ${name}`, () => {
    let operated: OperatedVault;
    beforeEach(async () => {
      operated = await open();
    });
    afterEach(() => operated.close());

    const shredSomebody = async (): Promise<string> => {
      const { vault, shredder } = operated;
      const owner: OwnerRef = subjectOwner(newId<SubjectId>());
      const request = { owner, category: 'contact', partition: '', stream: `customer-${owner.id}` };
      const scopeIds = await vault.withSealing([request], async ({ keys }) => keys.map(({ scopeId }) => scopeId));
      const orderId = randomUUID();
      await shredder.fence({ orderId, owner, kind: 'erasure', except: [] });
      await shredder.shred({ orderId, owner, kind: 'erasure', scopeIds });
      await shredder.release(owner, orderId);
      await shredder.closeForEver(owner, orderId);
      return orderId;
    };

    it('seal nothing while nothing was shredded, unless it is forced', async () => {
      const { operations } = operated;
      expect(await operations.sealEpoch()).toEqual({
        ...{ epoch: 1, sealed: false, rotated: 0, rewrapped: 0, destroyAt: undefined },
      });
      expect(await operations.sealEpoch({ force: true })).toMatchObject({ epoch: 2, sealed: true });
      await shredSomebody();
      expect(await operations.sealEpoch()).toMatchObject({ epoch: 3, sealed: true, rotated: 1 });
      expect(await operations.sealEpoch()).toMatchObject({ epoch: 3, sealed: false });
    });

    it('plan a date, make it exact with the seal, and clear when every root is gone', async () => {
      const { operations } = operated;
      const orderId = await shredSomebody();
      const planned = (await operations.clearing(orderId))!;
      expect(planned).toMatchObject({ epoch: 1, clearedAt: undefined, mirrors: 2 });
      await operated.pass(DAY_MS / 2);
      const { destroyAt } = await operations.sealEpoch();
      expect(await operations.clearing(orderId)).toEqual({ ...planned, plannedFor: destroyAt });
      expect(Date.parse(destroyAt!)).toBeLessThanOrEqual(Date.parse(planned.plannedFor));
      expect(await operations.destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
      expect(await operations.epochs()).toMatchObject({ current: 2, retiring: [{ epoch: 1, destroyAt }] });
      await operated.pass(DAY_MS);
      expect(await operations.destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
      const cleared = (await operations.clearing(orderId))!;
      expect(Date.parse(cleared.clearedAt!)).toBeGreaterThanOrEqual(Date.parse(destroyAt!));
      expect(await operations.epochs()).toMatchObject({ current: 2, retiring: [] });
      expect(await operations.destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
    });

    it('wait for a mirror that is away, for as long as it takes', async () => {
      const { operations } = operated;
      const orderId = await shredSomebody();
      await operations.sealEpoch();
      await operated.setMirror(false);
      await operated.pass(2 * DAY_MS);
      for (const _ of [1, 2]) {
        const { destroyed, outstanding } = await operations.destroyRoots();
        expect([destroyed, outstanding]).toEqual([[], [{ epoch: 1, mirrors: [expect.any(String)] }]]);
        expect(await operations.epochs()).toMatchObject({ retiring: [{ outstanding: outstanding[0]!.mirrors }] });
        expect(await operations.clearing(orderId)).toMatchObject({ clearedAt: undefined });
      }
      await operated.setMirror(true);
      expect((await operations.destroyRoots()).outstanding).toEqual([]);
      expect(await operations.clearing(orderId)).toMatchObject({ clearedAt: expect.any(String) });
    });

    it('know nothing of a strange order, and believe the epoch that somebody has kept', async () => {
      const { operations } = operated;
      expect(await operations.clearing(randomUUID())).toBeUndefined();
      expect(await operations.clearing(randomUUID(), 1)).toMatchObject({ epoch: 1, clearedAt: undefined });
      const orderId = await shredSomebody();
      await operations.sealEpoch();
      await operations.sealEpoch({ force: true });
      expect(await operations.clearing(orderId, 2)).toMatchObject({ epoch: 2 });
      expect(await operations.clearing(orderId)).toMatchObject({ epoch: 1 });
    });
  });
