import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CertificateFiles, CertificateWish } from '#pki';
import { ensureAuthority } from '#pki';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';
import { CLIENTS } from '../up/environment.js';

interface CertificatesOptions {
  readonly vaultHost: readonly string[];
  readonly eventHost: readonly string[];
}

/** `makuler certificates DIR`: the installation's certificates for processes on machines or containers of their own. */
export const registerCertificates = (program: Command): void => {
  program
    .command('certificates')
    .argument(
      '<dir>',
      'where they are kept, a directory for each program; whoever reads `authority` can become any of them',
    )
    .description('make what is missing of the certificates that the processes know each other by')
    .option('--vault-host <names...>', 'the names under which vaults are reached', ['vault'])
    .option('--event-host <names...>', 'the names under which nodes of the event store are reached', ['events'])
    .action(
      action<CertificatesOptions, [string]>(async ({ output, options }, directory) => {
        const made = await issue(directory, options);
        output.result(made, [`Certificates in ${directory}: ${Object.keys(made).join(', ')}.`]);
      }),
    );
};

/**
 * In `authority` the keys to everything, and beside it a directory for each program with what that one needs: its key, its
 * certificate, `ca.crt`. Every node of the event store has the same: by their common name nodes know each other.
 */
const issue = async (directory: string, { vaultHost, eventHost }: CertificatesOptions) => {
  // A second authority beside it would leave programs that don't trust each other, one restart after the other.
  if (existsSync(join(directory, 'ca.key')))
    throw new Refusal(
      `${directory} has its authority beside the certificates.`,
      'Move its ca.crt and ca.key into a directory `authority` there, and run this again.',
    );
  const authority = await ensureAuthority(join(directory, 'authority'));
  const wishes: Readonly<Record<string, CertificateWish>> = {
    'event-node': { usage: 'node', hosts: eventHost },
    vault: { usage: 'server', hosts: vaultHost },
    ...Object.fromEntries(CLIENTS.map((name) => [name, { usage: 'client' }])),
  };
  const made: Record<string, CertificateFiles> = {};
  for (const [name, wish] of Object.entries(wishes))
    made[name] = await authority.ensureCertificate(name, wish, join(directory, name));
  // KurrentDB trusts a directory, and refuses to start when a certificate in it has not signed itself.
  await authority.handOut(join(directory, 'event-node/trusted'));
  return made;
};
