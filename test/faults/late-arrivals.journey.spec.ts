import { BullJobs, jobBackend } from '#jobs';
import type { SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { executeErasure } from '#erasure';
import { endDeferral } from '../../libs/retention/src/sweep.jobs.js';
import { Installation, eventually } from '../journeys/installation.js';
import type { RawEvent } from './behind-the-api.js';
import { BehindTheApi } from './behind-the-api.js';
import type { Plan } from './erasing.js';
import { Erasing } from './erasing.js';
import type { Person, Write } from './late-writes.js';
import { LateWrites } from './late-writes.js';
import { reaches } from './rebuilt-elsewhere.js';

/** Somebody who was erased while others wrote about them. */
interface Case {
  readonly person: Person;
  readonly plan: Plan;
  /** What was tried once the execution had been asked for. */
  readonly late: readonly Write[];
}

/** Keys that a plan counts outside its hash: traces of reading, and the list of the erasure itself. */
const beside = ({ category }: { readonly category: string }) => category === 'trace' || category === 'request';

/** The fence (P1, P2): what arrives for a person being erased is refused, or covered by the plan; never half of each. */
describe('what arrives late for somebody who is being erased', () => {
  let makuler: Installation;
  let behind: BehindTheApi;
  let erasing: Erasing;
  let writes: LateWrites;
  const cases: Case[] = [];

  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start();
    behind = await BehindTheApi.of(makuler);
    erasing = new Erasing(makuler);
    writes = new LateWrites(makuler);
  }, 120_000);
  afterAll(async () => {
    await behind?.close();
    await makuler.destroy();
  }, 60_000);

  /** Erases as a person does who is told that the plan has changed, while `meanwhile` goes on until it is over. */
  const erase = async (
    person: Person,
    meanwhile: (over: () => boolean) => Promise<readonly Write[]>,
    surprise = true,
  ): Promise<Case> => {
    let plan = await erasing.plan(person.customerId);
    await writes.ofEveryKind(person);
    plan = await erasing.approve(plan);
    if (surprise) await writes.write('purchase', person); // after the approval: the execution has to notice
    let over = false;
    let requested = await erasing.execute(plan);
    const late = meanwhile(() => over);
    for (;;) {
      const settled = await erasing.settled(plan, requested);
      if (settled === 'erased') break;
      plan = await erasing.approve(plan);
      requested = await erasing.execute(plan);
    }
    over = true;
    const erased = { person, plan, late: await late };
    cases.push(erased);
    return erased;
  };

  /** Writers of every kind at once, for as long as they are let, or until each of them was refused. */
  const crowd = (person: Person, writers: number, over: () => boolean): Promise<readonly Write[]> => {
    const kinds = ['purchase', 'case', 'note', 'rectification', 'row'] as const;
    const tried: Write[] = [];
    const writer = async (n: number): Promise<void> => {
      // Staggered over the steps; each stops at its first refusal or after a few, so that a plan can come to rest.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 600));
      for (let round = 0; round < 4 && !over(); round++) {
        const write = await writes.write(kinds[n % kinds.length]!, person);
        tried.push(write);
        if (write.outcome === 'refused') return;
      }
    };
    return Promise.all(Array.from({ length: writers }, (_, n) => writer(n))).then(() => tried);
  };

  it('before and between the steps: the plan covers it, or is made anew', async () => {
    await erase(await writes.person(), () => Promise.resolve([]));
    expect(writes.all.every(({ outcome }) => outcome === 'acknowledged')).toBe(true);
  }, 120_000);

  it('during the steps, from many writers at once, for a private person and for the contact of a company', async () => {
    const persons = await Promise.all([writes.person(), writes.person({ ofCompany: true })]);
    await Promise.all(persons.map((person) => erase(person, (over) => crowd(person, 15, over))));
  }, 180_000);

  it('while the worker hangs at some moment of the execution', async () => {
    for (const pauseAfterMs of [0, 60, 250]) {
      const person = await writes.person();
      await erase(person, async (over) => {
        await new Promise((resolve) => setTimeout(resolve, pauseAfterMs));
        await makuler.signal('worker', 'SIGSTOP');
        const tried = await writes.ofEveryKind(person);
        const late = crowd(person, 5, over);
        await makuler.signal('worker', 'SIGCONT');
        return [...tried, ...(await late)];
      });
    }
  }, 180_000);

  it('while the api hangs, with notes under way that have their key already', async () => {
    const erasedIn = (stream: string) => (log: readonly RawEvent[]) =>
      log.find((event) => event.stream === stream && event.type === 'subject.erased')?.position;
    for (const hangsAfterMs of [5, 50]) {
      const person = await writes.person();
      const own = erasedIn(`customer-${person.customerId}`);
      const { late } = await erase(
        person,
        async () => {
          const noting = Array.from({ length: 24 }, async () => {
            for (const tried: Write[] = []; ;) {
              tried.push(await writes.write('note', person));
              if (tried.at(-1)!.outcome === 'refused') return tried;
            }
          });
          await new Promise((resolve) => setTimeout(resolve, hangsAfterMs));
          await makuler.signal('api', 'SIGSTOP');
          await eventually(
            () => behind.log(),
            (log) => own(log) !== undefined,
          );
          await makuler.signal('api', 'SIGCONT');
          return (await Promise.all(noting)).flat();
        },
        false,
      );
      const log = await behind.log();
      const notes = log.filter(
        ({ stream, type }) => stream === `service-${person.caseId}` && type.endsWith('note-added'),
      );
      expect(notes.at(-1)!.position).toBeLessThan(own(log)!);
      expect(late.filter(({ outcome }) => outcome === 'refused')).toHaveLength(24);
    }
  }, 180_000);

  it('afterwards: every kind is refused, and nobody makes a key for it', async () => {
    const scopes = () => behind.database('vault').query('select scope_id, state from scope order by 1');
    for (const { person } of cases) {
      const before = await scopes();
      const tried = await writes.ofEveryKind(person);
      expect(tried.map(({ kind, outcome, code }) => [kind, outcome, code])).toEqual(
        tried.map(({ kind }) => [kind, 'refused', 'subject-closed']),
      );
      expect((await scopes()).rows).toEqual(before.rows);
    }
  }, 120_000);

  it('jobs that were queued for them find nothing to do', async () => {
    const { ledger, readModels } = await behind.parts();
    const { DATABASE_URL } = await behind.environmentOf('worker');
    const backend = jobBackend({ databaseUrl: DATABASE_URL!, redisUrl: undefined });
    const jobs = new BullJobs(backend);
    await eventually(
      () => Promise.all([jobs.counts(executeErasure), jobs.counts(endDeferral)]),
      (counts) => counts.every(({ waiting, active, delayed }) => waiting + active + delayed === 0),
    );
    const before = await ledger.head();
    for (const { person, plan } of cases) {
      const erasure = { ownerKind: 'subject', ownerId: person.customerId, erasureId: plan.erasureId as never } as const;
      await jobs.enqueue(executeErasure, erasure, { jobId: newId() });
      await jobs.enqueue(endDeferral, { partition: person.caseId }, { jobId: newId() });
    }
    const counts = await eventually(
      () => Promise.all([jobs.counts(executeErasure), jobs.counts(endDeferral)]),
      (found) => found.every(({ waiting, active, delayed }) => waiting + active + delayed === 0),
    );
    expect(counts.map(({ failed }) => failed)).toEqual([0, 0]);
    expect(await ledger.head()).toBe(before);
    await reaches(readModels, before);
    await jobs.close();
    await backend.close();
  }, 60_000);

  it('the plan that was carried out names all that was acknowledged, and the vault keeps no more than it retains', async () => {
    const { ledger, shredder } = await behind.parts();
    const tried = cases.flatMap(({ late }) => late);
    // Else the crowd met no fence, or no open door, and this proves nothing.
    expect(tried.some(({ outcome }) => outcome === 'refused')).toBe(true);
    expect(tried.some(({ outcome }) => outcome === 'acknowledged')).toBe(true);
    const refusals = new Set(tried.filter(({ outcome }) => outcome === 'refused').map(({ code }) => code));
    expect([...refusals]).toEqual(['subject-closed']);
    for (const { person, plan } of cases) {
      const { items } = plan;
      const kept = items.filter(({ action }) => action !== 'shred');
      const live = (await shredder.scopesOf(subjectOwner(person.customerId as SubjectId))).filter(
        (s) => s.state === 'live',
      );
      for (const { category, partition } of live)
        expect(kept).toContainEqual(expect.objectContaining({ category, partition }));
      const own = await ledger.read(`customer-${person.customerId}`);
      const executed = own.filter(({ type }) => type === 'subject.erased');
      expect(executed).toHaveLength(1);
      // As many keys of each category were destroyed as the plan says.
      const destroyed = (executed[0]!.data as unknown as { categories: Record<string, number> }).categories;
      for (const category of new Set(items.filter((item) => !beside(item)).map((item) => item.category)))
        expect([category, destroyed[category] ?? 0]).toEqual([
          category,
          items.filter((item) => item.category === category && item.action === 'shred').length,
        ]);
      // What stands in the person's own stream reads as erased, all of it.
      const readable = own.flatMap(({ type, scopes }) =>
        scopes.filter(({ state }) => state !== 'shredded').map((s) => [type, s.category]),
      );
      expect(readable).toEqual([]);
    }
  }, 120_000);

  it('every acknowledged purchase and case is in the log, once, covered; no refused one is', async () => {
    const { ledger } = await behind.parts();
    const log = await behind.log();
    const acknowledged = writes.all.filter(({ outcome }) => outcome === 'acknowledged');
    const made = (kinds: readonly Write['kind'][]) =>
      acknowledged
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ partition }) => partition)
        .sort();
    const first = (type: string) =>
      log
        .filter((event) => event.type === type)
        .map(({ stream }) => stream.slice(stream.indexOf('-') + 1))
        .sort();
    expect(first('purchase.recorded')).toEqual(made(['purchase', 'row']));
    expect(first('service-case.opened')).toEqual(made(['case']));
    expect(first('service-case.note-added')).toEqual(made(['note']));
    const planned = new Set(
      cases.flatMap(({ plan }) => plan.items.map(({ category, partition }) => `${category} ${partition}`)),
    );
    const keptBills = new Set(
      cases.flatMap(({ plan }) =>
        plan.items.filter(({ action }) => action === 'retain').map(({ partition }) => partition),
      ),
    );
    for (const { kind, partition } of acknowledged) {
      if (partition === undefined) continue;
      const category = kind === 'purchase' || kind === 'row' ? 'purchase' : 'service';
      expect([...planned]).toContain(`${category} ${partition}`);
      for (const { scopes } of await ledger.read(`${category}-${partition}`))
        for (const scope of scopes.filter(({ owner }) => owner === undefined || owner.kind === 'subject'))
          expect([scope.category, scope.state === 'shredded' || keptBills.has(partition)]).toEqual([
            scope.category,
            true,
          ]);
    }
  }, 120_000);

  it('nothing is joined to them afterwards: no row, no look-up, no other stream', async () => {
    const { readModels, ledger } = await behind.parts();
    await reaches(readModels, await ledger.head());
    const log = await behind.log();
    for (const { person } of cases) {
      const { customerId } = person;
      const named = log.filter(({ data, metadata }) => JSON.stringify([data, metadata]).includes(customerId));
      expect(new Set(named.map(({ stream }) => stream))).toEqual(new Set([`customer-${customerId}`]));
      const purchases = await readModels.query(
        'select 1 from purchase_history.purchase_history where buyer_id = $1 or contact_id = $1',
        [customerId],
      );
      const served = await readModels.query('select 1 from service_status.service_status where customer_id = $1', [
        customerId,
      ]);
      expect([purchases.rowCount, served.rowCount]).toEqual([0, 0]);
      const search = { email: person.email };
      const found = await makuler.post('/v1/customers/search', search, { as: 'compliance', purpose: 'rettigheter' });
      expect([found.status, found.body.items]).toEqual([200, []]);
    }
  }, 60_000);

  it('an open case goes on behind the fence, and ends with its deferral', async () => {
    const person = await writes.person({ caseOpen: true });
    const plan = await erasing.toTheEnd(person.customerId);
    expect(plan.items).toContainEqual(
      expect.objectContaining({ category: 'service', partition: person.caseId, action: 'defer' }),
    );
    expect((await writes.write('note', person)).outcome).toBe('acknowledged');
    for (const kind of ['purchase', 'case', 'row'] as const)
      expect(await writes.write(kind, person)).toMatchObject({ outcome: 'refused', code: 'subject-closed' });
    await writes.close(person);
    const { ledger } = await behind.parts();
    await eventually(
      () => ledger.read(`service-${person.caseId}`),
      (events) => events.every(({ scopes }) => scopes.every(({ state }) => state === 'shredded')),
    );
    expect(await writes.write('note', person)).toMatchObject({ outcome: 'refused', code: 'subject-closed' });
  }, 120_000);
});
