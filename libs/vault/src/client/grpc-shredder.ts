import type { OwnerRef } from '#kernel';
import type { FenceOrder, ScopeInfo, ShredOrder, ShredReceipt } from '../shredder-contract.js';
import { Shredder } from '../shredder-contract.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';

/** Long enough for a lease to be waited out, twice: for the sessions under way, and for the keys held. */
const WITHIN_MS = 30_000;

/** The shredder's client over gRPC. Every method throws `vault-unavailable` when the vault can't be asked: ask again. */
export class GrpcShredder extends Shredder {
  readonly #connection: VaultConnection;

  constructor(address: VaultAddress) {
    super();
    this.#connection = new VaultConnection(address);
  }

  async scopesOf(owner: OwnerRef): Promise<readonly ScopeInfo[]> {
    const { scopes } = await this.#call<{ scopes: ScopeInfo[] }>('ScopesOf', owner);
    return scopes;
  }
  async fence(order: FenceOrder): Promise<void> {
    await this.#call('Fence', order);
  }
  async release(owner: OwnerRef, orderId: string): Promise<void> {
    await this.#call('Release', { owner, orderId });
  }
  shred(order: ShredOrder): Promise<ShredReceipt> {
    return this.#call<ShredReceipt>('Shred', order);
  }
  async receiptOf(orderId: string): Promise<ShredReceipt | undefined> {
    const { receipt } = await this.#call<{ receipt: ShredReceipt | null }>('ReceiptOf', { orderId });
    return receipt ?? undefined;
  }
  async closeForEver(owner: OwnerRef, orderId: string): Promise<void> {
    await this.#call('CloseForEver', { owner, orderId });
  }

  close(): void {
    this.#connection.close();
  }

  #call<T>(method: string, request: unknown): Promise<T> {
    return this.#connection.call<T>(method, request, WITHIN_MS);
  }
}
