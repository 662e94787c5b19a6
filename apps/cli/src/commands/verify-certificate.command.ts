import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { notValid } from '../client/not-valid.js';
import { publishedKeys } from '../client/published-keys.js';
import { explained, statementsIn } from '../client/statements.js';
import { action } from '../command.js';

interface VerifyOptions extends GlobalOptions {
  readonly jwks?: string;
}

/** `makuler verify-certificate FILE…`: was this signed by that installation, what does it say, and does it belong together. */
export const registerVerifyCertificate = (program: Command): void => {
  program
    .command('verify-certificate')
    .description('verify certificate and attestation of an erasure, and say in words what they say')
    .argument('<FILE...>', 'certificates and attestations (JWS), as the API gave them')
    .option('--jwks <FILE>', 'the public keys, kept from /.well-known/jwks.json: needs no running system')
    .action(
      action<VerifyOptions, [string[]]>(async ({ output, options }, files) => {
        // Loaded here: it brings the whole context along, which no other command needs.
        const { contradictions, verifyStatement } = await import('#erasure');
        const keys = await publishedKeys(options);
        const verified = [];
        for (const file of files)
          for (const statement of statementsIn(file, await readFile(file, 'utf8')))
            verified.push(await verifyStatement(statement, keys).catch((error: unknown) => notValid(file, error)));
        const problems = contradictions(verified);
        const together =
          problems.length > 0
            ? problems
            : verified.some(({ kind }) => kind === 'attestation') && verified.some(({ kind }) => kind === 'certificate')
              ? ['Certificate and attestation belong together.']
              : [];
        const statements = verified.map(({ kind, claims }) => ({ kind, claims }));
        output.result({ valid: problems.length === 0, statements, problems }, [
          ...verified.flatMap((statement) => [...explained(statement), '']),
          ...together,
        ]);
        return problems.length === 0;
      }),
    );
};
