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

/** What others wait for or read in a log: whoever started the process, and whoever watches which one of several is active. */
export type Announcement = 'ready' | 'active' | 'standby' | 'refused';

/** Writes an announcement as a line that has its name as `event` too, by which it is found: `{…,"event":"ready",…}`. No secrets. */
export const announce = (logger: Logger, event: Announcement, facts: Readonly<Record<string, unknown>> = {}): void =>
  logger[event === 'refused' ? 'error' : 'info']({ event, ...facts }, event);

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

/**
 * What Node would print by itself as text, as lines of the log: its warnings, and the fault that ends the process (exit status 1).
 * Their messages may quote what was being handled, and stay out. Once, in a process that is a program of ours.
 */
export const logProcess = (logger: Logger): void => {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => logger.warn({ warning: warning.name, err: warning }, 'process.warning'));
  process.on('uncaughtException', (error) => {
    logger.fatal(error, 'process.failed');
    process.exit(1);
  });
};
