import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigurationError,
  InvalidSetting,
  optional,
  port,
  postgresUrl,
  readConfiguration,
  text,
} from './configuration.js';
import { readSecret, secret } from './configuration.js';

const SECRET = 'postgres://makuler:h3mmelig@db/readmodels';
let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'makuler-secrets-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const fileWith = (content: string | Uint8Array, mode = 0o600): string => {
  const file = join(directory, 'secret');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
};
const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfiguration(env, { DATABASE_URL: postgresUrl, PORT: port() });
  } catch (error) {
    expect(String((error as Error).stack)).not.toMatch(/h3mmelig/);
    return (error as ConfigurationError).problems;
  }
  return [];
};

describe('a secret of the configuration', () => {
  it.each([
    ['as it is', SECRET],
    ['without the newline at its end', `${SECRET}\n`],
    ['without a newline of Windows', `${SECRET}\r\n`],
  ])('is read from the file that NAME_FILE names, %s', (_, content) => {
    const env = { DATABASE_URL_FILE: fileWith(content), PORT: '1' };
    expect(readConfiguration(env, { DATABASE_URL: postgresUrl, PORT: port() })).toEqual({
      DATABASE_URL: SECRET,
      PORT: 1,
    });
  });

  it('is found behind the links that Kubernetes makes, and where others may read it', () => {
    const link = join(directory, 'link');
    symlinkSync(fileWith(SECRET, 0o644), link);
    expect(readSecret({ NAME_FILE: link }, 'NAME')).toBe(SECRET);
  });

  it('is refused when both are given', () => {
    expect(problemsOf({ DATABASE_URL: SECRET, DATABASE_URL_FILE: fileWith(SECRET), PORT: '1' })).toEqual([
      'DATABASE_URL and DATABASE_URL_FILE are both given: give one of them',
    ]);
  });

  it.each([
    ['cannot be read', () => join(directory, 'none'), /can't be read \(ENOENT\)/],
    ['is a directory', () => directory, /is not a plain file/],
    ['can be written by anybody', () => fileWith(SECRET, 0o606), /can be written by anybody/],
    ['is too large', () => fileWith(SECRET.padEnd(20_000, 'x')), /is larger than 16 KiB/],
    ['is empty', () => fileWith('\n'), /is empty/],
    ['has two lines', () => fileWith(`${SECRET}\nh3mmelig\n`), /more than one line/],
    ['has a NUL byte', () => fileWith(`${SECRET}\0`), /more than one line/],
    ['is not UTF-8', () => fileWith(Uint8Array.of(0x68, 0xff)), /not UTF-8/],
  ])('is refused when its file %s, with every other problem and without its value', (_, file, what) => {
    const [problem, ...others] = problemsOf({ DATABASE_URL_FILE: file(), PORT: 'x' });
    expect(problem).toMatch(/^DATABASE_URL_FILE is not valid: /);
    expect(problem).toMatch(what);
    expect(others).toEqual([expect.stringMatching(/^PORT is not valid/)]);
  });

  it('does not wait for a writer when its file is a pipe', () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(problemsOf({ DATABASE_URL_FILE: pipe, PORT: '1' })).toEqual([expect.stringMatching(/not a plain file/)]);
  });

  it('is held to what a variable is held to', () => {
    expect(problemsOf({ DATABASE_URL_FILE: fileWith('mysql://h3mmelig'), PORT: '1' })).toEqual([
      expect.stringMatching(/^DATABASE_URL is not valid: give an address that begins with postgres:/),
    ]);
    expect(problemsOf({ PORT: '1' })).toEqual([expect.stringMatching(/DATABASE_URL is missing: .*DATABASE_URL_FILE$/)]);
  });

  it('is the only kind of setting that is read from files', () => {
    const env = { HOST_FILE: fileWith('elsewhere') };
    expect(readConfiguration(env, { HOST: text('a host', 'here') })).toEqual({ HOST: 'here' });
    expect(readConfiguration(env, { HOST: optional(secret(text('a host'))) })).toEqual({ HOST: 'elsewhere' });
  });
});

describe('a setting that says what is wrong with it', () => {
  it('is heard, beside what would be valid', () => {
    const even = {
      parse: (): number => {
        throw new InvalidSetting('it is odd');
      },
      valid: 'an even number',
    };
    expect(() => readConfiguration({ N: '3' }, { N: even })).toThrow('N is not valid: it is odd: give an even number');
  });
});
