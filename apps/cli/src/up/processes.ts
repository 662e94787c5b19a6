import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process so that it can be recognised later: numbers are used again, a number with its start time is not. */
export interface ProcessMark {
  readonly pid: number;
  readonly started: string;
}

/** The mark of a running process, or undefined when there is none with this number. */
export const markOf = async (pid: number): Promise<ProcessMark | undefined> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat !== undefined) {
    // proc(5): the name in parentheses may hold anything, so fields are counted behind it; the state is the third, the start time the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, started: fields[19] ?? '' };
  }
  if (process.platform === 'linux') return undefined;
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'lstart=']).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() === '' ? undefined : { pid, started: stdout.trim() };
};

/** Whether the very process that was marked still runs. */
export const stillRuns = async (mark: ProcessMark): Promise<boolean> =>
  (await markOf(mark.pid))?.started === mark.started;
