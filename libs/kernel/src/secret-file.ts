import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** A secret is a line; a file that is larger was named by mistake. */
const LARGEST_BYTES = 16 * 1024;

/** What is wrong with a secret's file, never what stands in it. */
export class SecretFileError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'SecretFileError';
  }
}

/**
 * The one line of a file, without the newline at its end: how Docker and Kubernetes hand secrets to a process. Throws
 * SecretFileError when it can't be read, is no plain file, may be written by anybody, or is empty or more than a line.
 */
export const readSecretFile = (path: string): string => {
  const bytes = withFile(path, (file) => {
    // Judged by the open file: what the name means may change between a look and a read.
    const found = fstatSync(file);
    if (!found.isFile()) throw new SecretFileError('is not a plain file');
    // Read by anybody is what Kubernetes makes by default; written by anybody lets another user of the machine choose it.
    if ((found.mode & constants.S_IWOTH) !== 0) throw new SecretFileError('can be written by anybody (chmod o-w)');
    if (found.size > LARGEST_BYTES) throw new SecretFileError(`is larger than ${LARGEST_BYTES / 1024} KiB`);
    const buffer = Buffer.alloc(LARGEST_BYTES + 1);
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
  });
  const line = decode(bytes).replace(/\r?\n$/, '');
  if (line === '') throw new SecretFileError('is empty');
  // An address parser would leave newlines out silently, and a password would become another one.
  if (/[\p{Cc}]/u.test(line)) throw new SecretFileError('holds more than one line of text');
  return line;
};

const withFile = <T>(path: string, read: (file: number) => T): T => {
  let file: number;
  try {
    // A FIFO without a writer must not hold up the start.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new SecretFileError(`can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
};

const decode = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SecretFileError('is not UTF-8');
  }
};
