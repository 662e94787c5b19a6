/**
 * For answers that leave before any hook has run (an address that can't be decoded, what is not even HTTP): problem documents, of
 * which nothing is kept, shown in a frame, guessed at or run. All others get theirs from helmet (`create-api.ts`).
 */
export const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;
