import type { MakulerClient, PolicyCategory, PolicyManifest } from '#client';
import { Refusal } from '../refusal.js';

type Role = PolicyManifest['purposes'][number]['access'][number]['roles'][number];

/** Categories of the policy that somebody means to read and to write. */
export interface Needs {
  readonly read?: readonly PolicyCategory[];
  readonly write?: readonly PolicyCategory[];
}

/** The purpose for which the policy in force lets a role do that: the command line states what the policy says. */
export const purposeFor = async (api: MakulerClient, role: Role, { read = [], write = [] }: Needs): Promise<string> => {
  const { body } = await api.get('/v1/policy');
  const purpose = body.manifest.purposes.find(({ access }) =>
    access.some(
      (allowed) =>
        allowed.roles.includes(role) &&
        read.every((category) => allowed.read.includes(category)) &&
        write.every((category) => allowed.write.includes(category)),
    ),
  );
  if (purpose) return purpose.id;
  throw new Refusal(
    `The policy has no purpose for which ${role} may ${[...read.map((c) => `read ${c}`), ...write.map((c) => `write ${c}`)].join(' and ')}.`,
    'Look at `GET /v1/policy`, or give one with --purpose.',
  );
};
