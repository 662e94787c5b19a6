import type { Front, Reply } from '../journeys/installation.js';
import { eventually } from '../journeys/installation.js';
import { persist } from './persistent-client.js';

export interface Plan {
  readonly erasureId: string;
  readonly planHash: string;
  readonly items: readonly { readonly category: string; readonly partition: string; readonly action: string }[];
}

const PURPOSE = 'rettigheter';

/** The steps of an erasure as people ask for them, each sent again until it is answered for good. */
export class Erasing {
  constructor(private readonly makuler: Front) {}

  async plan(customerId: string): Promise<Plan> {
    const body = { customerId, ground: 'subject-request' };
    const { reply } = await this.#ask('/v1/erasures', body, 'compliance');
    if (reply?.status !== 201) throw new Error(`the plan was refused: ${reply?.text}`);
    return reply.body as Plan;
  }

  /** Approves whatever the plan is by now. */
  async approve(plan: Plan): Promise<Plan> {
    for (let { planHash } = plan; ;) {
      const { reply } = await this.#ask(`/v1/erasures/${plan.erasureId}/approve`, { planHash }, 'approver');
      if (reply?.status === 200) return planHash === plan.planHash ? plan : this.#plan(plan);
      if (reply?.body?.code !== 'plan-changed') throw new Error(`the approval was refused: ${reply?.text}`);
      ({ planHash } = reply.body as Plan);
    }
  }

  /** Asks for the execution, and gives the place in the log from which on it is under way. */
  async execute({ erasureId }: Plan): Promise<string> {
    const { reply } = await this.#ask(`/v1/erasures/${erasureId}/execute`, {}, 'compliance');
    if (reply?.status !== 202) throw new Error(`the execution was refused: ${reply?.text}`);
    return reply.headers.get('makuler-position')!;
  }

  status({ erasureId }: Pick<Plan, 'erasureId'>, after: string): Promise<Reply> {
    const headers = { 'makuler-after': after };
    return this.makuler.get(`/v1/erasures/${erasureId}`, { as: 'compliance', purpose: PURPOSE, headers });
  }

  /** Waits until the steps that run by themselves are over: `erased`, or stopped because the plan had changed. */
  async settled(plan: Pick<Plan, 'erasureId'>, after: string, timeoutMs = 180_000): Promise<'erased' | 'stopped'> {
    const { body } = await eventually(
      () => this.status(plan, after),
      (reply) => ['erased', 'stopped'].includes(reply.body?.state),
      timeoutMs,
    );
    return body.state;
  }

  /** Plans, approves and executes, as often as the plan turns out to have changed, and gives the plan that was carried out. */
  async toTheEnd(customerId: string): Promise<Plan> {
    let plan = await this.plan(customerId);
    for (;;) {
      plan = await this.approve(plan);
      const requested = await this.execute(plan);
      if ((await this.settled(plan, requested)) === 'erased') return plan;
    }
  }

  async #plan({ erasureId }: Plan): Promise<Plan> {
    const items: Plan['items'][number][] = [];
    for (let page = '?limit=500'; ;) {
      const { body } = await eventually(
        () => this.makuler.get(`/v1/erasures/${erasureId}/plan${page}`, { as: 'approver', purpose: PURPOSE }),
        ({ status }) => status === 200,
      );
      items.push(...body.items);
      if (body.nextCursor === null) return { ...body, items };
      page = `?limit=500&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
  }

  #ask(path: string, body: unknown, as: 'compliance' | 'approver') {
    return persist(this.makuler, 'POST', path, { body, as, purpose: PURPOSE });
  }
}
