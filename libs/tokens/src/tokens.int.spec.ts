import { SystemClock } from '#kernel';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { Tokens } from './index.js';

class MovableClock extends SystemClock {
  offsetMs = 0;
  override now(): Date {
    return new Date(super.now().getTime() + this.offsetMs);
  }
}

describe('tokens', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  let tokens: Tokens;
  const clock = new MovableClock();
  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec' });
    tokens = new Tokens(pool, clock);
    await tokens.migrate();
    await tokens.migrate();
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('verifies what it made, and says for whom it speaks', async () => {
    const { token, info } = await tokens.create({
      roles: ['analyst', 'auditor'],
      label: 'x',
      defaultPurpose: 'avtale',
    });
    expect(await tokens.verify(token)).toEqual({
      tokenId: info.tokenId,
      actorId: info.actorId,
      roles: ['analyst', 'auditor'],
      defaultPurpose: 'avtale',
    });
    expect((await tokens.list()).map(({ tokenId }) => tokenId)).toContain(info.tokenId);
  });

  it('keeps nothing from which the token could be had back', async () => {
    const { token } = await tokens.create({ roles: ['operator'], label: 'x' });
    const secret = token.split('_').slice(2).join('_');
    const { rows } = await pool.query("select api_token::text || encode(hash, 'escape') as row from api_token");
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
  });

  it('refuses a wrong secret with a right id, and what is no token', async () => {
    const [one, other] = [
      await tokens.create({ roles: ['operator'], label: 'a' }),
      await tokens.create({ roles: ['operator'], label: 'b' }),
    ];
    const crossed = `${one.token.slice(0, 36)}${other.token.slice(36)}`;
    for (const token of [crossed, '', 'mk_', `${one.token}x`, one.info.tokenId])
      expect(await tokens.verify(token)).toBeUndefined();
  });

  it('refuses a revoked token at once, and an expired one', async () => {
    const { token, info } = await tokens.create({ roles: ['operator'], label: 'x' });
    await tokens.revoke(info.tokenId);
    await tokens.revoke(info.tokenId);
    expect(await tokens.verify(token)).toBeUndefined();
    const short = await tokens.create({
      roles: ['operator'],
      label: 'x',
      expiresAt: new Date(clock.now().getTime() + 60_000),
    });
    expect(await tokens.verify(short.token)).toBeDefined();
    clock.offsetMs = 60_001;
    expect(await tokens.verify(short.token)).toBeUndefined();
  });

  it('rotates a token: the same actor and life with another secret, and the old one ends at once', async () => {
    const expiresAt = new Date(clock.now().getTime() + 60_000);
    const wanted = { roles: ['approver'], label: 'x', defaultPurpose: 'avtale', expiresAt } as const;
    const old = await tokens.create(wanted);
    const next = await tokens.rotate(old.info.tokenId);
    expect(await tokens.verify(old.token)).toBeUndefined();
    const { tokenId, createdAt, expiresAt: until, ...same } = next.info;
    expect(old.info).toMatchObject(same);
    expect(until!.getTime() - createdAt.getTime()).toBe(expiresAt.getTime() - old.info.createdAt.getTime());
    expect(await tokens.verify(next.token)).toMatchObject({ tokenId, actorId: old.info.actorId, roles: ['approver'] });
    await expect(tokens.rotate(old.info.tokenId)).rejects.toMatchObject({ code: 'not-found' });
    await expect(tokens.rotate('no id at all')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('lets the old token live for the grace of a rotation, and never longer than it would have', async () => {
    const old = await tokens.create({ roles: ['operator'], label: 'x' });
    const next = await tokens.rotate(old.info.tokenId, { graceMs: 30_000 });
    expect(next.info.expiresAt).toBeUndefined();
    expect(await tokens.verify(old.token)).toBeDefined();
    const short = await tokens.create({
      roles: ['operator'],
      label: 'x',
      expiresAt: new Date(clock.now().getTime() + 10_000),
    });
    await tokens.rotate(short.info.tokenId, { graceMs: 30_000 });
    clock.offsetMs += 10_001;
    expect(await tokens.verify(short.token)).toBeUndefined();
    expect(await tokens.verify(old.token)).toBeDefined();
    clock.offsetMs += 20_000;
    expect(await tokens.verify(old.token)).toBeUndefined();
    expect(await tokens.verify(next.token)).toBeDefined();
  });

  it.each(['01890000-0000-7000-8000-000000000000', 'no id at all'])('says when there is nothing to revoke: %s', (id) =>
    expect(tokens.revoke(id)).rejects.toMatchObject({ code: 'not-found' }),
  );
});
