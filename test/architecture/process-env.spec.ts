import { glob, readFile } from 'node:fs/promises';

describe('the environment', () => {
  it('is read in one file of each app, and in no library', async () => {
    const readers: Record<string, string[]> = {};
    for await (const file of glob('{apps,libs}/**/*.ts')) {
      if (file.endsWith('.spec.ts') || file.startsWith('libs/testing/')) continue;
      if (!/\bprocess\s*\.\s*env\b|\benv\b[^=\n]*\}\s*=\s*process\b/.test(codeOf(await readFile(file, 'utf8'))))
        continue;
      (readers[file.split('/').slice(0, 2).join('/')] ??= []).push(file.split('/').slice(2).join('/'));
    }
    expect(Object.keys(readers)).toContain('apps/cli');
    expect(Object.entries(readers).filter(([place]) => place.startsWith('libs/'))).toEqual([]);
    expect(Object.entries(readers).filter(([, files]) => files.join() !== 'src/config.ts')).toEqual([]);
  });
});

const codeOf = (text: string): string => text.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
