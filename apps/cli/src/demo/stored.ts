import type { Stage } from './stage.js';

/** An event as it lies in the log. */
export interface StoredEvent {
  readonly position: string;
  readonly type: string;
  /** The bytes of its data, as text. */
  readonly data: string;
}

/** The log's own rows of some streams, as the event node stores them. */
export const storedEvents = async ({ databases }: Stage, streams: readonly string[]): Promise<StoredEvent[]> => {
  const { rows } = await databases.events.query<StoredEvent>(
    `select position::text, type, convert_from(data, 'utf8') as data
     from event where stream = any($1) and json order by event.position`,
    [streams],
  );
  return rows;
};

/** Scopes whose keys seal something in these events. */
export const scopesIn = (events: readonly StoredEvent[]): string[] => [
  ...new Set(events.flatMap(({ data }) => Object.keys((JSON.parse(data) as { $sealed?: object }).$sealed ?? {}))),
];

/** What the vault has of some keys: `live` ones it can unwrap, of `erased` ones only the tombstone is left. */
export const keysOf = async (
  { databases }: Stage,
  scopes: readonly string[],
): Promise<{ readonly scope_id: string; readonly state: string; readonly sealed_bytes: number | null }[]> => {
  const { rows } = await databases.vault.query<{ scope_id: string; state: string; sealed_bytes: number | null }>(
    'select scope_id, state, length(sealed) as sealed_bytes from scope where scope_id = any($1) order by state, scope_id',
    [scopes],
  );
  return rows;
};

/** The row of the read model `customer_card`, as it is stored. */
export const storedCard = async ({ databases }: Stage, customerId: string): Promise<string> => {
  const { rows } = await databases.readmodels.query<{ row: string }>(
    'select row_to_json(c)::text as row from customer_card.customer_card c where customer_id = $1',
    [customerId],
  );
  return rows[0]?.row ?? '(no row)';
};
