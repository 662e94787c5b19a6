import type { View, Watch } from '../reading/probes.js';
import { KEY_BYTES, openEnvelope } from './envelope.js';
import type { KeyRing, RecordsKey } from './key-ring.js';
import type { Sealed } from './sealed-rows.js';
import { scopeRows, sealedTokens } from './sealed-rows.js';

/** A data key of the person that can be had, and how. */
export interface OpenedScope {
  readonly scopeId: string;
  readonly category: string;
  readonly stream: string;
  readonly dataKey: Buffer;
  readonly by: RecordsKey;
}

interface Record {
  readonly owner: { readonly kind: string; readonly id: string };
  readonly category: string;
  readonly stream: string;
}

/** Opens, in one reading, every scope record that a key opens, and keeps those of one owner. */
export class ScopeRecords {
  /** By scope id. */
  readonly scopes = new Map<string, OpenedScope>();
  /** Records that opened, whosever they are: copies count. */
  opened = 0;

  constructor(
    private readonly ring: KeyRing,
    private readonly ownerId: string,
    private readonly found: (scope: OpenedScope, view: View, at: number) => void,
  ) {}

  readonly watches: readonly Watch[] = [scopeRows((sealed, view) => this.#open(sealed, view))];
  readonly token = sealedTokens(['scope'], (sealed, view) => this.#open(sealed, view));

  #open({ envelope, ids, at }: Sealed, view: View): void {
    for (const bucketId of ids)
      for (const by of this.ring.records.get(bucketId) ?? [])
        for (const scopeId of ids) {
          if (scopeId === bucketId) continue;
          const content = openEnvelope('scope', by.key, envelope, [bucketId, by.generation, scopeId]);
          if (!content) continue;
          this.opened += 1;
          const { owner, category, stream } = JSON.parse(content.toString('utf8', KEY_BYTES)) as Record;
          if (owner.id !== this.ownerId) return;
          const scope = { scopeId, category, stream, dataKey: content.subarray(0, KEY_BYTES), by };
          if (!this.scopes.has(scopeId)) this.scopes.set(scopeId, scope);
          return this.found(scope, view, at);
        }
  }
}
