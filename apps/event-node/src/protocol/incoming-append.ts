import type { Append, Expected, Outcome, ProposedEvent } from '../store/event.js';
import { sizeOf } from '../store/event.js';
import type { AppendOptions, Proposal } from './append-messages.js';

/** Why an append is not written, whatever the log holds. */
export type Refusal =
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'missing-property' }
  | { readonly kind: 'too-big'; readonly limit: number }
  | { readonly kind: 'access-denied' }
  | { readonly kind: 'not-built'; readonly message: string };

/** What an append is answered with, on either path. */
export type Answer = Outcome | Refusal;

/** The vendor's server gives up a write after this; the client's own deadline counts when it is shorter. */
export const WRITE_TIMEOUT_MS = 2_000;

/** An index entry of PostgreSQL holds about 2,700 bytes at most. */
const MAX_STREAM_BYTES = 1_024;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';
/** Stream metadata that would make a real server hide events or refuse readers. */
const ACTING_METADATA = ['$maxAge', '$maxCount', '$tb', '$acl'];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Gathers one append from its parts. Once refused it holds nothing, however much may still come. */
export class IncomingAppend {
  readonly stream: string;
  /** On `performance.now()`'s clock. */
  readonly deadline: number;
  refusal: Refusal | undefined;
  #bytes = 0;
  #events: ProposedEvent[] = [];

  constructor(
    readonly options: AppendOptions,
    remainingMs: number,
    private readonly maxBytes: number,
  ) {
    this.deadline = performance.now() + Math.min(remainingMs, WRITE_TIMEOUT_MS);
    this.stream = this.#nameOf(options.stream);
    if (options.expected === undefined) this.#refuse({ kind: 'invalid', message: 'No expected revision was sent.' });
  }

  /** Bytes taken so far, by the protocol's count. */
  get bytes(): number {
    return this.#bytes;
  }

  add(proposals: readonly Proposal[]): void {
    for (const proposal of proposals) {
      if (this.refusal) return;
      const event = this.#checked(proposal);
      if (!event) return;
      this.#bytes += sizeOf(event);
      if (this.#bytes > this.maxBytes) return this.#refuse({ kind: 'too-big', limit: this.maxBytes });
      this.#events.push(event);
    }
  }

  /** What is to be written. Only for an append that was not refused. */
  toAppend(): Append {
    return { stream: this.stream, expected: this.#expected(), events: this.#events, deadline: this.deadline };
  }

  #expected(): Expected {
    const { expected } = this.options;
    if (expected === undefined) throw new Error('a refused append was used');
    // No stream gets that long, so every number from there on means the same: a revision that is still to come.
    return typeof expected === 'bigint' ? Number(expected > MAX_SAFE ? MAX_SAFE : expected) : expected;
  }

  #nameOf(bytes: Buffer): string {
    let name = '';
    try {
      name = utf8.decode(bytes);
    } catch {
      this.#refuse({ kind: 'invalid', message: 'The stream name is not UTF-8.' });
    }
    if (name === '' || name === '$$') this.#refuse({ kind: 'invalid', message: 'The stream has no name.' });
    else if (bytes.length > MAX_STREAM_BYTES)
      this.#refuse({ kind: 'invalid', message: `The stream name is longer than ${MAX_STREAM_BYTES} bytes.` });
    else if (name.includes('\0')) this.#refuse({ kind: 'invalid', message: 'The stream name holds a zero byte.' });
    else if (name === '$all') this.#refuse({ kind: 'access-denied' });
    return name;
  }

  #checked({ id, type, contentType, data, metadata }: Proposal): ProposedEvent | undefined {
    if (type === undefined || contentType === undefined) return void this.#refuse({ kind: 'missing-property' });
    if (id === undefined || id === NIL_UUID)
      return void this.#refuse({ kind: 'invalid', message: 'An event id is not a UUID, or an empty one.' });
    if (type.includes('\0')) return void this.#refuse({ kind: 'invalid', message: 'An event type holds a zero byte.' });
    if (type === '$>') return void this.#refuse({ kind: 'not-built', message: 'This event node has no links.' });
    if (type === '$metadata' && this.stream.startsWith('$$') && actsOnStream(data))
      return void this.#refuse({
        kind: 'not-built',
        message: `This event node keeps every event and has one user: ${ACTING_METADATA.join(', ')} are not built.`,
      });
    return { id, type, json: contentType === 'application/json', data, metadata };
  }

  #refuse(refusal: Refusal): void {
    this.refusal ??= refusal;
    this.#events = [];
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const actsOnStream = (data: Buffer): boolean => {
  try {
    const metadata: unknown = JSON.parse(data.toString('utf8'));
    return typeof metadata === 'object' && metadata !== null && ACTING_METADATA.some((key) => key in metadata);
  } catch {
    return false; // a real server treats metadata that it can't parse as empty
  }
};
