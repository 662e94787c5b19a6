import { setTimeout as sleep } from 'node:timers/promises';
import type { ErasureAnswer, MakulerClient, PlanAnswer } from '#client';

/** The state of an erasure that is complete. */
export const ERASED = 'erased';
const ENDED: readonly ErasureAnswer['state'][] = [ERASED, 'stopped', 'givenUp'];
const POLL_MS = 300;

/** A plan, one line for each item. */
export const planLines = (plan: PlanAnswer): string[] =>
  plan.items.map(({ category, action, until, untilEvent, law, why }) => {
    const end = until ?? untilEvent;
    return `  ${action.padEnd(7)} ${category.padEnd(16)} ${end ? `until ${end}` : 'now'}${law ? `, ${law}` : ''}: ${why}`;
  });

/** Waits until an erasure has ended, as erased, stopped or given up; `onState` hears each state once. */
export const followErasure = async (
  api: MakulerClient,
  erasureId: string,
  onState: (state: string) => void,
): Promise<ErasureAnswer> => {
  for (let shown = ''; ; await sleep(POLL_MS)) {
    const { body } = await api.get('/v1/erasures/{id}', { path: { id: erasureId } });
    if (body.state !== shown) onState(body.state);
    shown = body.state;
    if (ENDED.includes(body.state)) return body;
  }
};
