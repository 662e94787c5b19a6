import type { Progress } from '../client/progress.js';
import { startProgress } from '../client/progress.js';

/** What is shown while a set is read to its end and compared with its checksums. */
export const READING_BACK = 'set read, bytes';

/** Progress of work in several steps: a bar, or lines, for each. */
export const stepProgress = (json: boolean) => {
  let step: string | undefined;
  let shown: Progress | undefined;
  return {
    update: (now: string, done: number, total?: number): void => {
      if (now !== step) {
        shown?.end();
        shown = startProgress(now, json);
        step = now;
      }
      shown?.update(done, total);
    },
    end: (): void => shown?.end(),
  };
};

/** `1.4 MB`. */
export const bytesInWords = (bytes: number): string =>
  bytes < 1_000 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
