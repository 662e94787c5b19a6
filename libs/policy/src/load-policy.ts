import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from './manifest-document.js';
import { ManifestDocument } from './manifest-document.js';
import { manifestProblems } from './manifest-checks.js';
import type { Manifest } from './manifest.js';
import { schemaProblems } from './manifest-schema.js';
import { Policy } from './policy.js';

/** The manifest's name in its directory. */
export const MANIFEST_FILE = 'manifest.yaml';

/** The policy doesn't load. Every problem is a sentence with the line where it stands and what would mend it, all at once. */
export class PolicyError extends Error {
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    super(
      `The policy ${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n  ${problems.join('\n  ')}`,
    );
    this.name = 'PolicyError';
  }
}

/**
 * Loads and checks a policy: `manifest.yaml` in `directory`, and the statement beside it, whose text must be the one
 * whose SHA-256 the manifest names. Throws PolicyError; there is no such thing as a policy that loads in part.
 */
export const loadPolicy = async (directory: string): Promise<Policy> => {
  const file = join(directory, MANIFEST_FILE);
  const bytes = await readFile(file).catch(() => {
    throw new PolicyError(file, [
      `There is no such file, or it can't be read. POLICY names the directory in which ${MANIFEST_FILE} lies.`,
    ]);
  });
  const policy = parsePolicy(bytes, file);
  const { statement } = policy.manifest;
  if (!statement) return policy;
  const text = await readFile(join(directory, statement.file)).catch(() => undefined);
  if (text === undefined)
    throw new PolicyError(file, [
      `The statement ${statement.file} is missing: put the published text beside the manifest.`,
    ]);
  const found = sha256(text);
  if (found !== statement.sha256)
    throw new PolicyError(file, [
      `The statement ${statement.file} is not the text that the manifest names (its SHA-256 is ${found}). ` +
        'A published statement is never edited: put the old text back, or publish a new version and name its SHA-256.',
    ]);
  return policy;
};

/** The manifest alone, from its bytes; `file` is for messages. Throws PolicyError. */
export const parsePolicy = (bytes: Uint8Array, file: string = MANIFEST_FILE): Policy => {
  const refuse = (problems: readonly Problem[]) => {
    if (problems.length > 0)
      throw new PolicyError(
        file,
        problems.map((problem) => document.sentence(problem)),
      );
  };
  const document = new ManifestDocument(Buffer.from(bytes).toString('utf8'));
  refuse(document.problems);
  const value = document.value();
  // A manifest of the wrong form can't be looked at as a whole: its form comes first.
  refuse(schemaProblems(value));
  const manifest = value as Manifest;
  refuse(manifestProblems(manifest));
  return new Policy(frozen(manifest), sha256(bytes));
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
};
