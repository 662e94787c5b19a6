import type grpc from '@grpc/grpc-js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';

export type ReadCall = grpc.ServerWritableStream<streams.ReadReq, Buffer>;

/** The client's end of a read: what it is sent, at the speed at which it takes it, until it goes away. */
export class Outbox {
  readonly #gone = new AbortController();

  constructor(private readonly call: ReadCall) {
    const gone = () => this.#gone.abort();
    if (call.cancelled) gone();
    call.on('cancelled', gone);
    call.on('close', gone);
  }

  /** Aborted when nobody reads any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when more may be sent. A reader that stops reading stops us here, and costs a page of memory, not a log. */
  send(message: Buffer): Promise<void> | undefined {
    return this.call.write(message) ? undefined : this.#drained();
  }

  #drained(): Promise<void> {
    if (this.#gone.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.call.off('drain', done);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.call.on('drain', done);
      this.#gone.signal.addEventListener('abort', done);
    });
  }
}
