import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** Numbers from a seed, the same every time (mulberry32): a failure can be met again. */
export class Dice {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than `sides`. */
  below(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  }
  oneOf<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
  /** Small numbers as often as large ones: as likely below 10 as from 10 to 100. At least 1, at most `limit`. */
  upTo(limit: number): number {
    return Math.min(limit, Math.floor(Math.exp((this.below(10_000) / 10_000) * Math.log(limit + 1))));
  }
}

/** The n-th call of a kind that one thread of a process makes. The process is gone before the call has done anything. */
export interface KillPoint {
  readonly calls: string;
  readonly nth: number;
}

/** Calls that change a disk or leave the process, by the names that kernels have for them, and how many a thread makes at most. */
type Calls = readonly { readonly calls: string; readonly most: number }[];

const toWhom = (write: number, writev: number): Calls => [
  // Threads that write to files tell each end to the main one by a write too: one of these in five is one of those.
  { calls: '?write', most: write },
  { calls: '?write', most: Math.ceil(write / 4) },
  { calls: '?writev', most: writev },
];
const toDisk = (pwrite: number, fsync: number, rename: number, unlink: number): Calls =>
  [
    { calls: '?pwrite64', most: pwrite },
    { calls: '?fsync,?fdatasync', most: fsync },
    { calls: '?rename,?renameat,?renameat2', most: rename },
    { calls: '?unlink,?unlinkat', most: unlink },
  ].filter(({ most }) => most > 0);

/** What each program does in the time that the tests give it. */
export const VAULT_CALLS = [...toWhom(400, 60), ...toDisk(6, 60, 25, 6)];
export const BACKUP_CALLS = [...toWhom(120, 30), ...toDisk(0, 8, 2, 0), ...toDisk(0, 8, 2, 0)];
export const RESTORE_CALLS = toWhom(120, 30);

export const aKillPoint = (dice: Dice, among: Calls): KillPoint => {
  const { calls, most } = dice.oneOf(among);
  return { calls, nth: dice.upTo(most) };
};

/**
 * The command that runs `command` until it reaches the point and is killed there (SIGKILL). The process that is started is
 * the command itself: strace stands aside (-D). What it saw is in `traceFile`. (Its --seccomp-bpf would be faster, and
 * delivers no injected signals: strace 6.1.)
 */
export const killedAt = (
  { calls, nth }: KillPoint,
  traceFile: string,
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] => [
  ...(['strace', '-D', '-f', '-q', '-y', '-s', '0', '-o', traceFile] as const),
  ...['-e', `trace=${calls}`, '-e', 'signal=none', '-e', `inject=${calls}:signal=KILL:when=${nth}`, '--'],
  ...command,
];

/** One thread for files, so that the n-th call of a kind is the same one in every run with the same seed, as far as it goes. */
export const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };

/** The call that was not made any more, with the file it was for; `undefined` when the point was not reached. */
export const whereKilled = async (traceFile: string): Promise<string | undefined> => {
  const lines = (await readFile(traceFile, 'utf8').catch(() => '')).split('\n');
  return lines.findLast((line) => line.includes(') = ?'))?.replace(/^\d+ +/, '');
};

/** Whether strace is here and may trace. CI installs it and fails on what was skipped. */
export const canKillAtCalls = (): boolean =>
  spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '--', 'true']).status === 0;
