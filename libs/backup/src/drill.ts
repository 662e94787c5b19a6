import type { EventStore, Ledger, OpenedEnvelope, StoredEvent } from '#ledger';
import type { Envelope } from '#ledger';
import type { ScopeId } from '#kernel';
import { isMakulerError } from '#kernel';
import { Forgetting } from './forgetting.js';
import type { Manifest } from './manifest.js';
import { destroyedByReceipts } from './receipts.js';

/** What a drill found. Counts only. */
export interface DrillReport {
  readonly setId: string;
  readonly events: number;
  readonly blocks: {
    readonly opened: number;
    readonly shredded: number;
    /** Accepted as lost after a disaster. */
    readonly lost: number;
    /** Did not open, and are no erasure: the key is unknown or damaged, or the block was changed. By code. */
    readonly failed: Readonly<Record<string, number>>;
  };
  /** Keys of shredded blocks, and what says that they were destroyed. */
  readonly keys: {
    readonly shredded: number;
    /** Named by forgetting events of the log. */
    readonly forgotten: number;
    /** Destroyed while the set was taken, behind the end of its log: the vault has the receipts. */
    readonly duringBackup: number;
    /** Destroyed since: the custodian's journal names them. */
    readonly since: number;
    /** Nothing says why these are gone. */
    readonly unexplained: number;
  };
  /** Blocks that open although the log says that their person was erased. */
  readonly risen: number;
  /** Nothing wrong was found, and there were as many events as the set says. */
  readonly passed: boolean;
}

export interface DrillInput {
  /** The restored log, and what opens it. */
  readonly store: EventStore;
  readonly ledger: Pick<Ledger, 'open'>;
  /** The set that it was restored from. */
  readonly directory: string;
  readonly manifest: Manifest;
  /** Keys that the restored vault destroyed again when it reconciled with the custodian. */
  readonly applied: number;
  readonly progress?: (events: number, total: number) => void;
}

const BATCH = 500;

/** Opens every block of a restored log, and explains every one that does not open. Throws what kept log or vault from answering. */
export const openEverything = async (input: DrillInput): Promise<DrillReport> => {
  const { store, ledger, directory, manifest, applied, progress } = input;
  const total = Number(manifest.log.sequence);
  const forgetting = new Forgetting();
  const tally = new Tally(forgetting);
  let events = 0;
  for (let after: bigint | undefined; ;) {
    const batch = await store.forwards({ ...(after === undefined ? {} : { after }), maxCount: BATCH });
    await openBatch(ledger, batch, tally);
    events += batch.length;
    progress?.(events, total);
    if (batch.length < BATCH) break;
    after = batch.at(-1)!.position;
  }
  const keys = forgetting.explain(await destroyedByReceipts(directory, manifest), applied);
  const { blocks } = tally;
  const risen = forgetting.risen();
  const hasFailed = Object.keys(blocks.failed).length > 0 || keys.unexplained > 0 || risen > 0;
  return { setId: manifest.setId, events, blocks, keys, risen, passed: !hasFailed && events === total };
};

class Tally {
  readonly blocks = { opened: 0, shredded: 0, lost: 0, failed: {} as Record<string, number> };

  constructor(private readonly forgetting: Forgetting) {}

  take(event: StoredEvent, { scopes }: OpenedEnvelope): void {
    for (const { scopeId, category, state } of scopes) {
      if (state === 'live') {
        this.blocks.opened++;
        this.forgetting.opened(event.stream, category);
      } else if (state === 'shredded') {
        this.blocks.shredded++;
        this.forgetting.shredded(scopeId, category);
      } else this.blocks.lost++;
    }
    this.forgetting.heard(event);
  }

  fail(code: string, blocks: number): void {
    this.blocks.failed[code] = (this.blocks.failed[code] ?? 0) + blocks;
  }
}

/** All of a batch at once; one by one when something in it does not open, so that the rest is counted all the same. */
const openBatch = async (ledger: DrillInput['ledger'], events: readonly StoredEvent[], tally: Tally): Promise<void> => {
  try {
    const opened = await ledger.open(events.map(envelopeOf));
    for (const [index, event] of events.entries()) tally.take(event, opened[index]!);
  } catch (error) {
    const code = codeOfFailure(error);
    if (events.length > 1) for (const event of events) await openBatch(ledger, [event], tally);
    else tally.fail(code, Object.keys(envelopeOf(events[0]!).sealed).length);
  }
};

/** An outage is no finding: it ends the drill. */
const codeOfFailure = (error: unknown): string => {
  if (isMakulerError(error) && FINDINGS.has(error.code)) return error.code;
  throw error;
};
const FINDINGS: ReadonlySet<string> = new Set(['scope-unknown', 'key-damaged', 'block-tampered']);

const envelopeOf = ({ id: eventId, type, stream, data, metadata }: StoredEvent): Envelope => ({
  ...{ eventId, type, stream },
  version: metadata['schemaVersion'] as number,
  sealed: (data['$sealed'] ?? {}) as Record<ScopeId, string>,
});
