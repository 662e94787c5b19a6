import type { Clock } from '#kernel';
import type { Clearing, DestructionReport, EpochsReport, MirrorReport, SealReport } from '../operations-contract.js';
import { VaultOperations } from '../operations-contract.js';
import type { ClearingReply, MirrorsReply, SealReply } from '../rpc/messages.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';

const WITHIN_MS = 30_000;
/** A seal opens and seals every key of every bucket under which something was shredded; one that takes longer is joined by asking again. */
const SEALED_WITHIN_MS = 600_000;

/** The operations' client over gRPC. Every method throws `vault-unavailable` when the vault can't be asked: ask again. */
export class GrpcVaultOperations extends VaultOperations {
  readonly #connection: VaultConnection;

  /** `clock`: the one that the caller's guard watches. The vault, which may be on another machine, refuses by one that is far from it. */
  constructor(
    address: VaultAddress,
    private readonly clock?: Clock,
  ) {
    super();
    this.#connection = new VaultConnection(address);
  }

  async sealEpoch({ force = false }: { readonly force?: boolean } = {}): Promise<SealReport> {
    const { destroyAt, ...reply } = await this.#call<SealReply>(
      'SealEpoch',
      { force, at: this.#now() },
      SEALED_WITHIN_MS,
    );
    return { ...reply, destroyAt: destroyAt || undefined };
  }
  destroyRoots(): Promise<DestructionReport> {
    return this.#call<DestructionReport>('DestroyRoots', { at: this.#now() });
  }
  epochs(): Promise<EpochsReport> {
    return this.#call<EpochsReport>('Epochs', {});
  }
  async clearing(orderId: string, knownEpoch = 0): Promise<Clearing | undefined> {
    const { clearing } = await this.#call<ClearingReply>('Clearing', { orderId, knownEpoch });
    return clearing ? { ...clearing, clearedAt: clearing.clearedAt || undefined } : undefined;
  }

  async mirrors(): Promise<readonly MirrorReport[]> {
    const { mirrors } = await this.#call<MirrorsReply>('Mirrors', {});
    return mirrors.map(({ id, reason, message, ...mirror }) => ({
      ...mirror,
      ...{ id: id || undefined, reason: reason || undefined, message: message || undefined },
    }));
  }
  async addMirror(place: string): Promise<string> {
    return (await this.#call<{ id: string }>('AddMirror', { place })).id;
  }
  async retireMirror(id: string): Promise<void> {
    await this.#call('RetireMirror', { id });
  }
  async repairMirror(id: string): Promise<void> {
    await this.#call('RepairMirror', { id });
  }

  close(): void {
    this.#connection.close();
  }

  #now(): string {
    return this.clock?.now().toISOString() ?? '';
  }
  #call<T>(method: string, request: unknown, withinMs = WITHIN_MS): Promise<T> {
    return this.#connection.call<T>(method, request, withinMs);
  }
}
