import type { InjectOptions } from 'fastify';
import type { TokenRole } from '#tokens';
import { MARK } from './spoiling.js';
import type { WholeApi } from './whole-api.js';

/** What a refused call may leave in the log: that it was refused. */
export const REFUSALS: ReadonlySet<string> = new Set(['access.refused', 'access.role-refused']);

/** What is read of an answer. */
export interface Answered {
  readonly statusCode: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What every answer says to the browsers and caches on its way, those included that are no answer of a route. */
const SAFE: Readonly<Record<string, RegExp>> = {
  'cache-control': /^no-store$/,
  'content-security-policy': /default-src '(self|none)'.*frame-ancestors 'none'/,
  'makuler-request-id': /^[0-9a-f-]{36}$/,
  'referrer-policy': /^no-referrer$/,
  'strict-transport-security': /^max-age=31536000/,
  'x-content-type-options': /^nosniff$/,
};

/** What is wrong with any answer, whatever was sent: an empty list for a good one. */
export const flawsOf = ({ statusCode, body, headers }: Answered): string[] => {
  const all = `${JSON.stringify(headers)}${body}`;
  const flaws = [];
  if (statusCode >= 500) flaws.push(`it says ${statusCode}`);
  if (all.toLowerCase().includes(MARK.toLowerCase())) flaws.push('it repeats what was sent');
  if (/\n\s+at |node_modules|\.[jt]s:\d/.test(body) && !String(headers['content-type']).includes('javascript'))
    flaws.push('it shows a stack');
  if (Object.keys(headers).some((name) => name.startsWith('access-control-'))) flaws.push('it opens CORS');
  if (statusCode >= 400 && !isProblem(body, headers)) flaws.push('it is no problem document');
  for (const [name, safe] of Object.entries(SAFE))
    if (!safe.test(String(headers[name]))) flaws.push(`its ${name} is ${String(headers[name])}`);
  for (const name of ['server', 'x-powered-by', 'set-cookie'])
    if (headers[name] !== undefined) flaws.push(`it has the header ${name}`);
  return flaws;
};

const isProblem = (body: string, headers: Answered['headers']): boolean => {
  if (headers['content-type'] !== 'application/problem+json; charset=utf-8') return false;
  // The answer to HEAD has the headers of the problem alone.
  if (body === '') return true;
  const { code, detail, requestId, status } = JSON.parse(body) as Record<string, unknown>;
  if (requestId !== headers['makuler-request-id']) return false;
  return [code, detail, requestId].every((text) => typeof text === 'string') && typeof status === 'number';
};

/** Sends something that is wrong, and says what is wrong with how it was refused; `free` when it may be taken as well. */
export const flawsOfRefusal = async (
  api: WholeApi,
  role: TokenRole | undefined,
  request: InjectOptions,
  { free = false } = {},
): Promise<string[]> => {
  const before = await api.side.ledger.head();
  const answer = await (role === undefined ? api.app.inject(request) : api.call(role, request));
  const flaws = flawsOf(answer);
  if (answer.statusCode < 400) return free ? flaws : [...flaws, `it is taken: ${answer.statusCode}`];
  const written = (await api.writtenAfter(before)).filter(({ type }) => !REFUSALS.has(type));
  return written.length > 0 ? [...flaws, `it wrote ${written.map(({ type }) => type).join(', ')}`] : flaws;
};
