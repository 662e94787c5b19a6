import type { Clock } from '#kernel';
import { MakulerError } from '#kernel';
import type { PoolClient } from '#postgres';
import type { Write } from '../active.js';
import { noteCustodian } from '../custodian-number.js';
import { noteRetired, notePlaces } from './mirror-table.js';
import type { CustodianMirrors } from './mirrors.js';

interface Surroundings {
  readonly write: Write;
  readonly custodian: CustodianMirrors;
  readonly clock: Clock;
  readonly assertActive: (client: PoolClient) => Promise<unknown>;
  /** Wraps the current epoch key for the mirrors that came, and makes up for what they missed. */
  readonly tend: () => Promise<void>;
}

/** Changes to which mirrors there are, of one life of the vault. What each promises stands in operations-contract.ts. */
export class MirrorOperations {
  constructor(private readonly surroundings: Surroundings) {}

  async add(place: string): Promise<string> {
    const { write, custodian, clock, tend, assertActive } = this.surroundings;
    const mirror = custodian.open?.(place);
    if (!mirror) throw new MakulerError('mirror-unfit', { detail: 'This vault takes no more mirrors.' });
    const id = await custodian.enrol(mirror);
    await write(async (client) => {
      await notePlaces(client, custodian, clock.now());
      await noteCustodian(client, custodian.state!);
      await assertActive(client);
    });
    await tend();
    const problem = custodian.away().find((away) => away.id === id);
    if (problem) throw new MakulerError('mirror-unfit', { detail: problem.message });
    return id;
  }

  /** The custodian first: it says who is waited for, and a crash in between leaves wraps that nothing opens. */
  async retire(id: string): Promise<void> {
    const { write, custodian, clock, assertActive } = this.surroundings;
    const now = clock.now();
    await custodian.retire(id, now.toISOString());
    await write(async (client) => {
      await noteRetired(client, id, now);
      await noteCustodian(client, custodian.state!);
      await assertActive(client);
    });
  }

  /** Answers whether a fork's journal was taken over, so that the vault must reconcile before it goes on. */
  async repair(id: string): Promise<boolean> {
    const { custodian, tend } = this.surroundings;
    const united = await custodian.repair(id);
    if (!united) await tend();
    const problem = custodian.away().find((away) => away.id === id);
    if (problem) throw new MakulerError('mirror-unfit', { detail: problem.message });
    return united;
  }
}
