import { glob, readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Setting } from '#kernel';
import { SETTINGS as api } from '../../apps/api/src/config.js';
import { SETTINGS as up } from '../../apps/cli/src/up/up.command.js';
import { SETTINGS as eventNode } from '../../apps/event-node/src/config.js';
import { SETTINGS as projector } from '../../apps/projector/src/config.js';
import { SETTINGS as vault } from '../../apps/vault/src/config.js';
import { SETTINGS as worker } from '../../apps/worker/src/config.js';

type Settings = Readonly<Record<string, Setting<unknown>>>;
const PROGRAMS: Readonly<Record<string, Settings>> = { api, projector, worker, vault, 'event-node': eventNode, up };

const page = readFileSync('docs/operations.md', 'utf8');
/** The rows of the page's table of variables, one for each program that reads one. */
const documented = [
  ...page.matchAll(/^\| `([A-Z_]+)`(, `…_FILE`)?\s*\| ([a-z, -]+?)\s*\| (needed|—|`[^`]+`)\s*\|/gm),
].flatMap(([, name, file, programs, without]) =>
  programs!
    .split(', ')
    .map((program) => ({ program, name: name!, secret: file !== undefined, without: without!.replaceAll('`', '') })),
);
const of = (program: string) => documented.filter((row) => row.program === program);

describe('docs/operations.md', () => {
  it.each(Object.entries(PROGRAMS))(
    'names every variable of %s once, and none that it does not read',
    (program, settings) => {
      expect(Object.keys(settings).length).toBeGreaterThan(6);
      expect(
        of(program)
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(Object.keys(settings).toSorted());
    },
  );

  it.each(Object.entries(PROGRAMS))(
    'says what of %s may be a file, what is needed, and what holds without it',
    (program, settings) => {
      for (const { name, secret, without } of of(program)) {
        const { secret: isSecret = false, optional = false, fallback, parse: read } = settings[name]!;
        expect({ name, secret }).toEqual({ name, secret: isSecret });
        const holds = fallback !== undefined ? fallback : optional ? '—' : 'needed';
        expect({ name, holds: without === '—' || without === 'needed' ? without : read(without) }).toEqual({
          name,
          holds,
        });
      }
    },
  );

  it('names what the other commands of makuler read, and nothing else', async () => {
    const read = new Set<string>();
    const files = new Set<string>();
    for await (const file of glob('apps/cli/src/**/*.ts')) {
      const text = await readFile(file, 'utf8');
      for (const [, plain, secret] of text.matchAll(/environment\['(\w+)'\]|readSecret\(environment, '(\w+)'\)/g)) {
        read.add(plain ?? secret!);
        if (secret !== undefined) files.add(secret);
      }
    }
    expect(
      of('cli')
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([...read].toSorted());
    expect(
      of('cli')
        .flatMap(({ name, secret }) => (secret ? [name] : []))
        .toSorted(),
    ).toEqual([...files].toSorted());
  });

  it('says of every alert what to do', () => {
    const { groups } = parse(readFileSync('deploy/alerts.yaml', 'utf8')) as {
      groups: { rules: { alert: string }[] }[];
    };
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const answered = [...page.matchAll(/^\| `(Makuler\w+)`\s*\|/gm)].map(([, alert]) => alert!);
    expect(answered.toSorted()).toEqual(alerts.toSorted());
  });

  it('calls no variable a secret that is not, and none harmless that holds a password', () => {
    const holdsOne = /^(?!RATE_LIMIT_).*(?:_URL|PASSWORD|TOKEN|SECRET|PIN)$/;
    for (const settings of Object.values(PROGRAMS))
      for (const [name, { secret = false }] of Object.entries(settings))
        expect({ name, secret }).toEqual({ name, secret: holdsOne.test(name) });
  });
});
