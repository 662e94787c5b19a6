import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import type { Part, PartKind } from './manifest.js';
import { damaged } from './manifest.js';

/** A part that is being written: lines go through gzip to the disk as they come, and only counts and a hash stay in memory. */
export class PartWriter {
  // What is in it is sealed and hardly gets smaller: more effort would only take time.
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED });
  readonly #hash = createHash('sha256');
  readonly #written: Promise<void>;
  #bytes = 0;
  #lines = 0;
  /** Of the text, before it was compressed. */
  characters = 0;

  /** `directory` belongs to the caller; the file is made with mode 0600 and must not be there. */
  constructor(
    directory: string,
    private readonly file: string,
    private readonly kind: PartKind,
  ) {
    const counting = new Transform({
      transform: (chunk: Buffer, _, done) => {
        this.#hash.update(chunk);
        this.#bytes += chunk.length;
        done(null, chunk);
      },
    });
    const target = createWriteStream(join(directory, file), { flags: 'wx', mode: 0o600, flush: true });
    this.#written = pipeline(this.#gzip, counting, target);
    this.#written.catch(() => undefined);
  }

  /** Resolves when more can be taken. Throws what kept the disk from taking it. */
  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    this.#lines += lines.length;
    this.characters += text.length;
    if (this.#gzip.destroyed) await this.#written;
    if (!this.#gzip.write(text)) await Promise.race([once(this.#gzip, 'drain'), this.#written]);
  }

  /** Resolves when the file is on disk, with what the manifest says of it. */
  async end(): Promise<Part> {
    this.#gzip.end();
    await this.#written;
    const { file, kind } = this;
    return { file, kind, sha256: this.#hash.digest('hex'), bytes: this.#bytes, lines: this.#lines };
  }

  /** Gives up; the file is left to whoever removes the directory. */
  async abandon(): Promise<void> {
    this.#gzip.destroy();
    await this.#written.catch(() => undefined);
  }
}

/** Reads the file to its end and compares. Throws `backup-damaged` when it is not what the manifest says. */
export const verifyPart = async (directory: string, part: Part): Promise<void> => {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(join(directory, part.file)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    throw damaged(`${part.file} can't be read (${(error as NodeJS.ErrnoException).code ?? 'failed'})`);
  }
  if (bytes !== part.bytes || hash.digest('hex') !== part.sha256) throw damaged(`${part.file} was changed or cut off`);
};

/** The lines of a part, a few at a time. Throws `backup-damaged` when it does not unpack to as many lines as the manifest says. */
export async function* linesOf(directory: string, part: Part): AsyncGenerator<readonly string[], void> {
  let count = 0;
  let rest = '';
  const gunzip = createGunzip();
  const text = new TextDecoder('utf-8', { fatal: true });
  const unpacked = pipeline(createReadStream(join(directory, part.file)), gunzip);
  unpacked.catch(() => undefined);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      const lines = (rest + text.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      count += lines.length;
      if (lines.length > 0) yield lines;
    }
    await unpacked;
  } catch (error) {
    throw error instanceof TypeError || isUnpacking(error) ? damaged(`${part.file} does not unpack`) : error;
  } finally {
    gunzip.destroy();
  }
  if (rest !== '' || count !== part.lines) throw damaged(`${part.file} has ${count} lines instead of ${part.lines}`);
}

const isUnpacking = (error: unknown): boolean =>
  /^(Z_|ENOENT|EIO|EACCES|ERR_STREAM_PREMATURE_CLOSE)/.test(String((error as { code?: unknown } | null)?.code));
