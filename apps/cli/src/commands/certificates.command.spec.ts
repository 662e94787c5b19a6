import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from '../program.js';

it('certificates are not made of a second authority, where one lies beside them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-certificates-'));
  try {
    await writeFile(join(directory, 'ca.key'), '');
    const making = createProgram().parseAsync(['certificates', directory], { from: 'user' });
    await expect(making).rejects.toMatchObject({ wayOut: expect.stringContaining('Move its ca.crt and ca.key') });
    expect(await readdir(directory)).toEqual(['ca.key']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
