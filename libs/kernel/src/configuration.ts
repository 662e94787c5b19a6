/** One variable of a program's configuration: how to read it, what would be valid, and what holds without it. */
export interface Setting<T> {
  readonly parse: (text: string) => T | undefined;
  /** What would be valid, for the message: `a port from 0 to 65535`. */
  readonly valid: string;
  readonly fallback?: T;
  readonly optional?: boolean;
}

export class ConfigurationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n  ${problems.join('\n  ')}`,
    );
    this.name = 'ConfigurationError';
  }
}

type Settings = Record<string, Setting<unknown>>;
type Values<S extends Settings> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/**
 * Reads the whole configuration at once. Every problem is named, with the variable and what would be valid, never with
 * its value (it may be a secret). Throws ConfigurationError.
 */
export const readConfiguration = <S extends Settings>(
  env: Record<string, string | undefined>,
  settings: S,
): Values<S> => {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const text = env[name];
    if (text === undefined || text === '') {
      if (setting.fallback !== undefined || setting.optional) values[name] = setting.fallback;
      else problems.push(`${name} is missing: give ${setting.valid}`);
      continue;
    }
    const value = setting.parse(text);
    if (value === undefined) problems.push(`${name} is not valid: give ${setting.valid}`);
    else values[name] = value;
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return values as Values<S>;
};

export const text = (valid: string, fallback?: string): Setting<string> => ({
  parse: (t) => t,
  valid,
  ...(fallback === undefined ? {} : { fallback }),
});
export const optionalText = (valid: string): Setting<string | undefined> => ({
  parse: (t) => t,
  valid,
  optional: true,
});
export const port = (fallback?: number): Setting<number> => ({
  parse: (t) => (/^\d{1,5}$/.test(t) && Number(t) <= 65535 ? Number(t) : undefined),
  valid: 'a port from 0 to 65535',
  ...(fallback === undefined ? {} : { fallback }),
});
export const optionalPort = (): Setting<number | undefined> => ({ ...port(), optional: true });
export const url = (protocols: readonly string[], fallback?: string): Setting<string> => ({
  parse: (t) => (URL.canParse(t) && protocols.includes(new URL(t).protocol) ? t : undefined),
  valid: `an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  ...(fallback === undefined ? {} : { fallback }),
});
