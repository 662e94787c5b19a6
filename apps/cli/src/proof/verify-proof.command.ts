import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { notValid } from '../client/not-valid.js';
import { publishedKeys } from '../client/published-keys.js';
import { action } from '../command.js';

interface VerifyOptions extends GlobalOptions {
  readonly jwks?: string;
}

/** `makuler verify-proof FILE`: was this report of `makuler prove` signed by that installation, and what does it say. */
export const registerVerifyProof = (program: Command): void => {
  program
    .command('verify-proof')
    .description('verify a signed report of `makuler prove`, and say what it says')
    .argument('<FILE>', 'the report (JWS), as `makuler prove --out` wrote it')
    .option('--jwks <FILE>', 'the public keys, kept from /.well-known/jwks.json: needs no running system')
    .action(
      action<VerifyOptions, [string]>(async ({ output, options }, file) => {
        // Loaded here: it brings the reader of every format along, which no other command needs.
        const { reportLines, verifyProof } = await import('#proof');
        const keys = await publishedKeys(options);
        const report = await verifyProof(await readFile(file, 'utf8'), keys).catch((error: unknown) =>
          notValid(file, error),
        );
        output.result({ valid: true, report }, ['The signature is good.', '', ...reportLines(report)]);
        return true;
      }),
    );
};
