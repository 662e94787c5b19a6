import { connect } from 'node:net';
import type { Role } from '#kernel';
import type { Installation } from '../journeys/installation.js';

/** What came back, headers included, as one text. */
export interface Said {
  readonly status: number;
  readonly text: string;
}

const ROLES: readonly (Role | 'nobody')[] = [
  'integrator',
  'service-desk',
  'analyst',
  'compliance',
  'approver',
  'auditor',
  'operator',
  'nobody',
];

/** Sends bytes as they are, well-formed HTTP or not, and hears everything that is answered. */
export const sendRaw = (makuler: Installation, bytes: string): Promise<Said> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(makuler.url);
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    // The server may hang up before it has heard all of it; what it said until then is what counts.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0), text }));
  });

/**
 * Puts a person's values where they don't belong: other routes' addresses, fields, headers and tokens, names of fields, broken
 * JSON, broken HTTP; as every role, and as nobody. Answers with all that was said to it.
 */
export const misuse = async (
  makuler: Installation,
  values: readonly string[],
  customerId: string,
): Promise<readonly Said[]> => {
  const said: Said[] = [];
  const openapi = (await makuler.get('/openapi.json', { as: 'nobody' })).body as {
    paths: Record<string, Record<string, unknown>>;
  };
  const routes = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
  );
  const headerSafe = (value: string) => encodeURIComponent(value);
  const send = async (...[method, path, options]: Parameters<Installation['request']>) => {
    const { status, text, headers } = await makuler.request(method, path, options);
    said.push({ status, text: `${[...headers].map((header) => header.join(': ')).join('\n')}\n${text}` });
  };
  const value = (n: number) => values[n % values.length]!;

  for (const [n, { path, method }] of routes.entries()) {
    const address = (word: string) => path.replace(/\{\w+\}/g, encodeURIComponent(word));
    const query = `?${headerSafe(value(n))}=x&cursor=${headerSafe(value(n + 1))}&by=${headerSafe(value(n + 2))}&from=${headerSafe(value(n))}&status=${headerSafe(value(n + 3))}`;
    const body = method === 'GET' ? {} : { body: everyField(values, n) };
    // The route as it is meant but for its values; then every role at a real id, with a purpose that is none.
    for (const as of ROLES) {
      await send(method, `${address(value(n))}${query}`, { as, purpose: 'rettigheter', ...body });
      const purpose = as === 'analyst' ? 'rettigheter' : headerSafe(value(n + 1));
      const headers = { 'if-match': `"${headerSafe(value(n))}"`, 'makuler-after': headerSafe(value(n)) };
      // What would really end a person's life here is no misuse: the erasures of the test are its own.
      if (!/erasures|sweeps|rebuild|clock/.test(path))
        await send(method, address(customerId), { as, purpose, headers, ...body });
    }
  }
  for (const [n, one] of values.entries()) {
    const headers = {
      referer: `http://shop.example/${headerSafe(one)}`,
      'user-agent': headerSafe(one),
      cookie: `who=${headerSafe(one)}`,
      'x-request-id': headerSafe(one),
      'x-forwarded-for': headerSafe(one),
      traceparent: headerSafe(one),
      accept: `text/${headerSafe(one)}`,
    };
    await send('GET', `/v1/customers/${customerId}`, { purpose: 'avtale', headers });
    await send('GET', `/v1/customers/${customerId}`, { headers: { authorization: `Bearer ${headerSafe(one)}` } });
    await send('GET', `/${headerSafe(one)}`, { as: 'compliance' });
    await send('GET', `/errors/${headerSafe(one)}`, { as: 'nobody' });
    await send('DELETE', `/v1/customers/${headerSafe(one)}`, { as: 'compliance' });
    await send('POST', '/v1/customers', {
      key: headerSafe(one).slice(0, 100),
      body: { [one]: one, [value(n + 1)]: [one] },
    });
    await send('POST', '/v1/customers', {
      purpose: 'avtale',
      body: { relationship: one, name: { first: one }, phone: [one] },
    });
    await send('POST', '/v1/customers', { purpose: 'avtale', body: one });
    await send('POST', '/v1/customers', {
      purpose: 'avtale',
      body: { relationship: 'lead', name: one, email: one, phone: one },
    });
    await send('POST', '/v1/customers/search', {
      as: 'compliance',
      purpose: 'kundehjelp',
      body: { email: one, name: one },
    });
    await send('POST', '/v1/customers/search', { as: 'compliance', purpose: 'tilgang', body: { nationalId: one } });
    const token = makuler.token('integrator');
    const post = (type: string, text: string) =>
      sendRaw(
        makuler,
        `POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nidempotency-key: k${n}\r\nmakuler-purpose: avtale\r\n` +
          `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
    said.push(await post('application/json', `{"name": "${one}", "phone": ${one}}`));
    said.push(await post('application/json', `{"__proto__": {"name": "${one}"}}`));
    said.push(await post(`application/${headerSafe(one)}`, one));
    said.push(await post('text/plain', one));
    said.push(await post('application/json', JSON.stringify({ name: one.repeat(200_000) })));
    said.push(await sendRaw(makuler, `${one} / HTTP/9.9\r\n\r\n`));
    said.push(await sendRaw(makuler, `GET /v1/customers/%${one} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`));
    said.push(await sendRaw(makuler, `GET / HTTP/1.1\r\nhost: x\r\n${headerSafe(one)} no colon\r\n\r\n`));
    said.push(await sendRaw(makuler, `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${headerSafe(one).repeat(8_000)}\r\n\r\n`));
  }
  return said;
};

/** A body that has a field of every name that some route takes, each with a value that isn't for it. */
const everyField = (values: readonly string[], n: number): Record<string, unknown> => {
  const value = (k: number) => values[(n + k) % values.length]!;
  return {
    relationship: value(0),
    name: value(1),
    phone: value(2),
    companyId: value(3),
    customerId: value(4),
    purchasedAt: value(0),
    currency: value(1),
    lines: [{ kind: value(2), itemType: value(3), quantity: value(4), unitPrice: value(0) }],
    invoice: { number: value(1), date: value(2) },
    kind: value(3),
    item: { itemType: value(4) },
    description: `${value(0)} 01010750160`,
    text: `${value(1)} 01010750160`,
    to: value(2),
    ground: value(3),
    note: value(4),
    planHash: value(0).repeat(9).slice(0, 64).padEnd(64, '0'),
    asOf: value(1),
    dryRun: value(2),
    source: value(3),
    rows: [{ line: value(4), key: value(0), record: { [value(1)]: value(2) } }],
    [value(0)]: value(1),
  };
};
