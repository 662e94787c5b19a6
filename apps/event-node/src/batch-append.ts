import type grpc from '@grpc/grpc-js';
import { encodeBatchSuccess, type BatchAppendPart } from './protocol/append-messages.js';
import { encodeBatchError } from './protocol/batch-status.js';
import { IncomingAppend, WRITE_TIMEOUT_MS, type Answer } from './protocol/incoming-append.js';
import { shuttingDown } from './protocol/statuses.js';
import type { EventLog } from './store/event-log.js';

/** A client that has more than this under way is not read from until some of it is answered. */
const MAX_UNDER_WAY_BYTES = 32 * 1024 * 1024;

interface UnderWay {
  readonly append: IncomingAppend;
  readonly correlation: Buffer;
  readonly timer: NodeJS.Timeout;
  submitted: boolean;
}

/**
 * `Streams.BatchAppend`: one stream per client, appends told apart by correlation id. Each is answered exactly once: the client
 * dies of a second answer, and waits for ever for a missing one. So an id leaves `#underWay` with its answer, parts of an
 * id that is not there are ignored, and a timer answers what would otherwise hang.
 */
class BatchAppendCall {
  readonly #underWay = new Map<string, UnderWay>();
  #bytes = 0;
  #halfClosed = false;

  constructor(
    private readonly call: grpc.ServerDuplexStream<BatchAppendPart, Buffer>,
    private readonly log: EventLog,
    private readonly maxBytes: number,
    private readonly closing: AbortSignal,
  ) {
    call.on('data', (part) => this.#take(part));
    closing.addEventListener('abort', this.#endWhenDone);
    call.on('end', () => {
      this.#halfClosed = true;
      this.#endWhenDone();
    });
    // The client is gone, which is normal. What was submitted is still written; nobody is there to hear of it.
    call.on('cancelled', () => this.#forgetAll());
    call.on('close', () => this.#forgetAll());
  }

  #take(part: BatchAppendPart): void {
    const key = part.correlation.toString('latin1');
    const under = this.#underWay.get(key) ?? this.#begin(key, part);
    if (!under || under.submitted) return;
    const before = under.append.bytes;
    under.append.add(part.proposals);
    this.#count(under.append.bytes - before);
    if (under.append.refusal) return this.#answer(key, under.append.refusal);
    if (performance.now() >= under.append.deadline) return this.#answer(key, { kind: 'too-late' });
    if (part.isFinal) void this.#submit(key, under);
  }

  #begin(key: string, { options, correlation }: BatchAppendPart): UnderWay | undefined {
    if (!options) return undefined; // a later part of an append that was answered already
    if (this.closing.aborted) return undefined; // the stream is about to fail, which refuses it
    const append = new IncomingAppend(options, options.remainingMs ?? WRITE_TIMEOUT_MS, this.maxBytes);
    const left = Math.max(0, append.deadline - performance.now());
    const timer = setTimeout(() => this.#answer(key, { kind: 'too-late' }), left);
    const under: UnderWay = { append, correlation, timer, submitted: false };
    this.#underWay.set(key, under);
    return under;
  }

  async #submit(key: string, under: UnderWay): Promise<void> {
    under.submitted = true;
    const outcome = await this.log.append(under.append.toAppend());
    // Its timer may have answered it meanwhile, and the id may even be in use again.
    if (this.#underWay.get(key) === under) this.#answer(key, outcome);
  }

  #answer(key: string, answer: Answer): void {
    const under = this.#underWay.get(key);
    if (!under) return;
    clearTimeout(under.timer);
    this.#underWay.delete(key);
    this.#count(-under.append.bytes);
    const { correlation, append } = under;
    this.call.write(
      answer.kind === 'committed'
        ? encodeBatchSuccess(correlation, append.options.identifier, answer.revision, answer.position)
        : encodeBatchError(correlation, append.options, answer),
    );
    this.#endWhenDone();
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_UNDER_WAY_BYTES) this.call.pause();
    else if (this.call.isPaused()) this.call.resume();
  }

  readonly #endWhenDone = (): void => {
    if (this.#underWay.size > 0) return;
    if (this.#halfClosed) this.call.end();
    // Not the plain end: a client that sends an append at this moment would wait for its answer for ever.
    else if (this.closing.aborted) this.call.emit('error', shuttingDown());
  };

  #forgetAll(): void {
    this.closing.removeEventListener('abort', this.#endWhenDone);
    for (const { timer } of this.#underWay.values()) clearTimeout(timer);
    this.#underWay.clear();
  }
}

/** The handler of `Streams.BatchAppend`. */
export const batchAppend =
  (log: EventLog, maxBytes: number, closing: AbortSignal): grpc.handleBidiStreamingCall<BatchAppendPart, Buffer> =>
  (call) =>
    void new BatchAppendCall(call, log, maxBytes, closing);
