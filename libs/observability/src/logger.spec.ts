import { readFile } from 'node:fs/promises';
import { MakulerError, Personal, correlated } from '#kernel';
import { createLogger } from './logger.js';

const MARK = 'Kari Nordmann';

const logged = (write: (logger: ReturnType<typeof createLogger>) => void): string => {
  const lines: string[] = [];
  write(createLogger({ name: 'spec', destination: { write: (line: string) => void lines.push(line) } }));
  return lines.join('');
};
const foreign = () =>
  Object.assign(new Error(`value ${MARK}\n    at ${MARK} (a.js:1:1)`), {
    detail: `Key (name)=(${MARK})`,
    code: '23505',
  });

describe('the logger', () => {
  it.each<[string, Parameters<typeof logged>[0]]>([
    ['a personal value', (log) => log.info({ name: new Personal(MARK) }, 'x %s', new Personal(MARK))],
    ['a foreign error alone', (log) => log.error(foreign())],
    ['a foreign error as err', (log) => log.error({ err: foreign() })],
    ['a foreign error in the depth', (log) => log.error({ a: [{ b: foreign() }] }, 'failed')],
    ['a foreign error as a parameter', (log) => log.error('failed: %s', foreign())],
    ['a cause', (log) => log.error(new MakulerError('internal', { cause: foreign() }))],
    ['a child logger', (log) => log.child({ requestId: '1' }).error(foreign())],
    [
      'bytes and instances',
      (log) => log.info({ key: Buffer.from(MARK), map: new URLSearchParams({ q: MARK }), x: new Map([[1, MARK]]) }),
    ],
  ])('never shows a value that came in as %s', (_, write) => {
    const text = logged(write);
    expect(text).not.toBe('');
    expect(text).not.toContain('Kari');
    expect(text).not.toContain(Buffer.from(MARK).toString('base64').slice(0, 8));
  });

  it('keeps what helps: type, code, places, and the sentences of our own errors', () => {
    const line: unknown = JSON.parse(
      logged((log) => log.error(new MakulerError('conflict', { facts: { tries: 3n } }), 'gave up')),
    );
    expect(line).toMatchObject({
      level: 'error',
      name: 'spec',
      msg: 'gave up',
      err: { type: 'MakulerError', code: 'conflict', facts: { tries: '3' }, detail: expect.stringContaining('stream') },
    });
    expect(JSON.stringify(line)).toContain('logger.spec.ts');
  });

  it('shows the code of a system error', async () => {
    const error: unknown = await readFile('/nowhere/at-all').catch((e: unknown) => e);
    expect(logged((log) => log.error(error))).toContain('"code":"ENOENT"');
  });

  it('says of every line which request or job it belongs to, however deep and late it is written', async () => {
    const lines: string[] = [];
    const log = createLogger({ name: 'spec', destination: { write: (line: string) => void lines.push(line) } });
    const deep = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      log.warn(foreign(), 'it went wrong');
      log.info({ projection: 'customer_card' }, 'x');
    };
    await Promise.all([correlated({ requestId: 'r' }, deep), correlated({ job: 'sweep', jobId: 'j' }, deep), deep()]);
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map(({ requestId, job, jobId }) => [requestId, job, jobId].join(' ').trim()).sort()).toEqual([
      '',
      '',
      'r',
      'r',
      'sweep j',
      'sweep j',
    ]);
    expect(lines.join('')).not.toContain('Kari');
  });
});
