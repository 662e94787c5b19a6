import type { JSONWebKeySet } from 'jose';
import type { Plan } from '../client/erasures.js';
import { ERASED, followErasure, planLines } from '../client/erasures.js';
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
  const purpose = { purpose: stage.purposes.rights };
  story.chapter('The person asks to be forgotten');
  const plan = (await compliance.post<Plan>('/v1/erasures', { customerId, ground: 'subject-request' }, purpose)).body;
  const path = `/v1/erasures/${plan.erasureId}`;
  story.show('POST /v1/erasures   (the plan; nothing has happened yet)', ...planLines(plan).map((line) => line.trim()));
  await approver.post(`${path}/approve`, { planHash: plan.planHash }, purpose);
  story.show(`POST ${path}/approve   (another token: four eyes)`, { planHash: plan.planHash });
  await compliance.post(`${path}/execute`, {}, purpose);
  const states: string[] = [];
  const done = await followErasure(compliance, plan.erasureId, (state) => states.push(state));
  story.show(`POST ${path}/execute, then GET ${path}`, states.join(' → '), { liveErasedAt: done.liveErasedAt });
  story.claim('the erasure went to its end', done.state === ERASED);
  await certify(stage, story, path);
  return { erasureId: plan.erasureId, keeps: plan.items.some(({ action }) => action !== 'shred') };
};

const certify = async (stage: Stage, story: Story, path: string): Promise<void> => {
  // Loaded here: it brings the whole context along, which no other command needs.
  const { verifyCertificate } = await import('#erasure');
  const { body } = await stage.as.compliance.get<{ certificate: string }>(`${path}/certificate`);
  const keys = (await stage.as.compliance.get<JSONWebKeySet>('/.well-known/jwks.json')).body;
  const claims = await verifyCertificate(body.certificate, keys).catch(() => undefined);
  story.show(`GET ${path}/certificate`, {
    ...{ destroyed: claims?.destroyed, kept: claims?.kept },
    ...{ liveErasedAt: claims?.liveErasedAt, backupsClearedBy: claims?.backupsClearedBy },
  });
  story.claim('the certificate is signed by this installation', claims !== undefined);
};
