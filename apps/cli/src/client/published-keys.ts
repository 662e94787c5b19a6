import { readFile } from 'node:fs/promises';
import type { JSONWebKeySet } from 'jose';
import { MakulerClient } from '#client';
import { Refusal } from '../refusal.js';
import type { GlobalOptions } from './connection.js';
import { addressOf } from './connection.js';

/** The keys that statements are verified with: of a file that was kept (`--jwks`), or as the running API publishes them now. Throws Refusal. */
export const publishedKeys = async (options: GlobalOptions & { readonly jwks?: string }): Promise<JSONWebKeySet> => {
  if (options.jwks === undefined) return keysOf(new MakulerClient({ address: await addressOf(options) }));
  const content = await readFile(options.jwks, 'utf8');
  try {
    const keys = JSON.parse(content) as JSONWebKeySet | null;
    if (Array.isArray(keys?.keys)) return keys!;
  } catch {
    // Said below.
  }
  throw new Refusal(
    `${options.jwks} is no set of public keys.`,
    'It is what /.well-known/jwks.json answers: { "keys": [ … ] }.',
  );
};

/** The keys that an installation publishes. */
export const keysOf = async (api: MakulerClient): Promise<JSONWebKeySet> => {
  const { keys } = (await api.get('/.well-known/jwks.json')).body;
  return { keys: [...keys] };
};
