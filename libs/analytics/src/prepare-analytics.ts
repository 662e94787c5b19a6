import type { Policy } from '#policy';
import type { Pool } from '#postgres';
import { inTransaction, migrate } from '#postgres';
import { GRANTS } from './analytics.projection.js';
import { MINIMUM_TABLE } from './analyst-views.js';

/**
 * Says to the analysts' views how small a group may be, by the policy in force, and grants them to the group of analysts if it
 * is there by now. Before the read models are followed; safe to repeat. Throws `database-unavailable`.
 */
export const prepareAnalytics = async (
  readModels: Pool,
  { minimumGroup }: Pick<Policy, 'minimumGroup'>,
): Promise<void> => {
  await migrate(readModels, 'analytics', [{ id: '001-minimum-group', up: MINIMUM_TABLE }]);
  await inTransaction(readModels, async (client) => {
    await client.query(
      `insert into analytics_settings.minimum_group (members) values ($1)
       on conflict (only_row) do update set members = excluded.members`,
      [minimumGroup],
    );
    const { rows } = await client.query(
      "select from pg_views where schemaname = 'analytics' and viewname = 'sales_by_month'",
    );
    if (rows.length === 0) return;
    await client.query("select set_config('search_path', 'analytics', true)");
    await client.query(GRANTS);
  });
};
