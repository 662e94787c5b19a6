import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import { currentCorrelation } from '#kernel';
import { isError, loggable } from './redaction.js';

/** One JSON line per message on standard output. Whatever is passed goes through `loggable` first. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** The process: `api`, `vault`. */
  readonly name: string;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Elsewhere than standard output, for tests. */
  readonly destination?: DestinationStream;
}

export const createLogger = ({ name, level = 'info', destination }: LoggerOptions): Logger => {
  const options = {
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Of the request or job under way, whoever logs.
    mixin: () => ({ ...currentCorrelation() }),
    formatters: {
      level: (label: string) => ({ level: label }),
      bindings: ({ pid, name }: Record<string, unknown>) => ({ pid, name }),
    },
    hooks: {
      // Before pino itself sees the arguments: it would take an error's message as the line's own.
      logMethod(this: Logger, parameters: unknown[], method: (...parameters: unknown[]) => void) {
        const [first, ...rest] = parameters;
        const subject = isError(first) ? { err: loggable(first) } : loggable(first);
        method.apply(this, [subject, ...rest.map((parameter) => loggable(parameter))]);
      },
    },
  };
  return destination ? pino(options, destination) : pino(options);
};
