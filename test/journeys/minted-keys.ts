import type { Cluster } from './cluster.js';

/**
 * What two vaults at work would have left: of the keys, more counted than made, lives of the vault, owners in two buckets; of the
 * counts that the log shows (`dated`), those that stand in two streams.
 */
export const mintedKeys = async (cluster: Cluster) => {
  const { rows: ofVault } = await cluster.database('vault').query(
    `select (select mint_sequence from vault)::int - (select count(*) from scope)::int as more, (select count(*) from incarnation)::int as lives,
            (select count(*) from (select 1 from owner_bucket group by owner_kind, owner_id having count(*) > 1) twice)::int as scattered`,
  );
  const { rows: ofLog } = await cluster.database('events').query(
    `select count(*)::int as dated, count(*) filter (where streams > 1)::int as twice
       from (select count(distinct stream) as streams
               from (select stream, substring(convert_from(metadata, 'UTF8') from '"mintSequence":(\\d+)') as count from event) one
              where count is not null group by count) each`,
  );
  return { ...ofVault[0], ...ofLog[0] } as Record<'more' | 'lives' | 'scattered' | 'dated' | 'twice', number>;
};
