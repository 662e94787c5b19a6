import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { InjectOptions } from 'fastify';
import { eventRegistry } from '#composition';
import { CustomerRegistered } from '#customers';
import {
  ErasureAttested,
  erasureBoard,
  ErasureCertified,
  ErasureExecuted,
  ErasureRecertified,
  ErasureVerified,
} from '#erasure';
import type { ActorId, CustomerId, ErasureId } from '#kernel';
import { newId } from '#kernel';
import { createLogger, Metrics } from '#observability';
import { loadPolicy } from '#policy';
import { holdings } from '#retention';
import { OperationsDouble, ReadSide, ShredderDouble, WitnessDouble } from '#testing';
import type { TokenRole } from '#tokens';
import type { ApiParts } from '../app.module.js';
import { createApi } from '../create-api.js';
import { encodeCursor } from '../http/cursor.js';
import { EpochsRoutesModule } from '../epochs/epochs-routes.module.js';
import { RetentionRoutesModule } from '../retention/retention-routes.module.js';
import { ErasureRoutesModule } from './erasure-routes.module.js';

const ROLES: readonly TokenRole[] = ['compliance', 'auditor', 'operator', 'approver'];
const NOW = new Date('2026-06-01T12:00:00Z');

describe('the routes of erasures and epochs', () => {
  let side: ReadSide;
  let app: NestFastifyApplication;
  let shredder: ShredderDouble;
  let operations: OperationsDouble;
  let keys = 0;

  beforeAll(async () => {
    const policy = await loadPolicy('policy/jpi');
    side = await ReadSide.start({ policy, projections: [holdings, erasureBoard], now: NOW });
    const { ledger, pool, clock } = side;
    shredder = new ShredderDouble(ledger.vault);
    operations = new OperationsDouble(shredder, clock);
    const tokens = {
      verify: (token: string) => {
        const role = ROLES.find((known) => known === token);
        const holder = { tokenId: newId(), actorId: newId<ActorId>(), roles: [role], defaultPurpose: 'rettigheter' };
        return Promise.resolve(role && (holder as never));
      },
    };
    const parts = {
      ...{ clock, policy, registry: eventRegistry(), vault: ledger.vault, shredder, operations, ledger },
      ...{ witness: new WitnessDouble(), store: ledger.store, readModels: pool, control: pool },
      ...{ close: () => Promise.resolve(), tokens, projections: side.states, recovery: {} },
      metrics: new Metrics('spec'),
      logger: createLogger({ name: 'spec', destination: { write: () => undefined } }),
    } as unknown as ApiParts;
    app = await createApi(parts, [ErasureRoutesModule, EpochsRoutesModule, RetentionRoutesModule]);
  });
  afterAll(async () => {
    await app.close();
    await side.stop();
  });

  const call = (role: TokenRole, options: InjectOptions) =>
    app.inject({ ...options, headers: { authorization: `Bearer ${role}`, ...options.headers } });
  const get = async (role: TokenRole, url: string) =>
    call(role, { url, headers: { 'makuler-after': String(await side.ledger.head()) } });
  const post = (role: TokenRole, url: string, payload: object = {}, key = `key-number-${++keys}`) =>
    call(role, { method: 'POST', url, payload, headers: { 'idempotency-key': key } });

  const person = async () => {
    const customerId = newId<CustomerId>();
    const card = { name: 'Kari', phone: null, email: null, companyId: null, address: null, sourceKey: null };
    await side.append(
      `customer-${customerId}`,
      CustomerRegistered.of(
        { customerId, relationship: 'customer', sector: 'private', region: null, ...card },
        { partitions: { contact: newId() } },
      ),
    );
    return customerId;
  };
  const plan = (customerId: CustomerId, key?: string) =>
    post('compliance', '/v1/erasures', { customerId, ground: 'subject-request' }, key);

  it('give the first answer to a repeated plan, also when it was given up, and when read models are behind', async () => {
    const customerId = await person();
    const first = await plan(customerId, 'the-same-plan');
    expect(first.statusCode).toBe(201);
    const { erasureId, items } = first.json<{ erasureId: ErasureId; items: object[] }>();
    expect(items).toHaveLength(2);
    expect((await post('compliance', `/v1/erasures/${erasureId}/give-up`)).statusCode).toBe(200);
    const { waitFor } = side.states;
    side.states.waitFor = () => Promise.reject(new Error('the read models are behind'));
    const again = await plan(customerId, 'the-same-plan');
    side.states.waitFor = waitFor;
    expect([again.statusCode, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true']);
    expect((await get('compliance', `/v1/erasures/${erasureId}/plan`)).statusCode).toBe(404);
  });

  it('give the plan page by page, each of the same plan, with its whole counts', async () => {
    const customerId = await person();
    const first = (await plan(customerId)).json<{ erasureId: ErasureId; planHash: string; items: object[] }>();
    const url = `/v1/erasures/${first.erasureId}/plan`;
    type PlanPage = { planHash: string; plan: { count: number }[]; items: object[]; nextCursor: string | null };
    const one = (await get('compliance', `${url}?limit=1`)).json<PlanPage>();
    const other = (await get('approver', `${url}?limit=1&cursor=${one.nextCursor}`)).json<PlanPage>();
    expect([...one.items, ...other.items]).toEqual(first.items);
    for (const { planHash, plan } of [one, other])
      expect([planHash, plan.reduce((sum, { count }) => sum + count, 0)]).toEqual([first.planHash, first.items.length]);
    expect([one.nextCursor, other.nextCursor]).toEqual([expect.any(String), null]);
    const whole = (await get('compliance', url)).json<PlanPage>();
    expect([whole.items, whole.nextCursor]).toEqual([first.items, null]);
    const csv = await call('compliance', { url: `${url}?limit=1`, headers: { accept: 'text/csv' } });
    expect(csv.body.split('\r\n')).toHaveLength(3);
    expect(csv.headers['makuler-next-cursor']).toBe(one.nextCursor);
    const old = encodeCursor('0'.repeat(64), '1');
    const stale = await get('compliance', `${url}?cursor=${old}`);
    expect([stale.statusCode, stale.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'plan-changed', planHash: first.planHash }),
    ]);
    // Ours, and would be read but for its length: a cursor costs as little to refuse as to send.
    const padded = Buffer.from(`[${' '.repeat(400)}"${'0'.repeat(64)}","1"]`).toString('base64url');
    for (const query of ['limit=501', 'cursor=x', `cursor=${padded}`])
      expect((await get('compliance', `${url}?${query}`)).statusCode).toBe(400);
  });

  it('show the date of backups, every certificate, and the attestation once there is one', async () => {
    const customerId = await person();
    const { erasureId } = (await plan(customerId)).json<{ erasureId: ErasureId }>();
    const url = `/v1/erasures/${erasureId}`;
    expect((await get('auditor', `${url}/certificate`)).json()).toMatchObject({ code: 'erasure-not-finished' });
    expect((await get('auditor', `${url}/attestation`)).json()).toMatchObject({ code: 'erasure-not-finished' });
    const about = { ownerId: customerId, erasureId };
    const whole = { list: null, parts: 0 };
    const [by, later, at] = ['2026-07-02T12:00:00.000Z', '2026-07-03T12:00:00.000Z', '2026-07-03T12:00:01.000Z'];
    await side.append(
      `customer-${customerId}`,
      ErasureExecuted.of({ ...about, liveErasedAt: NOW.toISOString(), ...whole, destroyed: [] }),
      ErasureVerified.of(about),
      ErasureCertified.of({ ...about, ...whole, certificate: 'a.b.c', backupsClearedBy: by, epoch: 1 }),
    );
    expect((await get('auditor', url)).json()).toMatchObject({
      ...{ state: 'erased', liveErasedAt: NOW.toISOString(), backupsClearedBy: by, backupsClearedAt: null },
      backupsDelay: null,
    });
    expect((await get('auditor', `${url}/attestation`)).json()).toMatchObject({
      ...{ status: 404, code: 'attestation-not-yet', backupsClearedBy: by },
      detail: expect.stringContaining(by),
    });
    const next = { certificate: 'd.e.f', backupsClearedBy: later, epoch: 1, reason: 'seal-late' } as const;
    await side.append(`customer-${customerId}`, ErasureRecertified.of({ ...about, ...whole, ...next }));
    expect((await get('auditor', url)).json()).toMatchObject({ backupsClearedBy: later, backupsDelay: 'seal-late' });
    expect((await get('auditor', `${url}/certificate`)).json()).toEqual({
      erasureId,
      edition: 2,
      certificate: 'd.e.f',
    });
    expect((await get('auditor', `${url}/certificates`)).json().items).toMatchObject([
      { edition: 1, certificate: 'a.b.c', backupsClearedBy: by, reason: null },
      { edition: 2, certificate: 'd.e.f', backupsClearedBy: later, reason: 'seal-late' },
    ]);
    const attested = ErasureAttested.of({ ...about, attestation: 'g.h.i', backupsClearedAt: at });
    await side.append(`customer-${customerId}`, attested);
    expect((await get('auditor', url)).json()).toMatchObject({ backupsClearedAt: at, backupsDelay: null });
    expect((await get('auditor', `${url}/attestation`)).json()).toEqual({
      ...{ erasureId, backupsClearedAt: at, attestation: 'g.h.i' },
    });
  });

  it('seal an epoch for an operator, once for each key, and show it to the auditor', async () => {
    expect((await post('auditor', '/v1/vault/epochs')).json()).toMatchObject({ status: 403 });
    const nothing = await post('operator', '/v1/vault/epochs');
    expect([nothing.statusCode, nothing.json()]).toEqual([
      200,
      { epoch: 1, sealed: false, rotated: 0, rewrapped: 0, destroyAt: null },
    ]);
    const sealed = await post('operator', '/v1/vault/epochs', { force: true }, 'seal-it-once');
    expect(sealed.statusCode).toBe(201);
    expect(sealed.json()).toMatchObject({ epoch: 2, sealed: true, destroyAt: '2026-07-01T12:00:00.000Z' });
    const again = await post('operator', '/v1/vault/epochs', { force: true }, 'seal-it-once');
    expect([again.statusCode, again.body]).toEqual([201, sealed.body]);
    expect((await get('auditor', '/v1/vault/epochs')).json()).toMatchObject({
      ...{ current: 2, sealing: false, openedAt: NOW.toISOString(), nextSealAt: '2026-06-02T12:00:00.000Z' },
      retiring: [{ epoch: 1, destroyAt: '2026-07-01T12:00:00.000Z', overdue: false }],
    });
  });

  it('show the custodian’s mirrors, add one for an operator, and retire it for two persons only', async () => {
    expect((await post('auditor', '/v1/vault/mirrors', { place: '/mnt/c' })).json()).toMatchObject({ status: 403 });
    const refused = await post('operator', '/v1/vault/mirrors', { place: 'relative' });
    expect(refused.json()).toMatchObject({ status: 409, code: 'mirror-unfit' });
    const added = await post('operator', '/v1/vault/mirrors', { place: '/mnt/c' });
    expect(added.statusCode).toBe(201);
    const { mirrorId } = added.json() as { mirrorId: string };
    const mirror = async () =>
      (await get('auditor', '/v1/vault/mirrors')).json().items.find(({ id }: { id: string }) => id === mirrorId);
    expect(await mirror()).toMatchObject({
      standing: 'present',
      reason: null,
      message: null,
      retirementProposed: false,
    });
    const url = `/v1/vault/mirrors/${mirrorId}`;
    expect((await post('operator', `${url}/retirement/approve`)).json()).toMatchObject({ status: 403 });
    expect((await post('approver', `${url}/retirement/approve`)).json()).toMatchObject({ status: 404 });
    expect((await post('operator', `${url}/retirement`)).statusCode).toBe(202);
    expect(await mirror()).toMatchObject({ retirementProposed: true });
    expect((await post('operator', `${url}/repair`)).statusCode).toBe(200);
    expect((await post('approver', `${url}/retirement/approve`)).json()).toMatchObject({ state: 'retired' });
    expect(await mirror()).toBeUndefined();
    expect((await post('operator', '/v1/vault/mirrors/c/repair')).json()).toMatchObject({ code: 'invalid-input' });
  });
});
