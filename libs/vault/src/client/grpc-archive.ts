import { once } from 'node:events';
import type { ClientWritableStream } from '@grpc/grpc-js';
import type { ArchiveFrame } from '../archive-contract.js';
import { VaultArchive } from '../archive-contract.js';
import type { ArchiveMessage } from '../rpc/archive-messages.js';
import { frameOf, messageOf } from '../rpc/archive-messages.js';
import { fromStatus } from '../rpc/errors.js';
import type { StatusReply } from '../rpc/messages.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';

const STATUS_MS = 10_000;

/** Copies of the vault over gRPC, neither way faster than the other end takes them. */
export class GrpcVaultArchive extends VaultArchive {
  readonly #connection: VaultConnection;

  constructor(address: VaultAddress) {
    super();
    this.#connection = new VaultConnection(address);
  }

  async mirrors(): Promise<readonly string[]> {
    const { mirrors } = await this.#connection.call<StatusReply>('Status', {}, STATUS_MS);
    return mirrors.map(({ name }) => name);
  }

  async *backup(): AsyncGenerator<ArchiveFrame, void> {
    await this.#connection.locate(STATUS_MS);
    const call = this.#connection.backup();
    try {
      for await (const message of call as AsyncIterable<ArchiveMessage>) yield frameOf(message);
    } catch (error) {
      throw fromStatus(error);
    } finally {
      call.cancel();
    }
  }

  async restore(frames: AsyncIterable<ArchiveFrame>, incarnation: string): Promise<void> {
    await this.#connection.locate(STATUS_MS);
    const { promise: answer, resolve, reject } = Promise.withResolvers<void>();
    const call = this.#connection.restore((error) => (error ? reject(fromStatus(error)) : resolve()));
    let answered = false;
    answer.catch(() => undefined).finally(() => (answered = true));
    try {
      await write(call, { frame: 'begin', begin: { incarnation } }, answer);
      for await (const frame of frames) {
        // A refusal may come at any time; from then on nobody reads what is written.
        if (answered) break;
        await write(call, messageOf(frame), answer);
      }
      call.end();
    } catch (error) {
      // The copy can't be read any further: the vault must not take what has come so far for all of it.
      call.cancel();
      throw error;
    }
    await answer;
  }

  close(): void {
    this.#connection.close();
  }
}

const write = async (call: ClientWritableStream<ArchiveMessage>, message: ArchiveMessage, answer: Promise<void>) => {
  if (!call.write(message)) await Promise.race([once(call, 'drain'), answer]);
};
