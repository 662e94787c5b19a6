import { ScopeExpired, SubjectErased } from '#events';
import type { OwnerRef, ScopeId } from '#kernel';
import type { EventStore, Position, StoredEvent } from '#ledger';
import type { Forgot, LogCheckpoint, LogTestimony, SealedScope } from '#vault/keeper';
import { LogWitness } from '#vault/keeper';

const PAGE = 1_000;

/** The log as a witness, over the store's own reads: sealed blocks stay sealed, and only metadata and counts are looked at. */
export class EventLogWitness extends LogWitness {
  constructor(private readonly store: EventStore) {
    super();
  }

  async testify(sequence = Infinity): Promise<LogTestimony> {
    const looking = new Looking();
    for await (const page of this.#pages())
      for (const event of page) {
        looking.at(event);
        if (looking.isEnough(sequence)) return looking.testimony();
      }
    return looking.testimony();
  }

  async *sealedScopes(): AsyncGenerator<readonly SealedScope[]> {
    for await (const page of this.#pages()) yield page.flatMap(scopesOf);
  }

  async *#pages(): AsyncGenerator<readonly StoredEvent[]> {
    for (let from: Position | undefined; ;) {
      const page = await this.store.backwards({ ...(from === undefined ? {} : { from }), maxCount: PAGE });
      yield page;
      if (page.length < PAGE) return;
      from = page.at(-1)!.position;
    }
  }
}

const scopesOf = ({ stream, data }: StoredEvent): SealedScope[] =>
  Object.keys((data['$sealed'] as object | undefined) ?? {}).map((scopeId) => ({
    scopeId: scopeId as ScopeId,
    stream: stream.slice(0, stream.indexOf('-')),
  }));

/** What has been seen on the way back from the end of the log. */
class Looking {
  readonly #checkpoints: LogCheckpoint[] = [];
  readonly #incarnations = new Map<string, number>();
  /** `sequence`: counted back from the end, so far. */
  readonly #forgot: Forgot[] = [];
  #seen = 0;
  /** Events seen before the last checkpoint, and before the event that it covers last. */
  #afterCheckpoint: number | undefined;
  #afterCovered: number | undefined;

  at(event: StoredEvent): void {
    if (this.#checkpoints.length < 2) this.#noteVault(event);
    this.#noteForgot(event);
    const [last] = this.#checkpoints;
    if (last && String(event.position) === last.position) this.#afterCovered ??= this.#seen;
    if (event.type === CHECKPOINTED) {
      this.#afterCheckpoint ??= this.#seen;
      this.#checkpoints.push(checkpointOf(event.data));
    }
    this.#seen++;
  }

  isEnough(sequence: number): boolean {
    return this.#checkpoints.length >= 2 && this.#checkpoints.at(-1)!.sequence < sequence;
  }

  testimony(): LogTestimony {
    const headSequence = this.#headSequence();
    return {
      checkpoints: this.#checkpoints,
      headSequence,
      incarnations: this.#incarnations,
      forgot: this.#forgot.map((one) => ({ ...one, sequence: headSequence - one.sequence })),
    };
  }

  /**
   * Counted from the event that the last checkpoint covers last. In a log that was moved it is not where the checkpoint says;
   * then from the checkpoint itself, which stands right behind it but for what was appended meanwhile: never too many.
   */
  #headSequence(): number {
    const [last] = this.#checkpoints;
    if (!last) return this.#seen;
    return last.sequence + (this.#afterCovered ?? this.#afterCheckpoint! + 1);
  }

  #noteVault({ metadata }: StoredEvent): void {
    const vault = metadata['vault'] as { incarnation: string; mintSequence?: number } | undefined;
    if (vault) {
      const highest = Math.max(this.#incarnations.get(vault.incarnation) ?? 0, vault.mintSequence ?? 0);
      this.#incarnations.set(vault.incarnation, highest);
    }
  }

  #noteForgot({ type, data }: StoredEvent): void {
    const sequence = this.#seen;
    const owner = { kind: data['ownerKind'], id: data['ownerId'] } as OwnerRef;
    if (type === SubjectErased.type)
      this.#forgot.push({ owner, kind: 'erased', keys: data['categories'] as Record<string, number>, sequence });
    if (type === ScopeExpired.type)
      this.#forgot.push({
        owner,
        kind: 'expired',
        keys: { [data['category'] as string]: data['count'] as number },
        sequence,
      });
  }
}

const CHECKPOINTED = 'log.checkpointed';

const checkpointOf = (data: StoredEvent['data']): LogCheckpoint => {
  const text = (name: string) => String(data[name]);
  return {
    sequence: Number(data['sequence']),
    link: text('link'),
    position: text('position'),
    at: text('at'),
    signature: text('signature'),
    installation: text('installation'),
    incarnation: text('incarnation'),
    mintSequence: Number(data['mintSequence']),
    custodianNumber: Number(data['custodianNumber']),
    epoch: Number(data['epoch']),
  };
};
