import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.js';

/** What `POST /v1/erasures` answers: the plan; nothing has happened yet. */
export interface Plan {
  readonly erasureId: string;
  readonly planHash: string;
  readonly items: readonly {
    readonly category: string;
    readonly action: string;
    /** Last day that it is kept on. */
    readonly until?: string | null;
    readonly untilEvent?: string | null;
    readonly law?: string | null;
    readonly why: string;
  }[];
}

/** Where an erasure stands, as `GET /v1/erasures/{id}` answers. */
export interface Erasure {
  readonly state: string;
  /** RFC 3339; null until the keys are destroyed. */
  readonly liveErasedAt?: string | null;
  readonly backupsClearedBy?: string | null;
}

/** The state of an erasure that is complete. */
export const ERASED = 'erased';
const ENDED = [ERASED, 'stopped', 'givenUp'];
const POLL_MS = 300;

/** A plan, one line for each item. */
export const planLines = (plan: Plan): string[] =>
  plan.items.map(({ category, action, until, untilEvent, law, why }) => {
    const end = until ?? untilEvent;
    return `  ${action.padEnd(7)} ${category.padEnd(16)} ${end ? `until ${end}` : 'now'}${law ? `, ${law}` : ''}: ${why}`;
  });

/** Waits until an erasure has ended, as erased, stopped or given up; `onState` hears each state once. */
export const followErasure = async (
  api: ApiClient,
  erasureId: string,
  onState: (state: string) => void,
): Promise<Erasure> => {
  for (let shown = ''; ; await sleep(POLL_MS)) {
    const { body } = await api.get<Erasure>(`/v1/erasures/${erasureId}`);
    if (body.state !== shown) onState(body.state);
    shown = body.state;
    if (ENDED.includes(body.state)) return body;
  }
};
