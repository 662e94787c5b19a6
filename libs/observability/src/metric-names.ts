/** A number that a program shows: names and units by Prometheus' conventions (https://prometheus.io/docs/practices/naming). */
interface MetricDeclaration {
  readonly kind: 'histogram' | 'gauge' | 'counter';
  readonly help: string;
  readonly labels: readonly string[];
}

/**
 * Every number of ours. Labels are codes, names of types and of routes: never an id, never a value of anybody, because they
 * live in other people's databases. The dashboards and alerts in `deploy/` name these and no other (a spec compares).
 */
export const METRICS = {
  makuler_http_request_duration_seconds: {
    kind: 'histogram',
    help: 'From the request to the end of its answer.',
    labels: ['method', 'route', 'status'],
  },
  makuler_command_duration_seconds: {
    kind: 'histogram',
    help: 'A command in its handler, by its type and what it came to: ok, or the code of the error.',
    labels: ['command', 'outcome'],
  },
  makuler_query_duration_seconds: {
    kind: 'histogram',
    help: 'A query in its handler, by its type and what it came to.',
    labels: ['query', 'outcome'],
  },
  makuler_access_refused_total: {
    kind: 'counter',
    help: 'Requests without a valid token, without the role, without an allowed purpose, or over a limit, and calls of the vault that a certificate is not for, by code.',
    labels: ['code'],
  },
  makuler_append_duration_seconds: {
    kind: 'histogram',
    help: 'An append, from sealed events to the acknowledgement of the log.',
    labels: ['outcome'],
  },
  makuler_seal_duration_seconds: {
    kind: 'histogram',
    help: 'Getting the keys of an append and sealing its events.',
    labels: [],
  },
  makuler_vault_keys_cached: { kind: 'gauge', help: 'Data keys that this process holds under its lease.', labels: [] },
  makuler_vault_key_requests_total: {
    kind: 'counter',
    help: 'Data keys that were asked for, by whether the process held them.',
    labels: ['result'],
  },
  makuler_vault_keys: { kind: 'gauge', help: 'Keys in the vault, by state.', labels: ['state'] },
  makuler_vault_gate_open: { kind: 'gauge', help: '1 while the vault serves.', labels: [] },
  makuler_vault_epoch: { kind: 'gauge', help: 'The current epoch.', labels: [] },
  makuler_vault_dirty_buckets: {
    kind: 'gauge',
    help: 'Buckets in which a key was shredded since they were rotated.',
    labels: [],
  },
  makuler_vault_roots_overdue: {
    kind: 'gauge',
    help: 'Sealed epochs whose root should be destroyed by now and may still exist.',
    labels: [],
  },
  makuler_active: {
    kind: 'gauge',
    help: '1 in the process that is the active one of its program (vault, projector), 0 in a standby.',
    labels: [],
  },
  makuler_projection_lag_seconds: {
    kind: 'gauge',
    help: 'How long ago the oldest event that a projection has not applied was recorded; 0 at the end of the log.',
    labels: ['projection'],
  },
  makuler_projection_failed: {
    kind: 'gauge',
    help: '1 for a projection that has stopped at an event.',
    labels: ['projection'],
  },
  makuler_projection_state: {
    kind: 'gauge',
    help: '1 for the state that a projection is in, and for rebuilding while another build stands beside it.',
    labels: ['projection', 'state'],
  },
  makuler_jobs: { kind: 'gauge', help: 'Jobs in the queues, by state.', labels: ['queue', 'state'] },
  makuler_erasures: { kind: 'gauge', help: 'Erasures that were asked for, by state.', labels: ['state'] },
  makuler_erasures_overdue: {
    kind: 'gauge',
    help: 'Erasures under way for more than a day, and certified ones whose date for the backups has passed unattested.',
    labels: [],
  },
} as const satisfies Record<string, MetricDeclaration>;

export type MetricName = keyof typeof METRICS;
type NameOf<Kind extends MetricDeclaration['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type HistogramName = NameOf<'histogram'>;
export type GaugeName = NameOf<'gauge'>;
export type CounterName = NameOf<'counter'>;
/** The labels of a metric, all of them. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]['labels'][number], string>>;
