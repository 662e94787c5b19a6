/** What happened, for the log and for metrics: names, ids and codes. */
export type Notice =
  | {
      /** `repeated`: what failed of a batch in common succeeded event by event; the code says with what, and that costs every batch twice. */
      readonly event: 'projection.failed' | 'projection.repeated';
      readonly projection: string;
      readonly role: string;
      readonly code: string;
      readonly eventId: string;
      readonly frames: readonly string[];
    }
  | {
      readonly event: 'projections.paused' | 'projections.unreadable';
      readonly projections: readonly string[];
      readonly code: string;
      readonly frames?: readonly string[];
    }
  | { readonly event: 'projection.swapped' | 'projection.rebuilding'; readonly projection: string };
