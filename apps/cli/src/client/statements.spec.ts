import type { VerifiedStatement } from '#erasure';
import { explained, statementsIn } from './statements.js';

describe('statements in files', () => {
  it('are found bare, in an answer with one, and in the list of all certificates', () => {
    expect(statementsIn('f', ' a.b.c\n')).toEqual(['a.b.c']);
    expect(statementsIn('f', '{"erasureId": "1", "certificate": "a.b.c"}')).toEqual(['a.b.c']);
    expect(statementsIn('f', '{"erasureId": "1", "attestation": "d.e.f"}')).toEqual(['d.e.f']);
    expect(statementsIn('f', '{"items": [{"certificate": "a.b.c"}, {"certificate": "g.h.i"}]}')).toEqual([
      'a.b.c',
      'g.h.i',
    ]);
    expect(() => statementsIn('f', '{"code": "not-found"}')).toThrow('neither a certificate nor an attestation');
    expect(() => statementsIn('f', '{')).toThrow('no JSON');
  });

  it('say in words what was destroyed, by when backups are cleared, why there is another, and what is kept', () => {
    const claims: Extract<VerifiedStatement, { kind: 'certificate' }>['claims'] = {
      version: 2,
      edition: 2,
      supersedes: 'ab',
      reason: 'seal-late',
      erasureId: 'e1',
      statement: '',
      ground: 'subject-request',
      ownerKind: 'subject',
      destroyed: { contact: 1 },
      fingerprints: ['f'],
      liveErasedAt: '2026-06-01',
      backupsClearedBy: '2026-07-02',
      kept: [{ category: 'billing', action: 'retain', count: 2, until: '2031-12-31', law: 'bokføringsloven § 13' }],
      planHash: '',
      policyVersion: '',
      issuedAt: '2026-06-01',
    };
    const text = explained({ kind: 'certificate', hash: 'cd', claims }).join('\n');
    expect(text).toMatch(
      /1 keys were destroyed \(1 contact\)[^]*since 2026-06-01[^]*by 2026-07-02[^]*later than planned/,
    );
    expect(text).toContain('Kept (retain): 2 billing until 2031-12-31, bokføringsloven § 13.');
    const open = explained({ kind: 'certificate', hash: 'cd', claims: { ...claims, backupsClearedBy: null } });
    expect(open.join('\n')).toContain('it promises no date');
    const attested: VerifiedStatement = {
      kind: 'attestation',
      claims: {
        version: 1,
        erasureId: 'e1',
        certificate: 'cd',
        statement: '',
        backupsClearedAt: '2026-07-02',
        epoch: 4,
        mirrors: 2,
        issuedAt: '2026-07-02',
      },
    };
    expect(explained(attested).join('\n')).toMatch(/since 2026-07-02[^]*2 mirrors[^]*epoch 4/);
  });
});
