import type { VerifiedStatement } from '#erasure';
import { Refusal } from '../refusal.js';

/** Signed statements in a file: the bare text, or an answer of the API with one or more of them. */
export const statementsIn = (file: string, content: string): readonly string[] => {
  const text = content.trim();
  if (!text.startsWith('{')) return [text];
  const answer = readAnswer(file, text);
  const found = [answer, ...(answer.items ?? [])].flatMap(({ certificate, attestation }) =>
    [certificate, attestation].filter((statement) => typeof statement === 'string'),
  );
  if (found.length > 0) return found;
  throw new Refusal(
    `There is neither a certificate nor an attestation in ${file}.`,
    'Give the file as the API gave it.',
  );
};

interface Answer {
  readonly certificate?: string;
  readonly attestation?: string;
  readonly items?: readonly Answer[];
}

const readAnswer = (file: string, text: string): Answer => {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Refusal(`${file} is no JSON and no signed text.`, 'Give the file as the API gave it.');
  }
};

const REASONS = {
  'first-date': 'no date was known when the one before was issued',
  'seal-late': 'the keys moved into a new epoch later than planned',
  'mirror-outstanding': 'a mirror of the custodian had not confirmed by the date of the one before',
} as const;

/** What a statement says, in words. */
export const explained = (statement: VerifiedStatement): string[] =>
  statement.kind === 'certificate' ? explainCertificate(statement.claims) : explainAttestation(statement.claims);

const explainCertificate = (claims: Extract<VerifiedStatement, { kind: 'certificate' }>['claims']): string[] => {
  const { erasureId, destroyed, fingerprints, liveErasedAt, backupsClearedBy, kept, ground, issuedAt } = claims;
  const edition = claims.version === 2 && claims.edition > 1 ? `, number ${claims.edition}` : '';
  const counts = Object.entries(destroyed).map(([category, count]) => `${count} ${category}`);
  const reason = claims.version === 2 ? claims.reason : null;
  return [
    `Certificate of erasure ${erasureId}${edition}, issued ${issuedAt}: the signature is good.`,
    `  ${fingerprints.length} keys were destroyed (${counts.join(', ')}), on the ground ${ground}.`,
    `  Live systems: since ${liveErasedAt} nothing reads what these keys sealed.`,
    backupsClearedBy === null
      ? '  Backups: it promises no date.'
      : `  Backups: planned to be unreadable by ${backupsClearedBy}; an attestation says when it has come true.`,
    ...(reason === null ? [] : [`  It takes the place of an earlier one, because ${REASONS[reason]}.`]),
    ...kept.map(
      ({ category, action, count, until, untilEvent, law }) =>
        `  Kept (${action}): ${count} ${category}${(until ?? untilEvent) ? ` until ${until ?? untilEvent}` : ''}${law ? `, ${law}` : ''}.`,
    ),
  ];
};

const explainAttestation = (claims: Extract<VerifiedStatement, { kind: 'attestation' }>['claims']): string[] => [
  `Attestation of erasure ${claims.erasureId}, issued ${claims.issuedAt}: the signature is good.`,
  `  Backups: unreadable since ${claims.backupsClearedAt}. All ${claims.mirrors} mirrors of the custodian have confirmed that`,
  `  their roots of epoch ${claims.epoch} and of those before it are destroyed.`,
];
