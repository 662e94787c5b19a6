import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { SystemOptions } from './options.js';
import type { Addresses } from './system.js';

/** The last lines of a start: where everything is, and what to try next. */
export const readyBlock = ({ home }: SystemOptions, { api, docs }: Addresses, ms: number): string[] => {
  const near = (path: string) => {
    const way = relative(process.cwd(), path);
    return way.startsWith('..') ? path : way;
  };
  return [
    `Makuler is ready (${(ms / 1000).toFixed(1)} s).`,
    '',
    `  API      ${api}/v1`,
    `  Docs     ${docs}`,
    existsSync(home.tokens)
      ? `  Tokens   ${near(home.tokens)}, one for each role`
      : '  Tokens   those that were handed out; npx makuler token create makes others',
    `  Logs     ${near(home.logs)}`,
    '',
    '  Try next npx makuler demo      sample customers, and one of them forgotten',
    '           npx makuler status    what runs, and what to mind',
    '',
    '  Ctrl-C stops everything; the next start goes on where it was.',
  ];
};
