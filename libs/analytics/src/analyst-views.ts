/** The schema and table of the number below which groups are merged. The projector writes it there, from the policy. */
export const MINIMUM_TABLE = `
  create schema if not exists analytics_settings;
  create table if not exists analytics_settings.minimum_group (
    only_row boolean primary key default true check (only_row),
    members integer not null check (members >= 2)
  );`;

/** What a view of analysts shows of one of the tables, month by month. */
interface MonthlyFacts {
  /** The view; its function is `<name>_rows`. */
  readonly name: string;
  /** The month of a row: its first day. */
  readonly month: string;
  readonly table: string;
  /** Column of the view → expression and type. */
  readonly dimensions: Readonly<Record<string, readonly [expression: string, type: string]>>;
  /** Dimensions that are never added up (a currency). */
  readonly apart?: readonly string[];
  readonly measures: Readonly<Record<string, readonly [expression: string, type: string]>>;
  /** What the minimum is compared with: one of the measures. */
  readonly size: string;
}

/**
 * A function and a view over it. Of each month there is one partition of its facts into groups and no other, so that no two
 * sums can be subtracted: groups below the minimum become one row, and if that is still too small the smallest of the others
 * goes into it, as in `merge-small-groups.ts`; a month that is too small as a whole is not shown. A month is shown once a
 * later one has begun in the log: what is under way would give away each one who is added (also while a rebuild runs).
 *
 * A function, because its body is a closed door where a view's is not: EXPLAIN shows nothing of it, no condition of the asker
 * is ever evaluated on its rows, and statistics of its tables estimate nothing. Its names are bound when it is made (BEGIN
 * ATOMIC): a rebuild renames the schema under it, and no search path of an asker leads it elsewhere.
 */
export const monthlyView = ({ name, month, table, dimensions, apart = [], measures, size }: MonthlyFacts): string => {
  const dims = Object.keys(dimensions);
  const sums = Object.keys(measures);
  const columns = [
    'month date',
    ...[...Object.entries(dimensions), ...Object.entries(measures)].map(([column, [, type]]) => `${column} ${type}`),
    'merged_groups integer',
  ];
  const within = ['month', ...apart].join(', ');
  const merged = dims.map((column) => (apart.includes(column) ? column : `null`));
  return `
  create function ${name}_rows() returns table (${columns.join(', ')})
  language sql stable security definer begin atomic
    with least as (
      select coalesce((select members from analytics_settings.minimum_group), 2147483647) as members
    ), grouped as (
      select ${month} as month,
             ${[...Object.entries(dimensions), ...Object.entries(measures)].map(([column, [expression]]) => `${expression} as ${column}`).join(', ')}
        from ${table}
       where ${month} < (select max(${month}) from ${table})
       group by ${[1, ...dims.map((_, n) => n + 2)].join(', ')}
    ), ranked as (
      select *, row_number() over by_size as place, sum(${size}) over by_size - ${size} as before
        from grouped
      window by_size as (partition by ${within} order by ${[size, ...dims].join(', ')} rows unbounded preceding)
    ), judged as (
      select *, ${size} < least.members or (place > 1 and before < least.members) as small from ranked, least
    )
    select month, ${[...dims, ...sums].join(', ')}, 0 from judged where not small
    union all
    select month, ${[...merged, ...sums.map((column) => `sum(${column})`)].join(', ')}, count(*)::integer
      from judged where small group by ${within} having sum(${size}) >= max(members);
  end;
  create view ${name} as select * from ${name}_rows();
  revoke all on function ${name}_rows() from public;`;
};

/**
 * What analysts may see: the views, and the functions that the views call in the asker's name. Granted to the group
 * `makuler_analyst`, wherever it is there (libs/postgres/src/analyst-role.sql): the owner of the read models mostly may not make
 * roles. No default privileges: what is not named here is not theirs.
 */
export const grantsOn = (views: readonly string[]): string => `
  do $$ begin
    if exists (select from pg_roles where rolname = 'makuler_analyst') then
      execute format('grant usage on schema %I to makuler_analyst', current_schema());
      ${views.map((name) => `grant select on ${name} to makuler_analyst; grant execute on function ${name}_rows() to makuler_analyst;`).join('\n      ')}
    end if;
  end $$;`;
