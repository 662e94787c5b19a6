import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { MakulerClient, ProjectionAnswer } from '#client';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { startProgress } from '../client/progress.js';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';

const POLL_MS = 250;
const PERCENT = 100;

/** `makuler rebuild [projection…]`: builds read models anew beside the live ones, and follows until they have taken over. */
export const registerRebuild = (program: Command): void => {
  program
    .command('rebuild')
    .description('build read models anew beside the live ones, and swap')
    .argument('[projection...]', 'which; all when none is named')
    .action(
      action<GlobalOptions, [string[]]>(async ({ output, options }, names) => {
        const api = await connect(options, 'operator');
        const known = (await states(api)).filter(({ kind }) => kind === 'projection').map(({ name }) => name);
        const unknown = names.filter((name) => !known.includes(name));
        if (unknown.length > 0)
          throw new Refusal(`There is no projection ${unknown.join(', ')}.`, `There are: ${known.join(', ')}.`);
        const chosen = names.length > 0 ? names : known;
        for (const name of chosen) await api.post('/v1/projections/{name}/rebuild', { path: { name } });
        const failed = await follow(api, chosen, options.json ?? false);
        const rebuilt = chosen.filter((name) => !failed.includes(name));
        output.result({ rebuilt, failed }, [
          ...rebuilt.map((name) => `${name} is rebuilt.`),
          ...failed.map(
            (name) => `${name} stopped at an event; the table before it still serves. See \`makuler status\`.`,
          ),
        ]);
        return failed.length === 0;
      }),
    );
};

const states = async (api: MakulerClient): Promise<readonly ProjectionAnswer[]> =>
  (await api.get('/v1/projections')).body.items;

const follow = async (api: MakulerClient, chosen: readonly string[], json: boolean): Promise<string[]> => {
  const progress = startProgress('rebuilding', json);
  try {
    for (;;) {
      const now = (await states(api)).filter(({ name }) => chosen.includes(name));
      const failed = now.filter(({ rebuild }) => rebuild?.state === 'failed').map(({ name }) => name);
      const underway = now.filter(({ rebuild }) => rebuild !== null && rebuild.state !== 'failed');
      const missing = underway.reduce((sum, { rebuild }) => sum + 1 - (rebuild?.progress ?? 1), 0);
      progress.update(Math.floor(PERCENT * (chosen.length - missing)), PERCENT * chosen.length);
      if (underway.length === 0) return failed;
      await sleep(POLL_MS);
    }
  } finally {
    progress.end();
  }
};
