import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { readSecret } from '#kernel';
import type { ClientOptions, Patience } from '#client';
import { MakulerClient } from '#client';
import type { TokenRole } from '#tokens';
import { environment } from '../config.js';
import { Refusal } from '../refusal.js';
import { readIfThere } from '../up/files.js';
import type { Home } from '../up/home.js';
import { homeIn } from '../up/home.js';
import { readRunning } from '../up/lock.js';

/** Options that stand before or behind every command. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly home?: string;
  readonly api?: string;
  readonly tokenFile?: string;
}

export const addGlobalOptions = (program: Command): Command =>
  program
    .option('--json', 'machine-readable output')
    .option('--home <DIR>', 'where everything is kept (MAKULER_HOME)')
    .option('--api <URL>', 'address of a running API, instead of the one in the home')
    .option('--token-file <FILE>', 'file with the token to use (or MAKULER_TOKEN), instead of tokens.json in the home');

/** The home that a command is about: flag, MAKULER_HOME, or `./.makuler`. */
export const homeOf = (options: GlobalOptions): Home =>
  homeIn(options.home ?? environment['MAKULER_HOME'] ?? './.makuler');

/** Whoever sits at a terminal is told soon that nobody answers; a look-up index that is being built is waited for. */
const AT_A_TERMINAL: Patience = { giveUpAfterMs: 10_000, pausesMs: [1_000] };

/** A client with the token for one role. Throws Refusal when no system runs or no token is at hand. */
export const connect = async (
  options: GlobalOptions,
  role: TokenRole,
  settings: Partial<ClientOptions> = {},
): Promise<MakulerClient> => {
  const [address, token] = [await addressOf(options), await tokenFor(options, role)];
  return new MakulerClient({ address, token, patience: AT_A_TERMINAL, ...settings });
};

/** Where the API is: --api, or what the home says. Throws Refusal when nothing runs. */
export const addressOf = async (options: GlobalOptions): Promise<string> => {
  if (options.api !== undefined) {
    if (URL.canParse(options.api)) return options.api;
    throw new Refusal('--api is not an address.', 'Give one like http://127.0.0.1:3000.');
  }
  const home = homeOf(options);
  const address = (await readRunning(home))?.addresses['api'];
  if (address !== undefined) return address;
  throw new Refusal(
    `Nothing runs in ${home.directory}.`,
    'Start it with `makuler up`, or say where it runs with --api or --home.',
  );
};

/** `--token-file`, then MAKULER_TOKEN, then the role's token of tokens.json. A token never stands on a command line. */
const tokenFor = async (options: GlobalOptions, role: TokenRole): Promise<string> => {
  const given = options.tokenFile === undefined ? readSecret(environment, 'MAKULER_TOKEN') : undefined;
  if (given !== undefined) return given;
  const file = options.tokenFile ?? homeOf(options).tokens;
  const content = await (options.tokenFile === undefined ? readIfThere(file) : readFile(file, 'utf8'));
  const token = content === undefined ? undefined : tokenIn(content, role);
  if (token !== undefined) return token;
  throw new Refusal(
    `There is no token for the role ${role} in ${file}.`,
    'Make one with `makuler token create`, and give it with --token-file or MAKULER_TOKEN.',
  );
};

/** A file of tokens by role, as the first start makes it, or a file with nothing but one token. */
const tokenIn = (content: string, role: TokenRole): string | undefined =>
  content.trimStart().startsWith('{')
    ? (JSON.parse(content) as Record<string, string>)[role]
    : content.trim() || undefined;
