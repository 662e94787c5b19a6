import type { ActorId } from '#kernel';
import { newId, systemContext } from '#kernel';
import type { Ledger } from '#ledger';
import type { Pool } from '#postgres';
import type { Process, Projection } from '#projections';
import { ProjectionRunner, ProjectionStates } from '#projections';

/** Projections and process managers at work over a ledger, as in the projector. */
export class RunningProjections {
  readonly #abort = new AbortController();
  #done: Promise<void> = Promise.resolve();

  private constructor(
    private readonly ledger: Ledger,
    private readonly followers: readonly (Projection | Process)[],
    readonly states: ProjectionStates,
  ) {}

  static async start(
    pool: Pool,
    ledger: Ledger,
    followers: readonly (Projection | Process)[],
  ): Promise<RunningProjections> {
    const context = () => systemContext(newId<ActorId>());
    const patience = { firstMs: 5, longestMs: 20, unreadableMs: 20 };
    const runner = new ProjectionRunner({ pool, ledger, followers, context, watchMs: 10, patience });
    const running = new RunningProjections(ledger, followers, new ProjectionStates(pool));
    await new Promise<void>((resolve, reject) => {
      running.#done = runner.run(running.#abort.signal, resolve);
      running.#done.catch(reject);
    });
    return running;
  }

  /** Waits until every projection has everything that stands in the log now. */
  async caughtUp(): Promise<void> {
    const head = await this.ledger.head();
    for (const follower of this.followers)
      if (follower.kind === 'projection') await this.states.waitFor(follower, head, 10_000);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}
