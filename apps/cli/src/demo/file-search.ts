import type { FileHandle } from 'node:fs/promises';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FileSearch {
  readonly files: number;
  readonly bytes: number;
  /** Files that hold each text, as UTF-8 or UTF-16, as given or in small letters. */
  readonly hits: ReadonlyMap<string, number>;
}

/** Searches every byte of every file under a directory. Files that vanish on the way (a database at work) hold nothing. */
export const searchFiles = async (directory: string, texts: readonly string[]): Promise<FileSearch> => {
  const forms = texts.map((text) => ({ text, needles: formsOf(text) }));
  const overlap = Math.max(...forms.flatMap(({ needles }) => needles.map(({ length }) => length))) - 1;
  const hits = new Map(texts.map((text) => [text, 0]));
  const memory = Buffer.alloc(overlap + PART_BYTES);
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = new Set<string>();
    const path = join(entry.parentPath, entry.name);
    for await (const { part, fresh } of partsOf(path, memory, overlap)) {
      bytes += fresh;
      for (const { text, needles } of forms) if (needles.some((needle) => part.includes(needle))) found.add(text);
    }
    files += 1;
    for (const text of found) hits.set(text, hits.get(text)! + 1);
  }
  return { files, bytes, hits };
};

const formsOf = (text: string): Buffer[] =>
  [...new Set([text, text.toLowerCase()])].flatMap((form) => [Buffer.from(form, 'utf8'), Buffer.from(form, 'utf16le')]);

const PART_BYTES = 4_194_304;

/**
 * A file in parts, all in the same memory; each begins with the end of the one before, so that nothing hides on a border.
 */
async function* partsOf(
  path: string,
  memory: Buffer,
  overlap: number,
): AsyncGenerator<{ part: Buffer; fresh: number }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    for (let kept = 0; ;) {
      const { bytesRead: fresh } = await file.read(memory, kept, PART_BYTES);
      if (fresh === 0) return;
      const part = memory.subarray(0, kept + fresh);
      yield { part, fresh };
      kept = Math.min(overlap, part.length);
      memory.copyWithin(0, part.length - kept, part.length);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await file?.close();
  }
}
