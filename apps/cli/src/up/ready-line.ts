import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a child says once it can be asked: `{"event":"ready",…}` on a line of its own. */
export type ReadyLine = Readonly<Record<string, unknown>>;

const POLL_MS = 20;

/**
 * Reads a child's log from `offset` on until its ready line stands there; undefined when `ended` says that none will
 * come. The child writes into the file itself, so that it never waits for a supervisor that is slow or stopped.
 */
export const awaitReadyLine = async (
  file: string,
  offset: number,
  ended: () => boolean,
): Promise<ReadyLine | undefined> => {
  const handle = await open(file, 'r');
  try {
    let rest = '';
    for (;;) {
      const last = ended();
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(65_536), position: offset });
      offset += bytesRead;
      // latin1 keeps every byte in its place across chunks; the ready line itself is ASCII.
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const said = readyLineOf(line);
        if (said) return said;
      }
      if (bytesRead > 0) continue;
      if (last) return undefined;
      await sleep(POLL_MS);
    }
  } finally {
    await handle.close();
  }
};

const readyLineOf = (line: string): ReadyLine | undefined => {
  if (!line.startsWith('{') || !line.includes('"event"')) return undefined;
  try {
    const said = JSON.parse(line) as ReadyLine;
    return said['event'] === 'ready' ? said : undefined;
  } catch {
    return undefined;
  }
};
