import { execFile } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { promisify } from 'node:util';

interface Module {
  readonly source: string;
  readonly dependencies: readonly { readonly module: string; readonly resolved: string }[];
}
interface Cruise {
  readonly modules: readonly Module[];
  readonly summary: { readonly violations: readonly { rule: { name: string }; from: string; to: string }[] };
}

const cruise = async (): Promise<Cruise> => {
  const program = 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs';
  const parameters = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'apps', 'libs', 'test'];
  // With violations it exits with their number, and still prints all of it.
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...parameters], {
    maxBuffer: 2 ** 28,
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  return JSON.parse(stdout) as Cruise;
};

describe('the import law', () => {
  let result: Cruise;
  beforeAll(async () => {
    result = await cruise();
  });

  it('is kept', () =>
    expect(result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]));

  it('was asked of every source file', async () => {
    const read = new Set(result.modules.map(({ source }) => source));
    const files: string[] = [];
    for await (const file of glob('{apps,libs,test}/**/*.{ts,tsx,mjs}')) files.push(file);
    expect(files.filter((file) => !file.endsWith('.d.ts') && !read.has(file))).toEqual([]);
    expect(files.length).toBeGreaterThan(300);
  });

  it('saw through the names of libraries to their files', () => {
    const named = result.modules.flatMap(({ dependencies }) =>
      dependencies.filter(({ module }) => module.startsWith('#')),
    );
    expect(named.length).toBeGreaterThan(300);
    expect(named.filter(({ resolved }) => !/^libs\/[^/]+\/src\/.+\.ts$/.test(resolved))).toEqual([]);
  });
});
