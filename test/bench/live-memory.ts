import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Where Node's inspector listens when SIGUSR1 opens it (nodejs.org/api/process.html, signal events): one process at a time. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list';
const POLL_MS = 20;
const PATIENCE_MS = 5_000;
const MIB = 1024 * 1024;

/**
 * What a running Node process still reaches once everything else has been collected, in MiB: objects and the memory of
 * buffers. Resident memory says when V8 chose to collect; this says whether something is kept. Opens the process's inspector for
 * a moment. Throws when it does not open within five seconds.
 */
export const liveMemory = async (pid: number): Promise<number> => {
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await within(PATIENCE_MS, addressOfInspector));
  await Promise.race([
    once(socket, 'open'),
    once(socket, 'error').then(() => Promise.reject(new Error('the inspector of a process did not answer'))),
  ]);
  let id = 0;
  const ask = async <Answer>(method: string, params: object = {}): Promise<Answer> => {
    const answered = once(socket, 'message') as Promise<[{ readonly data: string }]>;
    socket.send(JSON.stringify({ id: ++id, method, params }));
    return (JSON.parse((await answered)[0].data) as { result: Answer }).result;
  };
  const evaluate = async (expression: string) =>
    (await ask<{ result: { value: string } }>('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  // Another process may have had its inspector open.
  if ((await evaluate('String(process.pid)')) !== String(pid)) throw new Error('another process is being inspected');
  // Buffers are freed by what the first one finds unreachable.
  for (const _ of [1, 2]) await ask('HeapProfiler.collectGarbage');
  const { heapUsed, external } = JSON.parse(
    await evaluate('JSON.stringify(process.memoryUsage())'),
  ) as NodeJS.MemoryUsage;
  // Once this connection is gone: it would wait for it.
  await evaluate(`setTimeout(() => process.getBuiltinModule('inspector').close(), ${POLL_MS}), ''`);
  socket.close();
  await within(PATIENCE_MS, async () => ((await addressOfInspector()) === undefined ? true : undefined));
  return (heapUsed + external) / MIB;
};

const addressOfInspector = async (): Promise<string | undefined> => {
  try {
    const [target] = (await (await fetch(INSPECTOR)).json()) as { webSocketDebuggerUrl: string }[];
    return target?.webSocketDebuggerUrl;
  } catch {
    return undefined;
  }
};

const within = async <T>(ms: number, look: () => Promise<T | undefined>): Promise<T> => {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; await delay(POLL_MS)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('the inspector of a process did not open or close');
};
