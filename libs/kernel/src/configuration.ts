import { SecretFileError, readSecretFile } from './secret-file.js';

/** One variable of a program's configuration: how to read it, what would be valid, and what holds without it. */
export interface Setting<T> {
  /** `undefined`, or InvalidSetting where there is more to say than `valid`, for what is none. */
  readonly parse: (text: string) => T | undefined;
  /** What would be valid, for the message: `a port from 0 to 65535`. */
  readonly valid: string;
  readonly fallback?: T;
  readonly optional?: boolean;
  /** Holds a password or token: `NAME_FILE` may name a file with it instead. */
  readonly secret?: boolean;
}

/** Thrown by `Setting.parse`: what exactly is wrong. The message goes to logs, and holds nothing of the value. */
export class InvalidSetting extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'InvalidSetting';
  }
}

export class ConfigurationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n  ${problems.join('\n  ')}`,
    );
    this.name = 'ConfigurationError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
type Settings = Record<string, Setting<unknown>>;
type Values<S extends Settings> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/**
 * Reads the whole configuration at once. Every problem is named, with the variable and what would be valid, never with
 * its value (it may be a secret). Throws ConfigurationError.
 */
export const readConfiguration = <S extends Settings>(env: Environment, settings: S): Values<S> => {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    try {
      const text = setting.secret ? readSecret(env, name) : env[name] || undefined;
      if (text !== undefined) values[name] = parsed(name, setting, text);
      else if (setting.fallback !== undefined || setting.optional) values[name] = setting.fallback;
      else
        problems.push(
          `${name} is missing: give ${setting.valid}${setting.secret ? `, or a file with it in ${name}_FILE` : ''}`,
        );
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return values as Values<S>;
};

/**
 * A secret of the environment: `NAME`, or the content of the file that `NAME_FILE` names; `undefined` without either. Throws
 * ConfigurationError when both are given or the file can't be used.
 */
export const readSecret = (env: Environment, name: string): string | undefined => {
  const [text, path] = [env[name] || undefined, env[`${name}_FILE`] || undefined];
  if (path === undefined) return text;
  if (text !== undefined) throw new ConfigurationError([`${name} and ${name}_FILE are both given: give one of them`]);
  try {
    return readSecretFile(path);
  } catch (error) {
    if (!(error instanceof SecretFileError)) throw error;
    throw new ConfigurationError([
      `${name}_FILE is not valid: what it names ${error.message}; give the path of a file with one line, the secret`,
    ]);
  }
};

const parsed = <T>(name: string, { parse, valid }: Setting<T>, text: string): T => {
  let why = '';
  try {
    const value = parse(text);
    if (value !== undefined) return value;
  } catch (error) {
    if (!(error instanceof InvalidSetting)) throw error;
    why = `: ${error.message}`;
  }
  throw new ConfigurationError([`${name} is not valid${why}: give ${valid}`]);
};

/** The same setting, as one that may also be given as `NAME_FILE`. */
export const secret = <T>(setting: Setting<T>): Setting<T> => ({ ...setting, secret: true });
/** The same setting, as one that may be left out. */
export const optional = <T>(setting: Setting<T>): Setting<T | undefined> => ({ ...setting, optional: true });

export const text = (valid: string, fallback?: string): Setting<string> => ({
  parse: (t) => t,
  valid,
  ...(fallback === undefined ? {} : { fallback }),
});
export const optionalText = (valid: string): Setting<string | undefined> => optional(text(valid));
export const port = (fallback?: number): Setting<number> => ({
  parse: (t) => (/^\d{1,5}$/.test(t) && Number(t) <= 65535 ? Number(t) : undefined),
  valid: 'a port from 0 to 65535',
  ...(fallback === undefined ? {} : { fallback }),
});
export const optionalPort = (): Setting<number | undefined> => optional(port());
export const url = (protocols: readonly string[], fallback?: string): Setting<string> => ({
  parse: (t) => (URL.canParse(t) && protocols.includes(new URL(t).protocol) ? t : undefined),
  valid: `an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  ...(fallback === undefined ? {} : { fallback }),
});

/** The address of a PostgreSQL database with user and password. */
export const postgresUrl = secret(url(['postgres:', 'postgresql:']));
