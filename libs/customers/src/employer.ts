import type { CompanyCard } from '#companies';
import { company, companyStream, openCompanyCard, requireCompany } from '#companies';
import type { CompanyId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Ledger } from '#ledger';

/** The company that a person is the contact of, as it is today; undefined without one. Throws `subject-closed` when it was forgotten. */
export const employerOf = async (
  ledger: Ledger,
  companyId: CompanyId | null | undefined,
): Promise<CompanyCard | undefined> => {
  if (companyId === null || companyId === undefined) return undefined;
  const { state } = await ledger.load(company, companyStream(companyId));
  if (state.status === 'unknown')
    throw new MakulerError('invalid-input', {
      errors: [
        {
          path: 'companyId',
          code: 'unknown-company',
          message: 'There is no such company: register it first, or send it along.',
        },
      ],
    });
  return openCompanyCard(requireCompany(state));
};
