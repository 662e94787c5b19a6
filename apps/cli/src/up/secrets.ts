import { randomBytes } from 'node:crypto';
import { readJson, writePrivate } from './files.js';
import type { Home } from './home.js';

/** Databases of the embedded profile; each belongs to a role of the same name. */
export const DATABASES = ['events', 'vault', 'readmodels', 'control'] as const;
export type DatabaseName = (typeof DATABASES)[number];

const NAMES = [...DATABASES, 'analyst', 'eventNode'] as const;

/** Passwords of one installation: of the database roles, the analysts' reading role, and the event node. */
export type Secrets = Readonly<Record<(typeof NAMES)[number], string>>;

/** Reads the passwords, and makes those that are missing: 256 random bits each, in a file with mode 0600. */
export const ensureSecrets = async (home: Home): Promise<Secrets> => {
  const kept = (await readJson<Partial<Secrets>>(home.secrets)) ?? {};
  const secrets = Object.fromEntries(NAMES.map((name) => [name, kept[name] ?? randomBytes(32).toString('base64url')]));
  if (NAMES.some((name) => kept[name] === undefined)) await writePrivate(home.secrets, secrets);
  return secrets as Secrets;
};
