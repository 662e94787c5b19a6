import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { connectivityState, status } from '@grpc/grpc-js';
import type { MakulerError } from '#kernel';
import { fromStatus, isOfVault, isStandby, unavailable } from '../rpc/errors.js';
import { callOnce } from './call.js';

/** Vaults of which one is active. */
export interface Vaults {
  readonly count: number;
  /** The one to ask now. */
  current(): Client;
  /** It was the wrong one. */
  leave(client: Client): void;
}

/** A vault that takes longer to take up a connection is stopped, or its machine is gone. */
const REACHED_WITHIN_MS = 1_000;
const PAUSE_MS = 100;

/**
 * Asks one vault after the other until one serves. Goes round for `withinMs`, by a clock that nobody sets, while nobody is active,
 * for a standby is about to take over; a vault that says itself why its gate is closed is believed after one round.
 */
export const searching = async <T>(vaults: Vaults, method: string, request: unknown, withinMs: number): Promise<T> => {
  const untilMs = performance.now() + withinMs;
  const leftMs = () => untilMs - performance.now();
  let standby: T | undefined;
  let closed: MakulerError | undefined;
  for (let asked = 1; ; asked++) {
    const client = vaults.current();
    const outcome = await ask<T>(client, method, request, leftMs);
    if ('reply' in outcome) {
      // Every vault answers how it stands; of a standby that is of interest only where there is nothing better.
      if ((outcome.reply as { gate?: string }).gate !== 'standby') return outcome.reply;
      standby = outcome.reply;
    } else if ('closed' in outcome) closed = outcome.closed;
    vaults.leave(client);
    if (asked % vaults.count !== 0) continue;
    if (closed) throw closed;
    if (standby !== undefined) return standby;
    if (leftMs() <= PAUSE_MS) throw unavailable();
    await delay(PAUSE_MS);
  }
};

type Outcome<T> = { readonly reply: T } | { readonly closed: MakulerError } | { readonly away: true };

const ask = async <T>(client: Client, method: string, request: unknown, leftMs: () => number): Promise<Outcome<T>> => {
  if (!(await isReached(client, Date.now() + Math.min(leftMs(), REACHED_WITHIN_MS)))) return { away: true };
  try {
    return { reply: await callOnce<T>(client, method, request, leftMs()) };
  } catch (error) {
    if ((error as Partial<ServiceError>).code !== status.UNAVAILABLE) throw fromStatus(error);
    // What did not come from a vault at all is a connection that broke.
    return isOfVault(error) && !isStandby(error) ? { closed: fromStatus(error) } : { away: true };
  }
};

const isReached = async (client: Client, untilMs: number): Promise<boolean> => {
  const channel = client.getChannel();
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return true;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return false;
    const changed = await new Promise<boolean>((resolve) =>
      channel.watchConnectivityState(state, untilMs, (error) => resolve(error === undefined || error === null)),
    );
    if (!changed) return false;
  }
};
