import { readFileSync } from 'node:fs';
import type { Client, ClientDuplexStream, ClientReadableStream, ClientWritableStream } from '@grpc/grpc-js';
import { Metadata, credentials } from '@grpc/grpc-js';
import { currentTraceparent, inSpan } from '#kernel';
import type { ArchiveMessage } from '../rpc/archive-messages.js';
import { fromStatus } from '../rpc/errors.js';
import type { FromHolder, ToHolder } from '../rpc/messages.js';
import { VaultServiceClient } from '../rpc/service.js';

/** Where the vault is, and who we are: PEM files. The certificate's common name decides what it lets us do. */
export interface VaultAddress {
  /** `host:port`; the vault's certificate must be for this host. */
  readonly address: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

type Unary = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, reply: unknown) => void,
) => unknown;

/** One channel to the vault. Every error that comes out of it is a MakulerError. */
export class VaultConnection {
  readonly #client: Client;

  constructor({ address, certFile, keyFile, caFile }: VaultAddress) {
    const tls = credentials.createSsl(readFileSync(caFile), readFileSync(keyFile), readFileSync(certFile));
    this.#client = new VaultServiceClient(address, tls, {
      // The default backs off to two minutes: a vault that is back must be noticed within a lease.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.use_local_subchannel_pool': 1,
      // An IP address is no TLS server name (RFC 6066), and Node warns of one; our certificates for loopback say localhost.
      ...(/^(127\.|\[::1\])/.test(address) ? { 'grpc.ssl_target_name_override': 'localhost' } : {}),
    });
  }

  /** One call. Throws what the vault refused, or `vault-unavailable`, after `withinMs` at the latest. */
  call<T>(method: string, request: unknown, withinMs: number): Promise<T> {
    const attributes = { 'rpc.system': 'grpc', 'rpc.method': method };
    return inSpan({ name: `vault ${method}`, kind: 'client', attributes }, () =>
      this.#ask<T>(method, request, withinMs),
    );
  }

  #ask<T>(method: string, request: unknown, withinMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const unary = (this.#client as unknown as Record<string, Unary>)[method]!;
    const metadata = new Metadata();
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) metadata.set('traceparent', traceparent);
    unary.call(this.#client, request, metadata, { deadline: Date.now() + withinMs }, (error, reply) =>
      error ? reject(fromStatus(error)) : resolve(reply as T),
    );
    return promise;
  }

  hold(): ClientDuplexStream<FromHolder, ToHolder> {
    return (this.#client as unknown as { Hold(): ClientDuplexStream<FromHolder, ToHolder> }).Hold();
  }

  backup(): ClientReadableStream<ArchiveMessage> {
    return (this.#client as unknown as { Backup(request: object): ClientReadableStream<ArchiveMessage> }).Backup({});
  }

  restore(done: (error: Error | null) => void): ClientWritableStream<ArchiveMessage> {
    return (this.#client as unknown as { Restore(done: unknown): ClientWritableStream<ArchiveMessage> }).Restore(done);
  }

  close(): void {
    this.#client.close();
  }
}
