import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { JSONWebKeySet } from 'jose';
import { errors } from 'jose';
import { ApiClient } from '../client/api-client.js';
import type { GlobalOptions } from '../client/connection.js';
import { addressOf } from '../client/connection.js';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';

interface VerifyOptions extends GlobalOptions {
  readonly jwks?: string;
}

/** `makuler verify-certificate FILE`: was this signed by that installation, and what does it say. With --jwks, offline. */
export const registerVerifyCertificate = (program: Command): void => {
  program
    .command('verify-certificate')
    .description('verify the certificate of an erasure, and show what it says')
    .argument('<FILE>', 'the certificate (JWS), as the API gave it')
    .option('--jwks <FILE>', 'the public keys, kept from /.well-known/jwks.json: needs no running system')
    .action(
      action<VerifyOptions, [string]>(async ({ output, options }, file) => {
        // Loaded here: it brings the whole context along, which no other command needs.
        const { verifyCertificate } = await import('#erasure');
        const keys = await keysOf(options);
        const claims = await verifyCertificate(certificateIn(await readFile(file, 'utf8')), keys).catch(
          (error: unknown) => {
            const reason = error instanceof errors.JOSEError ? error.code : (error as Error).message;
            throw new Refusal(
              `The certificate is not valid: ${reason}.`,
              'Ask whoever gave it to you for the original.',
            );
          },
        );
        output.result({ valid: true, claims }, [
          'The certificate is valid.',
          ...Object.entries(claims)
            .filter(([name]) => name !== 'fingerprints')
            .map(
              ([name, value]) => `  ${name.padEnd(18)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
            ),
          `  ${'fingerprints'.padEnd(18)} ${claims.fingerprints.length}`,
        ]);
      }),
    );
};

/** The signed text, alone or in the answer of `GET /v1/erasures/{id}/certificate`. */
const certificateIn = (content: string): string =>
  content.trimStart().startsWith('{') ? (JSON.parse(content) as { certificate: string }).certificate : content;

const keysOf = async (options: VerifyOptions): Promise<JSONWebKeySet> => {
  if (options.jwks !== undefined) return JSON.parse(await readFile(options.jwks, 'utf8')) as JSONWebKeySet;
  const api = new ApiClient(await addressOf(options), undefined);
  return (await api.get<JSONWebKeySet>('/.well-known/jwks.json')).body;
};
