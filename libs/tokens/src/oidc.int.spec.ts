import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CryptoKey, JWK } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { SystemClock, optional, readConfiguration } from '#kernel';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { Bearers, OidcTokens, Tokens, oidcIssuer } from './index.js';

/** A provider with one key: discovery and key set over HTTP, as any other has them. */
const startProvider = async (keysAt?: string) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' };
  const server = createServer((request, response) => {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = request.url?.endsWith('openid-configuration')
      ? { issuer: base, jwks_uri: keysAt ?? `${base}/keys` }
      : { keys: [jwk] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, privateKey, issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

describe('bearer tokens of a provider', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  let server: Server;
  let privateKey: CryptoKey;
  let bearers: Bearers;
  let issuer: string;

  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec' });
    const tokens = new Tokens(pool, new SystemClock());
    await tokens.migrate();
    ({ server, privateKey, issuer } = await startProvider());
    const settings = { issuer, audience: 'makuler', roleClaim: 'realm_access.roles', tokenType: undefined };
    bearers = new Bearers(tokens, new OidcTokens(pool, new SystemClock(), settings));
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await pool.end();
    await database.drop();
  });

  const token = (
    over: Record<string, unknown> = {},
    { key = privateKey, until = '5m', alg = 'ES256', typ = undefined as string | undefined } = {},
  ) =>
    new SignJWT({
      realm_access: { roles: ['compliance', 'something-else'] },
      sub: 'kari',
      aud: 'makuler',
      iss: issuer,
      ...over,
    })
      .setProtectedHeader({ alg, kid: 'one', ...(typ !== undefined && { typ }) })
      .setExpirationTime(until)
      .sign(key);

  it('speak for a person, with the roles of ours that they name, under an actor id that stays and says nothing', async () => {
    const first = await bearers.verify(await token());
    expect(first).toMatchObject({ roles: ['compliance'], defaultPurpose: undefined });
    expect((await bearers.verify(await token()))!.actorId).toBe(first!.actorId);
    expect((await bearers.verify(await token({ sub: 'ola' })))!.actorId).not.toBe(first!.actorId);
    const { rows } = await pool.query<{ row: string }>('select oidc_actor::text as row from oidc_actor');
    expect(JSON.stringify(rows)).not.toMatch(/kari|ola/);
  });

  it('make one actor of one person, however many ask at once', async () => {
    const same = await token({ sub: 'many' });
    const all = await Promise.all(Array.from({ length: 20 }, () => bearers.verify(same)));
    expect(new Set(all.map((holder) => holder!.actorId)).size).toBe(1);
  });

  it('are not taken when they are for somebody else, of somebody else, expired, unsigned or signed otherwise', async () => {
    const { privateKey: other } = await generateKeyPair('ES256');
    const [head = '', body = ''] = (await token()).split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.x`;
    const secret = new TextEncoder().encode('a secret that everybody knows: a public key');
    const bad = [
      await token({ aud: 'another' }),
      await token({ iss: 'https://another.example' }),
      await token({}, { until: '-2m' }),
      await token({}, { key: other }),
      await token({ sub: undefined }),
      await token({}, { key: secret as never, alg: 'HS256' }),
      unsigned,
      `${head}.${body}.x`,
    ];
    for (const one of bad) expect(await bearers.verify(one)).toBeUndefined();
  });

  it('are taken of the type that is asked for only: a token that tells a client who came in is none for us', async () => {
    const settings = { issuer, audience: 'makuler', roleClaim: 'realm_access.roles', tokenType: 'at+jwt' };
    const strict = new OidcTokens(pool, new SystemClock(), settings);
    for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT'])
      expect(await strict.verify(await token({}, { typ }))).toMatchObject({ roles: ['compliance'] });
    for (const typ of ['JWT', 'logout+jwt', '', undefined])
      expect(await strict.verify(await token({}, { typ }))).toBeUndefined();
  });

  it('have no role where the claim has none of ours', async () => {
    for (const realm_access of [undefined, {}, { roles: 'operator2' }, { roles: { operator: true } }])
      expect((await bearers.verify(await token({ realm_access })))!.roles).toEqual([]);
    expect((await bearers.verify(await token({ realm_access: { roles: 'operator analyst' } })))!.roles).toEqual([
      'analyst',
      'operator',
    ]);
  });

  it('are unavailable, and not refused, while the provider is', async () => {
    const settings = { issuer: 'http://127.0.0.1:1', audience: 'makuler', roleClaim: 'roles', tokenType: undefined };
    const away = new OidcTokens(pool, new SystemClock(), settings);
    await expect(away.verify(await token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
  });

  it('are believed only by keys that came over TLS, or from this machine: whoever is on the way would make tokens', async () => {
    const read = (OIDC_ISSUER: string) => readConfiguration({ OIDC_ISSUER }, { OIDC_ISSUER: optional(oidcIssuer) });
    for (const good of ['https://id.example.com/realms/jpi', 'http://localhost:8080', 'http://[::1]:8080', issuer])
      expect(read(good)).toEqual({ OIDC_ISSUER: good });
    for (const bad of [
      'http://id.example.com',
      'http://localhost.example.com',
      'http://127.0.0.1.example.com',
      'id.example.com',
    ])
      expect(() => read(bad)).toThrow('OIDC_ISSUER is not valid');

    const provider = await startProvider('http://id.example.com/keys');
    const settings = { issuer: provider.issuer, audience: 'makuler', roleClaim: 'roles', tokenType: undefined };
    const elsewhere = new OidcTokens(pool, new SystemClock(), settings);
    const refused = elsewhere.verify(await token({ iss: provider.issuer }, { key: provider.privateKey }));
    await expect(refused).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
    provider.server.closeAllConnections();
    provider.server.close();
  });
});
