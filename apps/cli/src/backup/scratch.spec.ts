import { spawnSync } from 'node:child_process';
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeScratch } from './scratch.js';

describe('the scratch directory of a drill', () => {
  it('takes the place of what a killed drill left, and of nothing else', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'makuler-scratch-'));
    const dead = spawnSync(process.execPath, ['--version']).pid;
    const [left, another, foreign] = [`makuler-drill-${dead}-aB3dE6`, `makuler-drill-${process.pid}-x`, 'something'];
    for (const name of [left, another, foreign]) await mkdir(join(parent, name, 'home'), { recursive: true });
    const scratch = await makeScratch(parent);
    await expect(access(join(parent, left))).rejects.toMatchObject({ code: 'ENOENT' });
    for (const place of [join(parent, another), join(parent, foreign), scratch]) await access(place);
    expect(await makeScratch(parent)).not.toBe(scratch);
    await access(scratch);
    await rm(parent, { recursive: true });
  });
});
