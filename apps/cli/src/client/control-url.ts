import { readSecret } from '#kernel';
import { environment } from '../config.js';
import { Refusal } from '../refusal.js';
import { readJson } from '../up/files.js';
import { readRunning } from '../up/lock.js';
import type { Secrets } from '../up/secrets.js';
import type { GlobalOptions } from './connection.js';
import { homeOf } from './connection.js';

/** Address and password of the control database: CONTROL_DATABASE_URL, or that of the embedded server. Throws Refusal when nothing runs. */
export const controlUrlOf = async (options: GlobalOptions): Promise<string> => {
  const given = readSecret(environment, 'CONTROL_DATABASE_URL');
  if (given !== undefined) return given;
  const home = homeOf(options);
  const server = (await readRunning(home))?.addresses['postgres'];
  const secrets = await readJson<Secrets>(home.secrets);
  if (server === undefined || secrets === undefined)
    throw new Refusal(
      `Nothing runs in ${home.directory}.`,
      'Start it with `makuler up`, or give CONTROL_DATABASE_URL.',
    );
  return `postgres://control:${encodeURIComponent(secrets.control)}@${server}/control`;
};
