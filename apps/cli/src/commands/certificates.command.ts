import type { Command } from 'commander';
import { action } from '../command.js';
import { ensureCertificates } from '../up/environment.js';

interface CertificatesOptions {
  readonly vaultHost: readonly string[];
  readonly eventHost: string;
}

/** `makuler certificates DIR`: the installation's certificates for processes on machines or containers of their own. */
export const registerCertificates = (program: Command): void => {
  program
    .command('certificates')
    .argument('<dir>', 'where they are kept; whoever reads it can become any part of this installation')
    .description('make what is missing of the certificates that the processes know each other by')
    .option('--vault-host <names...>', 'the names under which vaults are reached', ['vault'])
    .option('--event-host <name>', 'the name under which the event store is reached', 'events')
    .action(
      action<CertificatesOptions, [string]>(async ({ output, options }, directory) => {
        const { vaultHost: vault, eventHost } = options;
        const made = await ensureCertificates(directory, { vault, 'event-node': [eventHost] });
        output.result(made, [`Certificates in ${directory}: ${Object.keys(made).join(', ')}.`]);
      }),
    );
};
