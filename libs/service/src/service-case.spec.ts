import type { CustomerId, ServiceCaseId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { stateAfter } from '#testing';
import type { CaseKind, CaseStatus } from './service-case.events.js';
import { ServiceCaseAdvanced } from './service-case.events.js';
import { addNote, advanceCase, openCase, serviceCase, serviceStream } from './service-case.js';
import { allowedFrom } from './transitions.js';

const customerId = newId<CustomerId>();
const stream = serviceStream(newId<ServiceCaseId>());
const details = (kind: CaseKind) => ({
  customerId,
  kind,
  itemType: 'spindle',
  day: '2026-03-12',
  purchaseId: null,
  serialNumber: null,
  description: 'Kjem ikkje i gang',
  sourceKey: null,
});
const opened = (kind: CaseKind) => openCase(serviceCase.initial, details(kind));
const moved = (...statuses: CaseStatus[]) =>
  statuses.map((status) => ServiceCaseAdvanced.of({ status, day: '2026-03-13' }));
const code = (expected: string) => expect.objectContaining({ code: expected });
const KINDS: CaseKind[] = ['enquiry', 'return', 'complaint', 'repair'];
const STATUSES: CaseStatus[] = [
  'opened',
  'inProgress',
  'awaitingPart',
  'repaired',
  'replaced',
  'refunded',
  'rejected',
  'closed',
  'reopened',
];

describe('service case', () => {
  it('a repair goes its way to the end and is reopened', async () => {
    const way: CaseStatus[] = ['inProgress', 'awaitingPart', 'inProgress', 'repaired', 'closed', 'reopened', 'closed'];
    for (let step = 0; step < way.length; step++) {
      const state = await stateAfter(serviceCase, stream, [...opened('repair'), ...moved(...way.slice(0, step))]);
      expect(advanceCase(state, way[step]!, '2026-03-13')).toEqual(moved(way[step]!));
    }
  });

  it('names the legal ones when it refuses', async () => {
    const state = await stateAfter(serviceCase, stream, [...opened('enquiry'), ...moved('inProgress')]);
    expect(() => advanceCase(state, 'repaired', '2026-03-13')).toThrow(
      expect.objectContaining({ code: 'illegal-transition', facts: { from: 'inProgress', allowed: ['closed'] } }),
    );
  });

  it.each(KINDS)('a %s never stands still, is never opened twice, and can be closed from everywhere', (kind) => {
    for (const status of STATUSES) {
      const allowed = allowedFrom(kind, status);
      expect(allowed).not.toContain(status);
      expect(allowed).not.toContain('opened');
      expect(status === 'closed' || allowed.includes('closed')).toBe(true);
    }
  });

  it('is opened once, however often the command is repeated', async () => {
    const state = await stateAfter(serviceCase, stream, opened('repair'));
    expect(openCase(state, details('repair'))).toEqual([]);
  });

  it('has its notes under the key of the person whose case it is', async () => {
    const [note] = addNote(await stateAfter(serviceCase, stream, opened('repair')), 'Ringte tilbake');
    expect(note!.owners).toEqual({ customer: subjectOwner(customerId) });
  });

  it('takes nothing more once the person is forgotten', async () => {
    const forgotten = { owner: subjectOwner(customerId), category: 'service' } as const;
    const state = await stateAfter(serviceCase, stream, opened('repair'), forgotten);
    expect(() => addNote(state, 'x')).toThrow(code('subject-closed'));
    expect(() => advanceCase(state, 'closed', '2026-03-13')).toThrow(code('subject-closed'));
  });
});
