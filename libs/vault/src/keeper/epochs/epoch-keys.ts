import { isMakulerError, MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { wipe } from '../../aead.js';
import type { Write } from '../active.js';
import type { Custodian, RootPlace } from '../custodian/custodian.js';
import { reasonOf } from '../custodian/looking.js';
import type { CustodianMirrors } from '../custodian/mirrors.js';
import { GateRefusal } from '../gate.js';
import type { BucketKeyring } from '../keyring.js';

/** An epoch key under one mirror's root. */
export interface EpochKeyWrap {
  readonly mirror: string;
  readonly wrapped: Uint8Array;
}

const wrapBy = async (mirror: Custodian, place: RootPlace, epochKey: Uint8Array): Promise<EpochKeyWrap> => ({
  mirror: await mirror.id(),
  wrapped: await mirror.wrapEpochKey(place, epochKey),
});

/** Wraps an epoch key at every mirror that is there. One that fails is away from now on. Throws when none is left. */
export const wrapByMirrors = async (
  custodian: CustodianMirrors,
  place: RootPlace,
  epochKey: Uint8Array,
): Promise<readonly EpochKeyWrap[]> => {
  const wraps: EpochKeyWrap[] = [];
  for (const mirror of custodian.present())
    try {
      wraps.push(await wrapBy(mirror, place, epochKey));
    } catch {
      custodian.joined(mirror, 'failed');
    }
  if (wraps.length === 0)
    throw new MakulerError('vault-unavailable', { detail: 'No mirror of the custodian can wrap an epoch key.' });
  return wraps;
};

export const storeWraps = async (client: PoolClient, epoch: number, wraps: readonly EpochKeyWrap[]): Promise<void> => {
  await client.query(
    `insert into epoch_key (epoch, mirror, wrapped) select $1, mirror, wrapped from unnest($2::uuid[], $3::bytea[]) as n(mirror, wrapped)
     on conflict (epoch, mirror) do update set wrapped = excluded.wrapped`,
    [epoch, wraps.map(({ mirror }) => mirror), wraps.map(({ wrapped }) => Buffer.from(wrapped))],
  );
};

interface Wanted {
  readonly installation: string;
  readonly epoch: number;
}

/**
 * The keys of every epoch that a bucket lies under, and of the current one. Each is opened by every mirror that has a root
 * for it: one whose root opens nothing is found now, and not on the day when it is the last one left. Throws GateRefusal
 * `wrong-root`, or `custodian-missing` when no mirror that is there has the root of an epoch.
 */
export const openEpochKeys = async (
  pool: Pool,
  custodian: CustodianMirrors,
  { installation, epoch: current }: Wanted,
): Promise<ReadonlyMap<number, Uint8Array>> => {
  const { rows } = await pool.query<{ epoch: number }>('select epoch from bucket union select epoch from vault');
  const keys = new Map<number, Uint8Array>();
  for (const { epoch } of rows) keys.set(epoch, await openEpochKey(pool, custodian, { installation, epoch }));
  if (!keys.has(current)) throw new Error('the vault has another epoch than its row says');
  return keys;
};

const openEpochKey = async (pool: Pool, custodian: CustodianMirrors, place: RootPlace): Promise<Uint8Array> => {
  const wraps = await readWraps(pool, place.epoch);
  let epochKey: Uint8Array | undefined;
  let refused = false;
  for (const mirror of [...custodian.present(), ...custodian.joining()]) {
    let opened: Uint8Array | undefined;
    try {
      const wrapped = wraps.get(await mirror.id());
      if (!wrapped || !(await mirror.epochs()).includes(place.epoch)) continue;
      opened = await mirror.unwrapEpochKey(place, wrapped);
    } catch (error) {
      custodian.joined(mirror, reasonOf(error));
      refused = true;
      continue;
    }
    if (!opened || (epochKey && Buffer.compare(opened, epochKey) !== 0)) {
      custodian.joined(mirror, 'wrong-root');
      refused = true;
    } else if (epochKey) wipe(opened);
    else epochKey = opened;
  }
  if (epochKey) return epochKey;
  throw refused
    ? new GateRefusal('wrong-root', `No root of the custodian opens the key of epoch ${place.epoch}.`)
    : new GateRefusal(
        'custodian-missing',
        `The root of epoch ${place.epoch} is at no mirror that is there: bring the others back.`,
      );
};

/**
 * Gives every mirror that is there its wrap of the current epoch key, and takes those in that came back: from then on they
 * count. One whose root does not open the wrap that it has is away for that reason.
 */
export const welcomeMirrors = async (
  database: { readonly pool: Pool; readonly write: Write },
  custodian: CustodianMirrors,
  keyring: BucketKeyring,
  installation: string,
): Promise<void> => {
  const place = { installation, epoch: keyring.current };
  const wraps = await readWraps(database.pool, place.epoch);
  const joining = new Set(custodian.joining());
  // A restored vault may be of a sealed epoch until it has been sealed anew. No root of that is ever made again: one that was
  // destroyed would be back. A mirror without one has no part in this epoch, and counts for the next.
  const isSealed = custodian.state!.retiring.some(({ epoch }) => epoch === place.epoch);
  for (const mirror of [...joining, ...custodian.present()]) {
    const epochKey = keyring.copyOfEpochKey(place.epoch);
    try {
      if (isSealed && !(await mirror.epochs()).includes(place.epoch)) {
        custodian.joined(mirror);
        continue;
      }
      const wrapped = await rootFor(database.write, custodian, mirror, place.epoch, wraps.get(await mirror.id()));
      if (!wrapped) {
        const wrap = await wrapBy(mirror, place, epochKey);
        await database.write((client) => storeWraps(client, place.epoch, [wrap]));
      }
      if (wrapped && joining.has(mirror) && !(await opensTo(mirror, place, wrapped, epochKey)))
        custodian.joined(mirror, 'wrong-root');
      if (joining.has(mirror)) custodian.joined(mirror);
    } catch (error) {
      if (isMakulerError(error, 'database-unavailable')) throw error;
      custodian.joined(mirror, reasonOf(error));
    } finally {
      wipe(epochKey);
    }
  }
};

/**
 * Makes the root that a mirror lacks (it was away when the epoch began, or came back from a copy), and answers the wrap that
 * it then still has. A wrap under a root that is gone goes first: a crash must not leave it beside the new root.
 */
const rootFor = async (
  write: Write,
  custodian: CustodianMirrors,
  mirror: Custodian,
  epoch: number,
  wrapped: Buffer | undefined,
): Promise<Buffer | undefined> => {
  if ((await mirror.epochs()).includes(epoch)) return wrapped;
  const id = await mirror.id();
  await write((client) => client.query('delete from epoch_key where epoch = $1 and mirror = $2', [epoch, id]));
  await mirror.createRoot(epoch, custodian.confirm);
  return undefined;
};

const opensTo = async (
  mirror: Custodian,
  place: RootPlace,
  wrapped: Buffer,
  epochKey: Uint8Array,
): Promise<boolean> => {
  const opened = await mirror.unwrapEpochKey(place, wrapped);
  if (!opened) return false;
  const same = Buffer.compare(opened, epochKey) === 0;
  wipe(opened);
  return same;
};

const readWraps = async (pool: Pool, epoch: number): Promise<ReadonlyMap<string, Buffer>> => {
  const { rows } = await pool.query<{ mirror: string; wrapped: Buffer }>(
    'select mirror, wrapped from epoch_key where epoch = $1',
    [epoch],
  );
  return new Map(rows.map(({ mirror, wrapped }) => [mirror, wrapped]));
};
