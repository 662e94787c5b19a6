import { CompactSign } from 'jose';
import type { Draft } from '#events';
import { event, plain, subject } from '#events';
import type { ActorId, CustomerId, ErasureId } from '#kernel';
import { inContext, newId, subjectOwner, systemContext } from '#kernel';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import { ClockGuard } from '#retention';
import { SigningKeys } from '#signing';
import { LedgerDouble, OperationsDouble, RunningProjections, SetClock, ShredderDouble, testDatabase } from '#testing';
import { verifyAttestation } from './attestation.js';
import { certificateHash, verifyCertificate } from './certificate.js';
import { ClearingFollowUp } from './clearing-follow-up.js';
import { ErasureBoard } from './erasure-board.js';
import { erasureBoard } from './erasure-board.projection.js';
import type { ErasureCase } from './erasure-case.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import {
  fenceOwner,
  planErasure,
  recordCertificate,
  recordExecution,
  recordVerification,
  requestExecution,
} from './erasure-decisions.js';
import { Statements } from './statements.js';

const Registered = event('customer.registered', 1, {
  customerId: subject<CustomerId>(),
  kind: plain<string>('a word'),
});
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('a certified erasure', () => {
  let database: { url: string; drop(): Promise<void> };
  let pool: Pool;
  let keys: SigningKeys;
  let running: RunningProjections;
  let board: ErasureBoard;
  let clock: SetClock;
  let ledger: LedgerDouble;
  let shredder: ShredderDouble;
  let vault: OperationsDouble;

  const as = <T>(work: () => Promise<T>) => inContext(systemContext(newId<ActorId>(), 'rettigheter'), work);
  const trust = () => as(() => new ClockGuard(ledger, clock).trust());

  beforeEach(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'test' });
    keys = new SigningKeys(pool);
    clock = new SetClock(new Date('2026-06-01T12:00:00Z'));
    ledger = new LedgerDouble(clock);
    shredder = new ShredderDouble(ledger.vault);
    running = await RunningProjections.start(pool, ledger, [erasureBoard]);
    board = new ErasureBoard(createDatabase(pool), running.states, ledger);
    vault = new OperationsDouble(shredder, clock);
    await trust();
  });
  afterEach(async () => {
    await running.stop();
    await pool.end();
    await database.drop();
  });

  const statements = () => new Statements(keys, vault, clock);
  const followUp = () =>
    as(() => new ClearingFollowUp(ledger, board, statements(), new ClockGuard(ledger, clock), clock).run());
  /** Time passes with a heartbeat now and then, as on a machine that runs. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= DAY) {
      clock.pass(Math.min(left, DAY));
      await trust();
    }
  };
  const decide = (
    owner: Parameters<typeof erasureStream>[0],
    decision: (state: ErasureCase) => readonly Draft<any>[],
  ) => as(() => ledger.decide(erasureCase, erasureStream(owner), decision));

  /** Somebody is erased: their key dies, and the certificate is issued. */
  const erased = async () => {
    const owner = subjectOwner(newId<CustomerId>());
    const [erasureId, orderId] = [newId<ErasureId>(), newId()];
    await decide(owner, () => [Registered.of({ customerId: owner.id as CustomerId, kind: 'customer' })]);
    const summary = [{ category: 'contact', action: 'shred', count: 1 }] as const;
    const items = [{ category: 'contact', partition: '', action: 'shred', why: 'nothing keeps it' }] as const;
    const plan = { erasureId, owner, ground: 'subject-request', planHash: 'a'.repeat(64), summary, items };
    await decide(owner, (state) => planErasure(state, { ...plan, salt: 'ab'.repeat(32), note: null }));
    await decide(owner, (state) => requestExecution(state, erasureId, false));
    await decide(owner, (state) => fenceOwner(state, orderId));
    await shredder.fence({ orderId, owner, kind: 'erasure', except: [] });
    const scopeIds = ledger.vault.scopesOf(owner).map(({ scopeId }) => scopeId);
    const { destroyed } = await shredder.shred({ orderId, owner, scopeIds, kind: 'erasure' });
    const receipt = { orderId, destroyed, liveErasedAt: clock.now().toISOString() };
    shredder.receipts.set(orderId, receipt);
    await decide(owner, (state) => recordExecution(state, receipt));
    await decide(owner, recordVerification);
    const { state } = await ledger.load(erasureCase, erasureStream(owner));
    if (state.status !== 'verified') throw new Error('not verified');
    const issued = await statements().certify(state.plan, state.executed);
    await decide(owner, (now) => recordCertificate(now, issued));
    return { owner, erasureId };
  };
  const stateOf = async ({ owner }: Awaited<ReturnType<typeof erased>>) => {
    const { state } = await ledger.load(erasureCase, erasureStream(owner));
    if (state.status !== 'erased') throw new Error('not erased');
    return state;
  };
  const rowOf = async ({ erasureId }: { erasureId: ErasureId }) => {
    await running.caughtUp();
    return board.get(erasureId);
  };
  const claimsIn = async (certificate: string) => verifyCertificate(certificate, await keys.published());

  it('promises what the vault plans, and is attested once every mirror has confirmed', async () => {
    const one = await erased();
    const planned = new Date(clock.now().getTime() + 31 * DAY).toISOString();
    expect(await claimsIn((await stateOf(one)).certificate)).toMatchObject({
      ...{ version: 2, edition: 1, supersedes: null, reason: null, backupsClearedBy: planned },
      statement: expect.stringContaining('made unreadable by destroying the keys'),
    });
    expect(await rowOf(one)).toMatchObject({ backups_cleared_by: new Date(planned), backups_cleared_at: null });
    await pass(DAY);
    await vault.sealEpoch();
    await pass(30 * DAY - HOUR);
    vault.away.add('b');
    await vault.destroyRoots();
    expect(await followUp()).toEqual({ recertified: 0, attested: 0 });
    clock.pass(HOUR);
    await vault.destroyRoots();
    expect(await followUp()).toEqual({ recertified: 0, attested: 0 });
    expect((await stateOf(one)).attestation).toBeUndefined();
    vault.away.clear();
    await vault.destroyRoots();
    expect(await followUp()).toEqual({ recertified: 0, attested: 1 });
    expect(await followUp()).toEqual({ recertified: 0, attested: 0 });

    const { certificate, attestation } = await stateOf(one);
    expect(await verifyAttestation(attestation!, await keys.published())).toMatchObject({
      ...{ version: 1, erasureId: one.erasureId, certificate: certificateHash(certificate) },
      ...{ backupsClearedAt: clock.now().toISOString(), epoch: 1, mirrors: 2 },
    });
    const row = await rowOf(one);
    expect([row.state, row.attestation, row.backups_cleared_at]).toEqual(['erased', attestation, clock.now()]);
    expect(row.steps.map(({ step }) => step).slice(-2)).toEqual(['erased', 'attested']);
    await expect(verifyCertificate(attestation!, await keys.published())).rejects.toThrow('no certificate');
    await expect(verifyAttestation(certificate, await keys.published())).rejects.toThrow('no attestation');
  });

  it('gets another certificate when the seal comes late, and the date never comes nearer', async () => {
    const one = await erased();
    const first = await stateOf(one);
    await pass(2 * DAY);
    await vault.sealEpoch();
    expect(await followUp()).toEqual({ recertified: 1, attested: 0 });
    expect(await followUp()).toEqual({ recertified: 0, attested: 0 });
    const second = await stateOf(one);
    expect(Date.parse(second.backupsClearedBy!)).toBe(clock.now().getTime() + 30 * DAY);
    expect(Date.parse(second.backupsClearedBy!)).toBeGreaterThan(Date.parse(first.backupsClearedBy!));
    const [before, after] = [await claimsIn(first.certificate), await claimsIn(second.certificate)];
    const hash = certificateHash(first.certificate);
    expect(after).toMatchObject({ version: 2, edition: 2, supersedes: hash, reason: 'seal-late' });
    const same = [
      'erasureId',
      'destroyed',
      'fingerprints',
      'liveErasedAt',
      'kept',
      'planHash',
      'policyVersion',
    ] as const;
    for (const claim of same) expect(after[claim]).toEqual(before[claim]);
    expect((await rowOf(one)).certificates).toMatchObject([
      { edition: 1, reason: null, backupsClearedBy: first.backupsClearedBy },
      { edition: 2, reason: 'seal-late', backupsClearedBy: second.backupsClearedBy, certificate: second.certificate },
    ]);

    // The vault names an earlier date: what was promised stands.
    const { clearing } = vault;
    vault.clearing = async (orderId) => ({
      ...(await clearing.call(vault, orderId))!,
      plannedFor: first.backupsClearedBy!,
    });
    expect(await followUp()).toEqual({ recertified: 0, attested: 0 });
    expect((await stateOf(one)).backupsClearedBy).toBe(second.backupsClearedBy);
  });

  it('promises no date any more when a mirror has not confirmed by then, and attests when it has', async () => {
    const one = await erased();
    await vault.sealEpoch();
    vault.away.add('b');
    await pass(31 * DAY + 2 * HOUR);
    await vault.destroyRoots();
    expect(await followUp()).toEqual({ recertified: 1, attested: 0 });
    expect(await followUp()).toEqual({ recertified: 0, attested: 0 });
    const open = await stateOf(one);
    expect([open.backupsClearedBy, open.reason, open.edition]).toEqual([null, 'mirror-outstanding', 2]);
    expect(await rowOf(one)).toMatchObject({ backups_cleared_by: null, attestation: null });
    expect((await board.counts(new Date(0))).overdue).toBe(1);
    vault.away.clear();
    await vault.destroyRoots();
    expect(await followUp()).toEqual({ recertified: 0, attested: 1 });
    const { attestation, certificate } = await stateOf(one);
    const { certificate: about } = await verifyAttestation(attestation!, await keys.published());
    expect(about).toBe(certificateHash(certificate));
  });

  it('is followed by two workers at once with one statement each', async () => {
    const one = await erased();
    await vault.sealEpoch();
    await pass(31 * DAY);
    await vault.destroyRoots();
    await Promise.all([followUp(), followUp()]);
    const types = (await ledger.read(erasureStream(one.owner))).map(({ type }) => type);
    expect(types.filter((type) => type === 'erasure.attested')).toHaveLength(1);
  });

  it('waits while the clock is not confirmed: nobody’s date has passed because a clock jumped', async () => {
    const one = await erased();
    await vault.sealEpoch();
    clock.set(new Date('2040-01-01T00:00:00Z'));
    await expect(followUp()).rejects.toMatchObject({ code: 'clock-implausible' });
    expect((await stateOf(one)).edition).toBe(1);
    await as(() => new ClockGuard(ledger, clock).confirm());
  });

  it('of before there were epochs still verifies, and gets its first date', async () => {
    const one = await erased();
    const { certificate: now } = await stateOf(one);
    const old: Record<string, unknown> = { ...(await claimsIn(now)), version: 1, backupsClearedBy: null };
    for (const later of ['edition', 'supersedes', 'reason']) delete old[later];
    const { kid, privateKey } = await keys.signing();
    const certificate = await new CompactSign(new TextEncoder().encode(JSON.stringify(old)))
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'makuler-erasure-certificate+jws' })
      .sign(privateKey);
    expect(await claimsIn(certificate)).toMatchObject({ version: 1, backupsClearedBy: null });

    const plain = { status: 'erased', edition: 1, backupsClearedBy: null, epoch: null, reason: undefined } as const;
    const state = { ...(await stateOf(one)), ...plain, certificate };
    const load = ledger.load.bind(ledger);
    ledger.load = async (decider, stream) => ({ ...(await load(decider, stream)), state: state as never });
    const decided: readonly Draft<any>[][] = [];
    const whole = ledger.decide.bind(ledger);
    ledger.decide = async (_decider, _stream, decision) => {
      (decided as Draft<any>[][]).push([...decision(state as never)]);
      return { written: 1 } as never;
    };
    await as(() =>
      new ClearingFollowUp(ledger, board, statements(), new ClockGuard(ledger, clock), clock).followUp(one.owner),
    );
    ledger.load = load;
    ledger.decide = whole;
    const [[draft] = []] = decided;
    expect(draft).toMatchObject({ data: { reason: 'first-date', backupsClearedBy: expect.any(String) } });
    const claims = await claimsIn((draft!.data as unknown as { certificate: string }).certificate);
    expect(claims).toMatchObject({ version: 2, edition: 2, supersedes: certificateHash(certificate) });
  });
});
