import type { Pool, PoolClient } from '#postgres';
import type { CustodianMirrors } from './mirrors.js';
import type { KnownPlace } from './seat.js';

interface MirrorRow {
  id: string;
  place: string;
  enrolled_at: Date;
}

/** Where the enrolled mirrors were last seen, by id: one that was added is found at the next start, whatever the configuration says. */
export const readPlaces = async (pool: Pool): Promise<readonly (KnownPlace & { readonly enrolledAt: Date })[]> => {
  const { rows } = await pool.query<MirrorRow>(
    'select * from mirror where retired_at is null order by enrolled_at, id',
  );
  return rows.map(({ id, place, enrolled_at: enrolledAt }) => ({ id, place, enrolledAt }));
};

/** Notes where the mirrors that are there are: those of the configuration too, which may change. */
export const notePlaces = async (client: PoolClient, custodian: CustodianMirrors, now: Date): Promise<void> => {
  const there = [...custodian.present(), ...custodian.joining()];
  const ids = await Promise.all(there.map((mirror) => mirror.id()));
  await client.query(
    `insert into mirror (id, place, enrolled_at) select id, place, $3 from unnest($1::uuid[], $2::text[]) as n(id, place)
     on conflict (id) do update set place = excluded.place where mirror.place <> excluded.place`,
    [ids, there.map(({ place }) => place), now],
  );
};

/** The wraps of a mirror that was retired go too: its root may still exist somewhere, and must open nothing here. */
export const noteRetired = async (client: PoolClient, id: string, now: Date): Promise<void> => {
  await client.query('update mirror set retired_at = $2 where id = $1 and retired_at is null', [id, now]);
  await client.query('delete from epoch_key where mirror = $1', [id]);
};
