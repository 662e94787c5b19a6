import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { CommandContext } from '#kernel';
import { codeOf, framesOf, inContext, inSpan } from '#kernel';
import type { Batch, Ledger, RecordedEvent } from '#ledger';
import type { LeaseRight, Pool } from '#postgres';
import { askingOn, inTransaction } from '#postgres';
import type { Build, Checkpoint, Database } from './build.js';
import { checkpointOf, moveCheckpoint, schemaOf } from './build.js';
import { HandlerFailure, isPassing, isUnreadableLog } from './failures.js';
import { applyRule, forgottenBy } from './forgetting.js';
import { assertLed } from './leadership.js';
import { Gathering } from './gathering.js';
import type { Notice } from './notice.js';
import type { Process } from './process.js';
import type { Projection } from './projection.js';
import type { ProjectionTables } from './schema.js';

export interface Applying {
  /** Of the same database as `db`; best with `pipeline`. */
  readonly pool: Pool;
  readonly db: Database;
  /** By which everything is written. */
  readonly right: LeaseRight;
  readonly ledger: Ledger;
  /** In whose name process managers act. */
  readonly context: () => CommandContext;
  readonly notice: (notice: Notice) => void;
}

/** Whether a build has anything to do in these events but move on. */
export const concerns = ({ follower }: Build, events: readonly RecordedEvent[], ledger: Ledger): boolean =>
  follower.kind === 'process'
    ? events.some(({ type }) => follower.reactionTo(type) !== undefined)
    : events.some(
        (event) =>
          follower.handlersOf(event.type).length > 0 ||
          (follower.forgetting.length > 0 && forgottenBy(event, ledger) !== undefined),
      );

/**
 * Brings one build over a batch. When a handler fails, everything before its event is kept and HandlerFailure is thrown; an
 * outage leaves the build where it was.
 */
export const applyBatch = async (applying: Applying, build: Build, batch: Batch): Promise<void> => {
  const whole = checkpointOf(batch, build);
  try {
    await applyUpTo(applying, build, whole);
  } catch (error) {
    if (!(error instanceof HandlerFailure)) throw error;
    if (isPassing(error.cause) || isUnreadableLog(error.cause)) throw error.cause;
    // A process manager has moved its checkpoint with each reaction; a projection's was rolled back with its rows.
    const before = whole.events.filter(({ position }) => position > build.position && position < error.event.position);
    const last = before.at(-1);
    if (last) await applyUpTo(applying, build, { position: last.position, events: before, live: false });
    throw error;
  }
};

/** A trace of its own: nothing in the log leads to the request that wrote an event, so nothing in a trace can either. */
const applyUpTo = (applying: Applying, build: Build, to: Checkpoint): Promise<void> => {
  const { follower } = build;
  const attributes = { 'makuler.events': to.events.length };
  return inSpan({ name: `apply ${follower.name}`, kind: 'consumer', attributes }, () =>
    follower.kind === 'process' ? react(applying, build, follower, to) : project(applying, build, follower, to),
  );
};

/** What fails together is done once more one by one, to find the event at which to stop. */
const project = async (applying: Applying, build: Build, projection: Projection, to: Checkpoint): Promise<void> => {
  try {
    await projectAll(applying, build, projection, to, { apart: false });
  } catch (error) {
    if (!(error instanceof HandlerFailure) || isPassing(error.cause) || isUnreadableLog(error.cause)) throw error;
    await projectAll(applying, build, projection, to, { apart: true });
    // Nothing was lost, but something in how rows are put together is wrong, and nobody would ever see it.
    const where = { projection: projection.name, role: build.role, eventId: error.event.eventId };
    const { cause } = error;
    applying.notice({ event: 'projection.repeated', ...where, code: codeOf(cause), frames: framesOf(cause) });
  }
  build.position = to.position;
};

/**
 * Rows and checkpoint in one transaction: whatever happens in between, each event is in the rows once. What the handlers ask
 * for is sent together and without waiting for the answers: a rebuild would else spend its time on the way to the database
 * and back.
 */
const projectAll = (
  { pool, right, ledger }: Applying,
  build: Build,
  projection: Projection,
  to: Checkpoint,
  { apart }: { readonly apart: boolean },
): Promise<void> =>
  inTransaction(pool, async (client) => {
    const gathering = new Gathering(askingOn(client), { fixed: projection.options.fixed ?? [], apart });
    const db = gathering.database<ProjectionTables>();
    // A crash may take back the last commits, rows and checkpoint alike, in order: they are then made again from the log.
    // A connection plans a statement once, when the tables of a rebuild are still as good as empty: without this it would go
    // on reading them from end to end when they are full.
    await sql`select set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),
                     set_config('search_path', ${schemaOf(projection.name, build.role)}, true)`.execute(db);
    await moveCheckpoint(db, right, [build], to);
    for (const event of to.events)
      try {
        await handle(projection, event, db, ledger, gathering);
      } catch (error) {
        await gathering.settled(); // what failed before it is why
        throw new HandlerFailure(event, error);
      }
    await gathering.settled();
  });

const handle = async (
  projection: Projection,
  event: RecordedEvent,
  db: Kysely<any>,
  ledger: Ledger,
  gathering: Gathering,
) => {
  // Handlers are promised a transaction, and are in one: it is begun and ended here, and not by Kysely.
  const transaction = db as Parameters<ReturnType<Projection['handlersOf']>[number]>[1];
  for (const handler of projection.handlersOf(event.type)) {
    const effects = handler(event, transaction);
    gathering.add(event, effects instanceof Promise ? await effects : effects);
  }
  const forgotten = projection.forgetting.length > 0 ? forgottenBy(event, ledger) : undefined;
  if (!forgotten) return;
  for (const forget of projection.forgetting)
    if (typeof forget === 'function') gathering.add(event, await forget(forgotten, transaction));
    else await applyRule(forget, forgotten, transaction);
};

/** The checkpoint follows each reaction: a crash repeats one reaction, not a batch of them. */
const react = async (applying: Applying, build: Build, process: Process, to: Checkpoint): Promise<void> => {
  let done = 0;
  for (const [index, event] of to.events.entries()) {
    const reaction = process.reactionTo(event.type);
    if (!reaction) continue;
    // One who was stopped right after this and wakes up reacts once more to what his successor has reacted to: as after a crash.
    await assertLed(applying.db, applying.right);
    try {
      await inContext(applying.context(), () => reaction(event));
    } catch (error) {
      throw new HandlerFailure(event, error);
    }
    const events = to.events.slice(done, index + 1);
    await moveCheckpoint(applying.db, applying.right, [build], { position: event.position, events, live: false });
    build.position = event.position;
    done = index + 1;
  }
  await moveCheckpoint(applying.db, applying.right, [build], { ...to, events: to.events.slice(done) });
  build.position = to.position;
};
