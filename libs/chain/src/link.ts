import { createHash } from 'node:crypto';
import type { StoredEvent } from '#ledger';
import { canonicalJson } from './canonical-json.js';

const LABEL = 'makuler/log-chain/1';

/**
 * What of an event is linked. Nothing of the server's own: not its position, revision or time of creation, so that the
 * same events on another server have the same links.
 */
export type LinkedEvent = Pick<StoredEvent, 'stream' | 'id' | 'type' | 'data' | 'metadata'>;

/** A place in the chain: how many events there are up to here, and the link of the last of them. */
export interface ChainPoint {
  /** From 1, in commit order, system events left out; 0 before the first. */
  readonly sequence: number;
  /** SHA-256, hex. */
  readonly link: string;
}

/** Before the first event. */
export const GENESIS: ChainPoint = { sequence: 0, link: '00'.repeat(32) };

/** The event as the bytes that are linked: RFC 8785 JSON, UTF-8. */
export const eventBytes = (sequence: number, { stream, id, type, data, metadata }: LinkedEvent): string =>
  canonicalJson({ sequence, stream, id, type, data, metadata });

/** The next place: SHA-256 of the label, the link before, and the event. */
export const linked = ({ sequence, link }: ChainPoint, event: LinkedEvent): ChainPoint => ({
  sequence: sequence + 1,
  link: createHash('sha256')
    .update(LABEL)
    .update(link, 'hex')
    .update(eventBytes(sequence + 1, event))
    .digest('hex'),
});
