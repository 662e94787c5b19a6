import { readFileSync } from 'node:fs';
import type { Client, ClientDuplexStream, ClientReadableStream, ClientWritableStream, Metadata } from '@grpc/grpc-js';
import { credentials } from '@grpc/grpc-js';
import { inSpan } from '#kernel';
import type { ArchiveMessage } from '../rpc/archive-messages.js';
import { fromStatus } from '../rpc/errors.js';
import type { FromHolder, ToHolder } from '../rpc/messages.js';
import { VaultServiceClient } from '../rpc/service.js';
import { callMetadata, callOnce } from './call.js';
import { searching } from './searching.js';

/** Where the vault is, and who we are: PEM files. The certificate's common name decides what it lets us do. */
export interface VaultAddress {
  /**
   * `host:port`; the vault's certificate must be for this host. Several, separated by commas and in any order, where vaults stand
   * by: the active one of them is found, and found again when another has taken over.
   */
  readonly address: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** The way to the active vault. Every error that comes out of it is a MakulerError. */
export class VaultConnection {
  readonly #clients: readonly Client[];
  #at = 0;

  constructor({ address, certFile, keyFile, caFile }: VaultAddress) {
    const tls = credentials.createSsl(readFileSync(caFile), readFileSync(keyFile), readFileSync(certFile));
    const addresses = address.split(',').map((one) => one.trim());
    this.#clients = addresses.map(
      (one) =>
        new VaultServiceClient(one, tls, {
          // The default backs off to two minutes: a vault that is back must be noticed within a lease.
          'grpc.initial_reconnect_backoff_ms': 100,
          'grpc.max_reconnect_backoff_ms': 500,
          'grpc.max_receive_message_length': 64 * 1024 * 1024,
          // A reply with a thousand keys comes in one go, and not by turns with a process that is busy with the last one.
          'grpc-node.flow_control_window': 1024 * 1024,
          'grpc.use_local_subchannel_pool': 1,
          // Where another may take over, nobody waits out a deadline for one that is stopped, or on a machine that is gone.
          ...(addresses.length > 1 ? { 'grpc.keepalive_time_ms': 2_000, 'grpc.keepalive_timeout_ms': 2_000 } : {}),
          // An IP address is no TLS server name (RFC 6066), and Node warns of one; our certificates for loopback say localhost.
          ...(/^(127\.|\[::1\])/.test(one) ? { 'grpc.ssl_target_name_override': 'localhost' } : {}),
        }),
    );
  }

  /** Whether there is another vault to ask. */
  get hasOthers(): boolean {
    return this.#clients.length > 1;
  }

  /**
   * One call. Throws what the vault refused, or `vault-unavailable`, after `withinMs` at the latest. Where vaults stand by it is sent
   * again to the next when one can't be reached or says that it does not serve: whatever is asked of a vault may be asked again.
   */
  call<T>(method: string, request: unknown, withinMs: number): Promise<T> {
    const attributes = { 'rpc.system': 'grpc', 'rpc.method': method };
    return inSpan({ name: `vault ${method}`, kind: 'client', attributes }, () =>
      this.#ask<T>(method, request, withinMs),
    );
  }

  #ask<T>(method: string, request: unknown, withinMs: number): Promise<T> {
    if (!this.hasOthers)
      return callOnce<T>(this.#client, method, request, withinMs).catch((error: unknown) => {
        throw fromStatus(error);
      });
    const vaults = {
      count: this.#clients.length,
      current: () => this.#client,
      leave: (client: Client) => this.elsewhere(client),
    };
    return searching<T>(vaults, method, request, withinMs);
  }

  /** Resolves when the next stream will go to the active vault, or to the only one. Throws `vault-unavailable`. */
  async locate(withinMs: number): Promise<void> {
    if (this.hasOthers) await this.call('Status', {}, withinMs);
  }

  /** Names the vault that is asked now. */
  get place(): unknown {
    return this.#client;
  }
  /** Another vault than this one is asked from now on, unless that was seen to already. */
  elsewhere(place: unknown): void {
    if (place === this.#client) this.#at = (this.#at + 1) % this.#clients.length;
  }

  hold(): ClientDuplexStream<FromHolder, ToHolder> {
    return (this.#client as unknown as { Hold(): ClientDuplexStream<FromHolder, ToHolder> }).Hold();
  }

  backup(): ClientReadableStream<ArchiveMessage> {
    type Backup = { Backup(request: object, metadata: Metadata): ClientReadableStream<ArchiveMessage> };
    return (this.#client as unknown as Backup).Backup({}, callMetadata());
  }

  restore(done: (error: Error | null) => void): ClientWritableStream<ArchiveMessage> {
    type Restore = { Restore(metadata: Metadata, done: unknown): ClientWritableStream<ArchiveMessage> };
    return (this.#client as unknown as Restore).Restore(callMetadata(), done);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  get #client(): Client {
    return this.#clients[this.#at]!;
  }
}
