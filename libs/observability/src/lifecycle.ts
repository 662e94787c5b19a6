/** So long what is under way may take to end when a process is told to stop, in milliseconds: requests, jobs, batches. */
export const DRAIN_MS = 25_000;

/** After so long it ends whatever is still open, in milliseconds; whoever kills a process must wait longer (30 s: docs/operations.md). */
export const STOP_MS = DRAIN_MS + 3_000;

/** Nobody hears any more what a child of a lost supervisor answers, and the next start waits a second longer than this. */
const ORPHANED_MS = 6_000;

/**
 * Runs `stop` once, on SIGTERM or SIGINT, and exits: 0 when it resolved, 1 when it threw or took more than STOP_MS.
 * Whatever is acknowledged must be safe without it: a kill -9 runs nothing.
 */
export const stopOnSignal = (stop: () => Promise<void>, onError: (error: unknown) => void = () => undefined): void => {
  let stopping = false;
  const begin = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      onError(new Error(`not stopped within ${STOP_MS / 1_000} s`));
      process.exit(1);
    }, STOP_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        onError(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', begin);
  process.on('SIGINT', begin);
};

let following = false;

/**
 * Makes a child of `makuler up` end when its supervisor is gone, kill -9 included: the channel between them closes, and
 * the process gets the SIGTERM that the supervisor can no longer send. Does nothing in a process that was started alone.
 * The supervisor loads it into every child (`follow-parent.ts`); calling it again changes nothing.
 */
export const exitWithParent = (): void => {
  if (!process.channel || following) return;
  following = true;
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), ORPHANED_MS).unref();
    process.kill(process.pid, 'SIGTERM');
  });
  // The channel is there to be lost, not to keep the process alive.
  process.channel.unref();
};
