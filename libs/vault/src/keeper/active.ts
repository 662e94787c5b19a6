import type { Clock } from '#kernel';
import { MakulerError } from '#kernel';
import type { Lease, Pool, PoolClient, StatementUnder } from '#postgres';
import { askUnder, inTransactionUnder, LeaseContender, LeaseLost } from '#postgres';

/** What the vault's row says about keys. */
export interface SequenceRow {
  readonly incarnation: string;
  readonly mint_sequence: string;
}

/** The vault's row, or `undefined` when another vault has taken over. */
export const readSequence = async (
  client: Pick<PoolClient, 'query'>,
  token: string,
): Promise<SequenceRow | undefined> =>
  (await client.query<SequenceRow>('select incarnation, mint_sequence from vault where active = $1', [token])).rows[0];

/**
 * Runs `work` in one transaction that is committed only while this vault is the active one. Every writing of the vault's database
 * goes through it: a standby that takes over waits for those that are under way, or has them rolled back. Throws `vault-unavailable`.
 */
export type Write = <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;

/** One statement that writes only while this vault is the active one, by itself or in the transaction of `client`. Throws `vault-unavailable`. */
export type Ask = <Row extends object>(statement: StatementUnder, client?: PoolClient) => Promise<readonly Row[]>;

/** Throws `vault-unavailable` unless this vault is the active one, by the word of the database at this moment. */
export type Confirm = () => Promise<void>;

/** Another vault is active: this one stands by. */
export class StandingBy extends Error {
  override readonly name = 'StandingBy';
  constructor() {
    super('another vault is active');
  }
}

/** A process on a busy machine must not lose its right for a moment’s silence, however short the leases are that it gives. */
const SHORTEST_MS = 1_000;

/** Between two tries: twenty times in a lease, so that little is added to it when the active vault is gone. */
export const pause = (leaseMs: number) => new Promise((resolve) => setTimeout(resolve, Math.min(250, leaseMs / 20)));

interface CandidacyOptions {
  readonly pool: Pool;
  /** Connections for the lease, apart from those that wait inside transactions for its word. Without it, `pool`. */
  readonly leasePool?: Pool;
  readonly clock: Clock;
  /** Of the leases that the vault gives, in milliseconds. */
  readonly leaseMs: number;
}

/** Wants to be the active vault of a database, for as long as the process runs. */
export class Candidacy {
  readonly #pool: Pool;
  readonly #contender: LeaseContender;

  constructor({ pool, leasePool = pool, clock, leaseMs }: CandidacyOptions) {
    this.#pool = pool;
    const [longMs, renewEveryMs] = [Math.max(leaseMs, SHORTEST_MS), leaseMs / 5];
    this.#contender = new LeaseContender({ pool: leasePool, name: 'vault', leaseMs: longMs, renewEveryMs, clock });
  }

  /** Throws StandingBy while another vault is active, `database-unavailable`. `onLost` is called once, when the right may be gone. */
  async take(onLost: (why: string) => void): Promise<Activity> {
    const lease = await this.#contender.attempt(onLost);
    if (!lease) throw new StandingBy();
    return new Activity(this.#pool, lease, onLost);
  }
}

/**
 * The right to be the active vault of a database, for one life of the vault: a lease in the database, whose token stands in the
 * `vault` row too once this life has reconciled. The lease keeps a second vault out; the tokens stop a first one that has lost
 * it unnoticed, and what an earlier life of this very process has still under way.
 */
export class Activity {
  constructor(
    private readonly pool: Pool,
    private readonly lease: Lease,
    private readonly onLost: (why: string) => void,
  ) {}

  get token(): string {
    return this.lease.token;
  }
  /** Whether the vault before may go on believing that it is active: it did not give the right up. */
  get isInherited(): boolean {
    return this.lease.inheritedMs > 0;
  }
  /** Monotonic time at which the right was last known to be ours. */
  get confirmedAtMs(): number {
    return this.lease.confirmedAtMs;
  }
  /** Whether no other vault can be active. Nothing is answered otherwise. */
  isHeld(): boolean {
    return this.lease.isHeld();
  }
  /** Lost or given up, for good. */
  get isOver(): boolean {
    return this.lease.isOver;
  }

  readonly write: Write = (work) => this.#noticing(() => inTransactionUnder(this.pool, this.lease, work));
  readonly ask: Ask = <Row extends object>(statement: StatementUnder, client?: PoolClient) =>
    this.#noticing(() => askUnder<Row>(client ?? this.pool, this.lease, statement));
  readonly confirm: Confirm = () => this.#noticing(() => this.lease.confirm());

  giveUp(): Promise<void> {
    return this.lease.release();
  }

  async #noticing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      this.onLost('another vault has taken over');
      throw new MakulerError('vault-unavailable', { detail: 'Another vault has taken over this database.' });
    }
  }
}
