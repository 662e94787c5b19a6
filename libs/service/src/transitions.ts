import type { CaseKind, CaseStatus } from './service-case.events.js';

/** How a case of each kind can end before it is closed: a question has no outcome, a return is no repair. */
const OUTCOMES: Readonly<Record<CaseKind, readonly CaseStatus[]>> = {
  enquiry: [],
  return: ['replaced', 'refunded', 'rejected'],
  complaint: ['repaired', 'replaced', 'refunded', 'rejected'],
  repair: ['repaired', 'replaced', 'rejected'],
};

/** The statuses that a case may go to from where it stands, in the order in which work proceeds. */
export const allowedFrom = (kind: CaseKind, status: CaseStatus): readonly CaseStatus[] => {
  switch (status) {
    case 'opened':
    case 'reopened':
      return ['inProgress', ...waiting(kind), ...OUTCOMES[kind], 'closed'];
    case 'inProgress':
      return [...waiting(kind), ...OUTCOMES[kind], 'closed'];
    case 'awaitingPart':
      return ['inProgress', ...OUTCOMES[kind], 'closed'];
    case 'repaired':
    case 'replaced':
    case 'refunded':
    case 'rejected':
      return ['closed', 'reopened'];
    case 'closed':
      return ['reopened'];
  }
};

/** Only what is mended waits for a part. */
const waiting = (kind: CaseKind): readonly CaseStatus[] =>
  kind === 'repair' || kind === 'complaint' ? ['awaitingPart'] : [];
