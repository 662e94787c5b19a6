import { readFileSync } from 'node:fs';

const RECORD = 'docs/decisions/0002-node-and-install-scripts.md';
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, { hasInstallScript?: boolean; resolved?: string }>;
};
const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { allowScripts: Record<string, boolean> };

/** The table of the decision record: a name, or a scope with all its packages, and whether the script may run. */
const decided = [...readFileSync(RECORD, 'utf8').matchAll(/^\| `([^`]+)`\s*\|[^|]*\|\s*(yes|no)\s*\|/gm)].map(
  ([, name, answer]) => ({ name: name!, mayRun: answer === 'yes' }),
);
const covers = (row: string, name: string) => (row.endsWith('/*') ? name.startsWith(row.slice(0, -1)) : row === name);
const nameOf = (place: string) => place.split('node_modules/').at(-1)!;
const withScript = Object.entries(packages).flatMap(([place, { hasInstallScript }]) =>
  hasInstallScript ? [nameOf(place)] : [],
);

describe('a package with an install script', () => {
  it('stands in the decision record, and nothing else does', () => {
    expect(Object.keys(packages).length).toBeGreaterThan(500);
    expect(withScript.length).toBeGreaterThan(5);
    expect(withScript.filter((name) => !decided.some((row) => covers(row.name, name)))).toEqual([]);
    expect(decided.filter((row) => !withScript.some((name) => covers(row.name, name)))).toEqual([]);
  });

  it('may run it only where the record says so', () => {
    const rowOf = (name: string) => decided.find((row) => covers(row.name, name));
    const wrong = Object.entries(allowScripts).filter(([name, mayRun]) => rowOf(name)?.mayRun !== mayRun);
    expect(wrong).toEqual([]);
  });

  // npm knows no pattern: a platform's package that is not named would be left without its script on that platform.
  it('is named, of whatever platform it is', () => {
    expect(withScript.filter((name) => !(name in allowScripts))).toEqual([]);
  });
});

describe('every package of the lock file', () => {
  // .npmrc leaves the registry's own addresses out; what would remain is a repository or an archive of somebody's.
  it('comes from the registry that npm is set to, and from no address of its own', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });
});
