import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';

const text = readFileSync('Dockerfile', 'utf8');
const dockerfile = DockerfileParser.parse(text);
const instructions = (name: string) => dockerfile.getInstructions().filter((one) => one.getKeyword() === name);
/** Those of the image itself, after the stage that builds. */
const last = (name: string) =>
  instructions(name).filter((one) => one.getRange().start.line > dockerfile.getFROMs().at(-1)!.getRange().start.line);
const words = (json: string) => JSON.parse(json.slice(json.indexOf('['))) as string[];

describe('Dockerfile', () => {
  it('is one that Docker takes, without a warning', () => {
    expect(validate(text).map(({ code, range }) => `line ${range.start.line + 1}: ${code}`)).toEqual([]);
  });

  it('builds in a stage of its own, on base images with a version', () => {
    const bases = dockerfile.getFROMs();
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base.getImageTag()).toMatch(/^\d/);
  });

  it('takes into the image what was built, and nothing from the directory that it is built in', () => {
    for (const copy of last('COPY')) expect(copy.getTextContent()).toMatch(/^COPY --from=build /);
    expect(instructions('ADD')).toEqual([]);
  });

  it('installs what the lock file says, and runs no script of a dependency', () => {
    const installs = instructions('RUN').filter((run) => run.getRawArgumentsContent()?.includes('npm ci'));
    expect(installs.map((run) => run.getRawArgumentsContent())).toEqual(['npm ci --ignore-scripts']);
    expect(instructions('RUN').some((run) => /curl|wget|apt-get/.test(run.getRawArgumentsContent() ?? ''))).toBe(false);
  });

  it('runs as a user who is not root, from the last instruction that says so', () => {
    expect(last('USER').map((user) => user.getRawArgumentsContent())).toEqual(['node']);
  });

  it('is asked for its health by what it holds: alive is healthy, unwell and nobody there are not', async () => {
    const [, program, ...parameters] = [...last('HEALTHCHECK').map((check) => words(check.getTextContent()))].flatMap(
      (command) => ['', ...command],
    );
    expect(program).toBe('node');
    let alive = true;
    const api = createServer((request, response) =>
      response.writeHead(request.url === '/health/live' && alive ? 200 : 503).end(),
    ).listen(0, '127.0.0.1');
    await once(api, 'listening');
    const { port } = api.address() as AddressInfo;
    const healthy = (env: Record<string, string>) =>
      promisify(execFile)(process.execPath, parameters, { env }).then(
        () => true,
        () => false,
      );
    expect(await healthy({ PORT: String(port) })).toBe(true);
    expect(await healthy({ PORT: '1', METRICS_PORT: String(port) })).toBe(true);
    alive = false;
    expect(await healthy({ PORT: String(port) })).toBe(false);
    api.close();
    expect(await healthy({ PORT: '1' })).toBe(false);
  });
});
