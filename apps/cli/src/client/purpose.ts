import { Refusal } from '../refusal.js';
import type { ApiClient } from './api-client.js';

interface PolicyAnswer {
  readonly manifest: {
    readonly purposes: readonly {
      readonly id: string;
      readonly access: readonly {
        readonly roles: readonly string[];
        readonly read: readonly string[];
        readonly write: readonly string[];
      }[];
    }[];
  };
}

/** Categories of the policy that somebody means to read and to write. */
export interface Needs {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
}

/** The purpose for which the policy in force lets a role do that: the command line states what the policy says. */
export const purposeFor = async (api: ApiClient, role: string, { read = [], write = [] }: Needs): Promise<string> => {
  const { body } = await api.get<PolicyAnswer>('/v1/policy');
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
