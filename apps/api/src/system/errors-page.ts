import type { ErrorCode } from '#kernel';
import { ERRORS } from '#kernel';
import { HTTP_STATUS } from '../http-status.js';

/** `docs/errors.md`: every code with its status, what it means and what to do, by status. */
export const errorsPage = (): string => {
  const codes = (Object.keys(ERRORS) as ErrorCode[]).toSorted(
    (a, b) => HTTP_STATUS[a] - HTTP_STATUS[b] || (a < b ? -1 : 1),
  );
  const rows = codes.map(
    (code) => `| ${HTTP_STATUS[code]} | \`${code}\` | ${ERRORS[code].meaning} | ${ERRORS[code].wayOut} |`,
  );
  return [
    '# Errors',
    '',
    'Every refusal and failure is a problem document (RFC 9457) with one of these codes; `type` leads to `/errors/{code}`.',
    'Generated from `libs/kernel/src/errors.ts` and `apps/api/src/http-status.ts` by `npm run generate`.',
    '',
    '| status | code | what it means | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
};
