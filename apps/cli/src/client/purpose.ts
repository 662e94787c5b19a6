import { Refusal } from '../refusal.js';
import type { ApiClient } from './api-client.js';

interface PolicyAnswer {
  readonly manifest: {
    readonly purposes: readonly {
      readonly id: string;
      readonly access: readonly { readonly roles: readonly string[]; readonly write: readonly string[] }[];
    }[];
  };
}

/** The purpose for which the policy in force lets a role write a category: the command line states what the policy says. */
export const purposeFor = async (api: ApiClient, role: string, category: string): Promise<string> => {
  const { body } = await api.get<PolicyAnswer>('/v1/policy');
  const purpose = body.manifest.purposes.find(({ access }) =>
    access.some(({ roles, write }) => roles.includes(role) && write.includes(category)),
  );
  if (purpose) return purpose.id;
  throw new Refusal(`The policy has no purpose for which ${role} may write ${category}.`, 'Give one with --purpose.');
};
