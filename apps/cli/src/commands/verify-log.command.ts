import type { Command } from 'commander';
import type { JSONWebKeySet } from 'jose';
import type { LogVerification, Misfit } from '#chain';
import type { GlobalOptions } from '../client/connection.js';
import type { LogAndVault } from '../client/log-and-vault.js';
import { findLogAndVault } from '../client/log-and-vault.js';
import { startProgress } from '../client/progress.js';
import { publishedKeys } from '../client/published-keys.js';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';

interface VerifyOptions extends GlobalOptions {
  readonly jwks?: string;
  /** `--no-custodian` was given. */
  readonly custodian: boolean;
}

/**
 * `makuler verify-log`: holds the whole log against its signed checkpoints and against the one at the custodian. Exit status 0
 * only when all of it fits.
 */
export const registerVerifyLog = (program: Command): void => {
  program
    .command('verify-log')
    .description('find events that were changed, removed, inserted or moved')
    .option(
      '--jwks <FILE>',
      'the public keys, kept from /.well-known/jwks.json: whoever changed the log may publish others',
    )
    .option('--no-custodian', 'do not ask the custodian: a log that was cut off or made anew is then not found')
    .action(
      action<VerifyOptions, []>(async ({ output, options }) => {
        const stores = await findLogAndVault(options);
        const keys = await publishedKeys(options);
        const verification = await verify(stores, keys, options);
        output.result({ verified: verification.misfits.length === 0, ...verification }, linesOf(verification));
        return verification.misfits.length === 0;
      }),
    );
};

/** Loaded here: they bring the clients of log and vault along, which no other command needs. */
const verify = async (stores: LogAndVault, keys: JSONWebKeySet, options: VerifyOptions): Promise<LogVerification> => {
  const [{ verifyLog }, { EventStoreDb }] = [await import('#chain'), await import('#ledger')];
  const witnessed = options.custodian ? await witnessedBy(stores) : undefined;
  const store = new EventStoreDb(stores.eventStoreUrl);
  const progress = startProgress('events', options.json ?? false);
  try {
    const onProgress = (events: number, expected: number) => progress.update(events, expected);
    return await verifyLog({ store, keys, witnessed, onProgress });
  } finally {
    progress.end();
    await store.close();
  }
};

const witnessedBy = async ({ vault }: LogAndVault) => {
  const { GrpcCheckpointWitness } = await import('#vault/operations');
  const witness = new GrpcCheckpointWitness(vault);
  try {
    return (await witness.standing()).checkpoint ?? null;
  } catch {
    throw new Refusal(
      'The custodian cannot be asked: the vault does not answer.',
      'Start it. Without it (--no-custodian) only what its own checkpoints show is found.',
    );
  } finally {
    witness.close();
  }
};

const CUSTODIAN: Readonly<Record<LogVerification['custodian'], string>> = {
  fits: 'The log fits what the custodian has seen of it.',
  'does-not-fit': 'The log is not the one that the custodian has seen.',
  none: 'The custodian has been given no checkpoint yet.',
  'not-asked': 'The custodian was not asked: a log that was cut off or made anew is not found this way.',
};

const linesOf = ({ events, checkpoints, covered, accepted, custodian, misfits }: LogVerification): string[] => [
  misfits.length === 0 ? 'The log is what it was.' : 'The log is NOT what it was.',
  ...misfits.map((misfit) => `  ! ${describe(misfit)}`),
  `  ${events} events, ${checkpoints} checkpoints that fit${covered > 0 ? `; events 1 to ${covered} are what they were` : ''}.`,
  ...accepted.map(
    ({ from, to }) =>
      `  Accepted: two persons agreed that events ${from} to ${to} may not be what was witnessed of them (restored, or tampered with).`,
  ),
  ...(events > covered ? [`  Events ${covered + 1} to ${events} are covered by no checkpoint yet.`] : []),
  `  ${CUSTODIAN[custodian]}`,
];

const describe = (misfit: Misfit): string => {
  switch (misfit.kind) {
    case 'altered':
      return (
        `Between events ${misfit.from} and ${misfit.to} (${misfit.firstEvent} … ${misfit.lastEvent}) an event was changed, ` +
        `removed, inserted or moved, says ${checkpointOf(misfit)}.`
      );
    case 'shortened':
      return `Events ${misfit.from} to ${misfit.to} are missing, or as many before them, says ${checkpointOf(misfit)}.`;
    case 'forged':
      return `${capital(checkpointOf(misfit))} was not signed by this installation, or not for its place.`;
    case 'misplaced':
      return `Event ${misfit.sequence} (${misfit.event}) has another place in its stream than in the log.`;
    case 'hidden':
      return `The log holds ${misfit.inLog} checkpoints, and their stream shows ${misfit.inStream}.`;
  }
};

const checkpointOf = ({ checkpoint }: { readonly checkpoint: string | null }): string =>
  checkpoint === null ? 'the custodian’s checkpoint' : `the checkpoint ${checkpoint}`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
