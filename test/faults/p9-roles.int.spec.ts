import type { InjectOptions } from 'fastify';
import { newId } from '#kernel';
import { TOKEN_ROLES, Tokens } from '#tokens';
import { REFUSALS } from './clean-refusal.js';
import { ACCESS_MATRIX, isAdmitted } from './access-matrix.js';
import { WholeApi } from './whole-api.js';

/** A request that every route takes for one to itself: an id that nobody has, an empty body. */
const requestTo = (route: string, key: string): InjectOptions => {
  const [method, path] = route.split(' ') as ['GET' | 'POST' | 'PATCH', string];
  const url = path.replace(':kind', 'customers').replace(':name', 'no-such-projection').replace(/:\w+/g, newId());
  const headers = { 'if-match': '"0"', ...(method === 'GET' ? {} : { 'idempotency-key': key }) };
  return { method, url, headers, ...(method === 'GET' ? {} : { payload: {} }) };
};

describe('every route with every role (P9)', () => {
  let api: WholeApi;
  beforeAll(async () => (api = await WholeApi.start()));
  afterAll(() => api.stop());

  const sent = (route: string) => requestTo(route, api.nextKey());
  const asHead = (request: InjectOptions): InjectOptions => ({ ...request, method: 'HEAD' });
  /** Runs a call that is to be refused, and sees that it leaves nothing in the log but a record of the refusal. */
  const refused = async (call: () => Promise<{ statusCode: number; body: string }>) => {
    const before = await api.side.ledger.head();
    const { statusCode, body } = await call();
    const written = await api.writtenAfter(before);
    expect(written.filter(({ type }) => !REFUSALS.has(type))).toEqual([]);
    return { status: statusCode, code: body === '' ? undefined : (JSON.parse(body) as { code: string }).code };
  };

  it('is in the matrix, and the matrix has no other', () =>
    expect([...api.routes()].sort()).toEqual(Object.keys(ACCESS_MATRIX).sort()));

  it.each(Object.keys(ACCESS_MATRIX))('%s', async (route) => {
    const admitted = new Map<string, boolean>();
    for (const role of TOKEN_ROLES) {
      const call = () => api.call(role, sent(route));
      const answer = isAdmitted(route, role) ? await call() : undefined;
      // What an admitted caller is told is another spec's matter; that they got past the door is ours.
      const turnedAway = answer?.statusCode === 403 && answer.json<{ code: string }>().code === 'forbidden';
      if (answer) admitted.set(role, answer.statusCode < 500 && answer.statusCode !== 401 && !turnedAway);
      else admitted.set(role, (await refused(call)).code !== 'forbidden');
      if (!answer && route.startsWith('GET '))
        expect(await refused(() => api.call(role, asHead(sent(route))))).toMatchObject({ status: 403 });
    }
    expect(Object.fromEntries(admitted)).toEqual(
      Object.fromEntries(TOKEN_ROLES.map((role) => [role, isAdmitted(route, role)])),
    );
  });

  it('is written down where somebody tries a route beyond their role', async () => {
    const before = await api.side.ledger.head();
    const role = 'analyst';
    const { info, token } = await new Tokens(api.side.pool, api.side.clock).create({ roles: [role], label: 'curious' });
    const headers = { authorization: `Bearer ${token}` };
    for (let n = 0; n < 3; n++) await api.app.inject({ url: `/v1/customers/${newId()}`, headers });
    const written = await api.writtenAfter(before);
    expect(written.map(({ type }) => type)).toEqual(['access.role-refused']);
    const [event] = await api.side.ledger.read(written[0]!.stream);
    expect(event).toMatchObject({
      metadata: { actor: info.actorId },
      data: { method: 'GET', route: '/v1/customers/:id', attempts: 1 },
    });
  });

  it('is closed to whoever has no good token, but the public ones', async () => {
    const tokens = new Tokens(api.side.pool, api.side.clock);
    const revoked = await tokens.create({ roles: TOKEN_ROLES, label: 'revoked' });
    await tokens.revoke(revoked.info.tokenId);
    const expired = await tokens.create({ roles: TOKEN_ROLES, label: 'x', expiresAt: api.side.clock.now() });
    const unknown = `mk_${newId().replaceAll('-', '')}_${'a'.repeat(43)}`;
    const bearers = [unknown, revoked.token, expired.token, `${api.tokens.operator}x`].map((t) => `Bearer ${t}`);
    const shown = [undefined, '', 'Bearer', `Basic ${api.tokens.operator}`, api.tokens.operator, ...bearers];
    for (const route of Object.keys(ACCESS_MATRIX)) {
      for (const authorization of shown) {
        const request = sent(route);
        const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
        const call = () => api.app.inject({ ...request, headers });
        if (ACCESS_MATRIX[route] === 'public') expect((await call()).statusCode).not.toBe(401);
        else expect([route, await refused(call)]).toEqual([route, { status: 401, code: 'unauthenticated' }]);
      }
    }
  });
});
