import { Blocks } from './keys/blocks.js';
import { KeyFindings } from './keys/key-findings.js';
import { openKeys } from './keys/key-ring.js';
import { MirrorsMet } from './keys/mirrors-met.js';
import { PersonWatch } from './keys/person.js';
import { ScopeRecords } from './keys/scope-records.js';
import { Wraps } from './keys/wraps.js';
import { sizeOf } from './reading/files.js';
import type { Interest, Unread } from './reading/reading.js';
import { readAll } from './reading/reading.js';
import type { ProofReport } from './report.js';
import { reportOf } from './report.js';
import { ValueFindings } from './values/value-findings.js';

export interface ProofRequest {
  /** Of a customer, a company, or an erasure. */
  readonly id: string;
  /** As `readValues` gave them. */
  readonly values: readonly string[];
  /** Files and directories; everything below is read. */
  readonly paths: readonly string[];
  /** Of the installation, where it is known beside what is read. */
  readonly installation?: string | undefined;
  /** What is already known not to be readable: a root in a token. */
  readonly notReadable?: readonly { readonly place: string; readonly why: string }[];
  /** The paths are all that the system keeps: a mirror of the custodian that is not among them has not been read. */
  readonly whole?: boolean;
  /** Something writes to what is read. */
  readonly running?: boolean;
  /** Which of the readings, and how many bytes of how many were gone through. */
  readonly progress?: (step: string, bytes: number, total: number) => void;
}

/**
 * Looks for what is left of a person in every byte at or below the paths: their values, and every path of keys to their
 * blocks. Reads up to three times (values, roots and wrapped keys; records; blocks), the later times only where a key was
 * found; in bounded memory, and writes nothing.
 */
export const prove = async (request: ProofRequest): Promise<ProofReport> => {
  const begunAt = new Date();
  const { paths } = request;
  const total = sizeOf(paths);
  const reading = (step: string, interest: Interest) =>
    readAll(paths, interest, (bytes) => request.progress?.(step, bytes, total));
  const values = new ValueFindings(request.values);
  const wraps = new Wraps();
  if (request.installation !== undefined) wraps.installations.add(request.installation);
  const whom = new PersonWatch(request.id);
  const mirrors = new MirrorsMet();
  const readings = [
    await reading('values and wrapped keys', {
      watches: [...values.watches, ...wraps.watches, ...whom.watches, ...mirrors.watches],
      token: wraps.token,
      name: (path) => values.name(path),
    }),
  ];
  const { person } = whom;
  const unread: Unread[] = (request.notReadable ?? []).map(({ place, why }) => unreadAt(place, why));
  if (person.namedBy === 'unknown')
    unread.push(unreadAt('', 'the id stands nowhere in what was read: nothing tells whom it names'));

  if (request.whole)
    for (const mirror of mirrors.missing)
      unread.push(unreadAt(`mirror ${mirror}`, 'a mirror of the custodian that is not among what was read'));

  const keys = new KeyFindings();
  const ring = openKeys(wraps, (count) =>
    unread.push(unreadAt('', 'wrapped keys without their ids, not tried on all', count)),
  );
  const records = new ScopeRecords(ring, person.ownerId, (scope, view, at) => keys.note('record', scope, view, at));
  if (ring.bucketKeys > 0) readings.push(await reading('records of keys', records));
  const blocks = new Blocks(records.scopes, (scope, view, at) => keys.note('block', scope, view, at));
  if (records.scopes.size > 0) readings.push(await reading('blocks', blocks));
  blocks.settle();

  return reportOf({
    request,
    begunAt,
    person,
    readings,
    unread,
    values,
    keys: keys.all,
    met: {
      roots: wraps.roots.size,
      wraps: wraps.wraps.size,
      opened: ring.epochKeys + ring.bucketKeys,
      records: records.opened,
    },
  });
};

const unreadAt = (file: string, why: string, count = 1): Unread => ({ file, layers: '', offset: 0, why, count });
