import type { Stats } from 'node:fs';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What a path holds: files to read, and what can't be read. */
export type Found =
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'unread'; readonly path: string; readonly why: string };

/**
 * All that lies at or below the paths, each once, however often a path is named. Links are not followed (their text is
 * given); what goes away meanwhile is passed over, as a database's files do.
 */
export function* filesBelow(paths: readonly string[]): Generator<Found> {
  const seen = new Set<string>();
  for (const path of paths) {
    try {
      yield* below(path, lstatSync(path), seen);
    } catch (error) {
      // A path that was named and is not there is no clean one.
      yield { kind: 'unread', path, why: reasonOf(error as Error) };
    }
  }
}

function* below(path: string, stats: Stats, seen: Set<string>): Generator<Found> {
  const identity = `${stats.dev}:${stats.ino}`;
  if (seen.has(identity)) return;
  seen.add(identity);
  try {
    if (stats.isSymbolicLink()) yield { kind: 'link', path, target: readlinkSync(path) };
    else if (stats.isFile()) yield { kind: 'file', path, size: stats.size };
    else if (stats.isBlockDevice()) yield { kind: 'file', path, size: 0 };
    else if (stats.isDirectory())
      for (const name of readdirSync(path).sort()) {
        const entry = join(path, name);
        const found = lstatSync(entry, { throwIfNoEntry: false });
        if (found) yield* below(entry, found, seen);
      }
    // Sockets and pipes hold nothing.
  } catch (error) {
    if (!isGone(error)) yield { kind: 'unread', path, why: reasonOf(error as Error) };
  }
}

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Bytes of all files at or below the paths, as they are now. */
export const sizeOf = (paths: readonly string[]): number => {
  let bytes = 0;
  for (const found of filesBelow(paths)) bytes += found.kind === 'file' ? found.size : 0;
  return bytes;
};

/** The operating system's code; its message would repeat the path. */
export const reasonOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;
