import type { Role } from '#kernel';
import { loadPolicy } from './load-policy.js';
import type { Policy } from './policy.js';

describe('the policy in force', () => {
  let jpi: Policy;
  let webshop: Policy;
  beforeAll(async () => {
    jpi = await loadPolicy('policy/jpi');
    webshop = await loadPolicy('policy/webshop');
  });

  it('lets nobody read or write for an unknown purpose', () => {
    for (const purpose of ['', 'salg', 'constructor', 'AVTALE']) {
      expect(jpi.purpose(purpose)).toBeUndefined();
      expect(jpi.mayRead(purpose, 'compliance', 'contact')).toBe(false);
      expect(jpi.mayWrite(purpose, 'integrator', 'contact')).toBe(false);
    }
  });
  it('gives no personal data to analysts and operators, for any purpose', () => {
    for (const policy of [jpi, webshop])
      for (const { id } of policy.purposes)
        for (const category of ['contact', 'purchase', 'service', 'billing', 'trace'] as const)
          expect(
            policy.mayRead(id, ['analyst', 'operator'], category) ||
              policy.mayWrite(id, ['analyst', 'operator'], category),
          ).toBe(false);
  });
  it.each<[string, Role, boolean]>([
    ['bokforing', 'compliance', true],
    ['bokforing', 'auditor', true],
    ['bokforing', 'service-desk', false],
    ['bokforing', 'integrator', false],
    ['rettigheter', 'compliance', false],
    ['avtale', 'integrator', false],
    ['kundehjelp', 'service-desk', false],
  ])('S16: vouchers for %s by %s: %s', (purpose, role, allowed) => {
    expect(jpi.mayRead(purpose, role, 'billing')).toBe(allowed);
    expect(webshop.mayRead(purpose, role, 'billing')).toBe(allowed);
  });
  it('lets the integrator register, sell and open cases, and the service desk help', () => {
    for (const policy of [jpi, webshop]) {
      for (const category of ['contact', 'purchase', 'billing', 'service', 'superseded'] as const)
        expect(policy.mayWrite('avtale', ['integrator'], category)).toBe(true);
      expect(policy.mayRead('kundehjelp', 'service-desk', 'service')).toBe(true);
      expect(policy.mayWrite('kundehjelp', 'service-desk', 'service')).toBe(true);
      expect(policy.mayWrite('kundehjelp', 'service-desk', 'contact')).toBe(false);
      expect(policy.mayWrite('rettigheter', 'compliance', 'request')).toBe(true);
    }
  });
  it('has no rules for what it does not describe', () => expect(jpi.retention('suppression' as 'trace')).toEqual([]));
  it('asks for approval of a sweep above 20 scopes and 2 per cent', () => {
    expect([jpi.sweepNeedsApproval(20, 100), jpi.sweepNeedsApproval(21, 100)]).toEqual([false, true]);
    expect([jpi.sweepNeedsApproval(200, 10_000), jpi.sweepNeedsApproval(201, 10_000)]).toEqual([false, true]);
  });
  it('differs where the manifests differ, with the same code', () => {
    expect([jpi.relationships.customer.company, webshop.relationships.customer.company]).toEqual([
      'required',
      'optional',
    ]);
    expect([jpi.formats.unknownForeignPhone, webshop.formats.unknownForeignPhone]).toEqual(['refuse', 'keep']);
    expect(jpi.erasure.fourEyes && jpi.minimumGroup).toBe(5);
    expect(jpi.fiscalYearEnd('2026-03-10')).toBe('2026-12-31');
  });
});
