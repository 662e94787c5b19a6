import { ERASED, followErasure, planLines } from '../client/erasures.js';
import { keysOf } from '../client/published-keys.js';
import type { Leaving } from './business.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

export interface Forgotten {
  readonly erasureId: string;
  /** Whether the plan keeps something for a law's sake. */
  readonly keeps: boolean;
}

/** Plan, approval by another token, execution, certificate: the four steps of an erasure, each shown. */
export const forget = async (stage: Stage, story: Story, { customerId }: Leaving): Promise<Forgotten> => {
  const { compliance, approver } = stage.as;
  const purpose = stage.purposes.rights;
  story.chapter('The person asks to be forgotten');
  const plan = (await compliance.post('/v1/erasures', { body: { customerId, ground: 'subject-request' }, purpose }))
    .body;
  const path = { id: plan.erasureId };
  const shown = `/v1/erasures/${plan.erasureId}`;
  story.show('POST /v1/erasures   (the plan; nothing has happened yet)', ...planLines(plan).map((line) => line.trim()));
  await approver.post('/v1/erasures/{id}/approve', { path, body: { planHash: plan.planHash } });
  story.show(`POST ${shown}/approve   (another token: four eyes)`, { planHash: plan.planHash });
  await compliance.post('/v1/erasures/{id}/execute', { path });
  const states: string[] = [];
  const done = await followErasure(compliance, plan.erasureId, (state) => states.push(state));
  story.show(`POST ${shown}/execute, then GET ${shown}`, states.join(' → '), { liveErasedAt: done.liveErasedAt });
  story.claim('the erasure went to its end', done.state === ERASED);
  await certify(stage, story, plan.erasureId);
  return { erasureId: plan.erasureId, keeps: plan.items.some(({ action }) => action !== 'shred') };
};

const certify = async (stage: Stage, story: Story, erasureId: string): Promise<void> => {
  // Loaded here: it brings the whole context along, which no other command needs.
  const { verifyCertificate } = await import('#erasure');
  const { body } = await stage.as.compliance.get('/v1/erasures/{id}/certificate', { path: { id: erasureId } });
  const keys = await keysOf(stage.as.compliance);
  const claims = await verifyCertificate(body.certificate, keys).catch(() => undefined);
  story.show(`GET /v1/erasures/${erasureId}/certificate`, {
    ...{ destroyed: claims?.destroyed, kept: claims?.kept },
    ...{ liveErasedAt: claims?.liveErasedAt, backupsClearedBy: claims?.backupsClearedBy },
  });
  story.claim('the certificate is signed by this installation', claims !== undefined);
};
