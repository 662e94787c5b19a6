import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { SystemClock } from '#kernel';
import { createPool } from '#postgres';
import type { TokenInfo, TokenRole } from '#tokens';
import { TOKEN_ROLES, Tokens } from '#tokens';
import type { GlobalOptions } from '../client/connection.js';
import { controlUrlOf } from '../client/control-url.js';
import { action } from '../command.js';

interface CreateOptions extends GlobalOptions {
  readonly role: TokenRole[];
  readonly label: string;
  readonly purpose?: string;
  readonly days?: number;
}

/**
 * `makuler token …`: works on the control database itself, because whoever may make tokens needs no token: it takes the
 * passwords in the home, or CONTROL_DATABASE_URL.
 */
export const registerToken = (program: Command): void => {
  const token = program.command('token').description('API tokens: create, list, rotate, revoke');
  token
    .command('create')
    .description('make a token; it is shown once and can never be shown again')
    .addOption(new Option('--role <ROLE...>', 'what its holder may do').choices(TOKEN_ROLES).makeOptionMandatory())
    .requiredOption('--label <TEXT>', 'what it is for')
    .option('--purpose <ID>', 'purpose of the policy that holds when a request states none')
    .option('--days <N>', 'days until it expires', days)
    .action(
      action<CreateOptions, []>(async ({ output, options }) => {
        const { role, label, purpose } = options;
        const expiresAt = options.days === undefined ? undefined : new Date(Date.now() + options.days * 86_400_000);
        const made = await withTokens(options, (tokens) =>
          tokens.create({
            roles: role,
            label,
            ...(purpose === undefined ? {} : { defaultPurpose: purpose }),
            ...(expiresAt === undefined ? {} : { expiresAt }),
          }),
        );
        output.note(`Token ${made.info.tokenId} for ${role.join(', ')}:`);
        output.result({ token: made.token, ...shown(made.info) }, [made.token]);
      }),
    );
  token
    .command('list')
    .description('all tokens, without their secrets')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
        const all = await withTokens(options, (tokens) => tokens.list());
        output.result(all.map(shown), all.map(lineOf));
      }),
    );
  token
    .command('rotate')
    .description('make another secret for the same holder and roles; the old one ends')
    .argument('<TOKEN_ID>', 'its id, as `token list` shows it')
    .option('--grace <HOURS>', 'hours that the old one still works (none)', hours)
    .action(
      action<{ grace?: number }, [string]>(async ({ output, options }, tokenId) => {
        const graceMs = (options.grace ?? 0) * 3_600_000;
        const made = await withTokens(options, (tokens) => tokens.rotate(tokenId, { graceMs }));
        output.note(`Token ${made.info.tokenId} in place of ${tokenId}:`);
        output.result({ token: made.token, ...shown(made.info) }, [made.token]);
      }),
    );
  token
    .command('revoke')
    .description('end a token, at once')
    .argument('<TOKEN_ID>', 'its id, as `token list` shows it')
    .action(
      action<GlobalOptions, [string]>(async ({ output, options }, tokenId) => {
        await withTokens(options, (tokens) => tokens.revoke(tokenId));
        output.result({ revoked: tokenId }, [`${tokenId} is revoked.`]);
      }),
    );
};

const hours = (text: string): number => {
  const number = Number(text);
  if (!(number >= 0 && number <= 720)) throw new InvalidArgumentError('Give a number of hours, 720 at most.');
  return number;
};

const days = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Give a number of days.');
  return number;
};

const withTokens = async <T>(options: GlobalOptions, work: (tokens: Tokens) => Promise<T>): Promise<T> => {
  const pool = createPool(await controlUrlOf(options), { name: 'makuler token', max: 1 });
  try {
    return await work(new Tokens(pool, new SystemClock()));
  } finally {
    await pool.end();
  }
};

const shown = ({ tokenId, actorId, roles, defaultPurpose, label, createdAt, expiresAt, revokedAt }: TokenInfo) => ({
  ...{ tokenId, actorId, roles, defaultPurpose, label, createdAt, expiresAt, revokedAt },
});

const lineOf = (info: TokenInfo): string => {
  const state = info.revokedAt ? 'revoked' : info.expiresAt && info.expiresAt <= new Date() ? 'expired' : 'valid';
  return `${info.tokenId}  ${state.padEnd(8)} ${info.roles.join(',').padEnd(14)} ${info.label}`;
};
