import { randomBytes } from 'node:crypto';
import { event, personal, plain, reference, subject } from '#events';
import type { ActorId, CommandContext, CompanyId, CustomerId, Opened, OwnerRef, PurchaseId, ScopeId } from '#kernel';
import { MakulerError, RandomIds, ReservedIds, companyOwner, inContext, newId, subjectOwner, valueOf } from '#kernel';
import type { Decider, Envelope, Ledger, RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';

export const Registered = event('person.registered', 1, {
  personId: subject<CustomerId>(),
  colour: plain<string>('a colour that many people have'),
  name: personal<string>('relation'),
  nickname: personal<string | null>('profile'),
});
export const Bought = event('thing.bought', 1, {
  kind: plain<string>('a kind of thing that many people buy'),
  buyerId: reference<CompanyId>('purchase', { owner: 'buyer' }),
  serial: personal<string>('purchase', { owner: 'buyer' }),
  contactId: reference<CustomerId | null>('purchase', { owner: 'contact' }),
});
export const suiteEvents = [Registered, Bought];

/** What the suite needs of an implementation: a ledger that knows `suiteEvents`, and a hand on its keys. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** Destroys every key of an owner; resolves when no process can open with them any more. */
  shred(owner: OwnerRef): Promise<void>;
  /** Makes the vault unreachable (and past its lease), or reachable again. */
  outage(on: boolean): Promise<void>;
  close(): Promise<void>;
}

const context = (ids: CommandContext['ids'] = new RandomIds()): CommandContext => ({
  actor: newId<ActorId>(),
  roles: ['system'],
  purpose: 'avtale',
  ids,
});
const as = <T>(work: () => Promise<T>, ids?: CommandContext['ids']) => inContext(context(ids), work);

const names: Decider<readonly string[]> = {
  initial: [],
  evolve: (state, e) => (isEvent(e, Registered) ? [...state, e.data.colour] : state),
};

/** The promises of `Ledger`, held against any implementation of it. */
export const describeLedger = (name: string, start: () => Promise<LedgerUnderTest>): void => {
  describe(`${name} keeps the promises of a ledger`, () => {
    let under: LedgerUnderTest;
    let ledger: Ledger;
    beforeAll(async () => {
      under = await start();
      ledger = under.ledger;
    });
    afterAll(() => under.close());

    const person = () => newId<CustomerId>();
    const streamOf = (id: CustomerId) => `person-${id}`;
    const register = (personId: CustomerId, colour = 'red', nickname: string | null = null) =>
      as(() =>
        ledger.append({
          stream: streamOf(personId),
          expected: 'any',
          drafts: [Registered.of({ personId, colour, name: 'Kari Nordmann', nickname })],
        }),
      );
    const only = async (stream: string): Promise<RecordedEvent<(typeof Registered)['fields']>> => {
      const [first] = await ledger.read(stream);
      if (!first || !isEvent(first, Registered)) throw new Error('the stream does not begin as expected');
      return first;
    };

    it('gives back what was appended, personal values opened', async () => {
      const id = person();
      const { position, revision } = await register(id);
      const found = await only(streamOf(id));
      expect(found.data.name).toMatchObject({ state: 'value' });
      expect(found.data.name.state === 'value' && found.data.name.reveal()).toBe('Kari Nordmann');
      expect(found.data.colour).toBe('red');
      expect([found.position, found.revision]).toEqual([position, revision]);
      expect(found.scopes).toMatchObject([
        { slot: 'own', category: 'relation', state: 'live', owner: subjectOwner(id), partition: '' },
      ]);
    });

    it('knows no events of a stream that is not there', async () => {
      expect(await ledger.read(streamOf(person()))).toEqual([]);
      expect((await ledger.load(names, streamOf(person()))).revision).toBeUndefined();
    });

    it('finds the newest event of some types, opened, also far from the end', async () => {
      const id = person();
      await register(id, 'red');
      await register(id, 'blue', 'Kalle');
      const bought = Bought.of({ kind: 'lathe', buyerId: null as never, serial: null as never, contactId: null });
      for (let n = 0; n < 30; n++)
        await as(() => ledger.append({ stream: streamOf(id), expected: 'any', drafts: [bought] }));
      const newest = await ledger.newest(streamOf(id), [Registered]);
      expect([newest?.data.colour, newest && valueOf(newest.data.nickname)]).toEqual(['blue', 'Kalle']);
      expect(await ledger.newest(streamOf(person()), [Registered])).toBeUndefined();
    });

    it('opens some events of a stream from any place backwards', async () => {
      const id = person();
      for (const colour of ['red', 'green', 'blue']) await register(id, colour, colour);
      const shown = async (options: { before?: bigint; maxCount: number }) =>
        (await ledger.tail(streamOf(id), options)).map((e) => isEvent(e, Registered) && valueOf(e.data.nickname));
      expect(await shown({ maxCount: 2 })).toEqual(['blue', 'green']);
      expect(await shown({ before: 2n, maxCount: 9 })).toEqual(['green', 'red']);
      expect(await ledger.tail(streamOf(person()), { maxCount: 2 })).toEqual([]);
    });

    it('needs no more of a stream than from the newest event that its state begins with', async () => {
      const id = person();
      const counted: Decider<{ colour?: string; bought: number }> = {
        initial: { bought: 0 },
        evolve: (state, e) =>
          isEvent(e, Registered) ? { colour: e.data.colour, bought: 0 } : { ...state, bought: state.bought + 1 },
      };
      const fromNewest = { ...counted, beginsWith: Registered };
      const bought = Bought.of({ kind: 'lathe', buyerId: null as never, serial: null as never, contactId: null });
      expect(await ledger.load(fromNewest, streamOf(id))).toEqual(await ledger.load(counted, streamOf(id)));
      for (const colour of ['red', 'blue']) {
        await register(id, colour);
        for (let n = 0; n < 20; n++)
          await as(() => ledger.append({ stream: streamOf(id), expected: 'any', drafts: [bought] }));
        expect(await ledger.load(fromNewest, streamOf(id))).toEqual(await ledger.load(counted, streamOf(id)));
      }
      const decided = await as(() =>
        ledger.decide(fromNewest, streamOf(id), ({ bought: n }) => (n === 20 ? [bought] : [])),
      );
      expect(decided).toMatchObject({ state: { colour: 'blue', bought: 21 }, revision: 42n, written: 1 });
    });

    it('reads what was never given as null, also when the rest is erased', async () => {
      const id = person();
      await register(id);
      await under.shred(subjectOwner(id));
      const found = await only(streamOf(id));
      expect(found.data.name).toEqual({ state: 'erased' });
      expect(found.data.nickname.state === 'value' && found.data.nickname.reveal()).toBeNull();
    });

    it('erases one owner of an event and leaves the other', async () => {
      const purchaseId = newId<PurchaseId>();
      const buyer = newId<CompanyId>();
      const contact = person();
      const owners = { buyer: companyOwner(buyer), contact: subjectOwner(contact) };
      const data = { kind: 'lathe', buyerId: buyer, serial: 'S-1', contactId: contact };
      await as(() =>
        ledger.append({
          stream: `purchase-${purchaseId}`,
          expected: 'no-stream',
          drafts: [Bought.of(data, { owners })],
        }),
      );
      await under.shred(subjectOwner(contact));
      const [found] = await ledger.read(`purchase-${purchaseId}`);
      if (!found || !isEvent(found, Bought)) throw new Error('not there');
      expect(found.data.contactId).toEqual({ state: 'erased' });
      expect(found.data.serial.state === 'value' && found.data.serial.reveal()).toBe('S-1');
      expect(found.data.kind).toBe('lathe');
    });

    it('throws in an outage, and gives everything back after it', async () => {
      const id = person();
      await register(id);
      await under.outage(true);
      try {
        await expect(ledger.read(streamOf(id))).rejects.toMatchObject({ code: 'vault-unavailable' });
        await expect(register(person())).rejects.toMatchObject({ code: 'vault-unavailable' });
      } finally {
        await under.outage(false);
      }
      expect((await only(streamOf(id))).data.name.state).toBe('value');
    });

    it('refuses to seal for an owner whose key was destroyed', async () => {
      const id = person();
      await register(id);
      await under.shred(subjectOwner(id));
      await expect(register(id)).rejects.toBeInstanceOf(MakulerError);
      expect(await ledger.read(streamOf(id))).toHaveLength(1);
    });

    it('decides again after a concurrent change, and loses none', async () => {
      const id = person();
      const colours = Array.from({ length: 5 }, (_, n) => `colour ${n}`);
      await Promise.all(
        colours.map((colour) =>
          as(() =>
            ledger.decide(names, streamOf(id), (state) =>
              state.includes(colour) ? [] : [Registered.of({ personId: id, colour, name: 'Kari', nickname: null })],
            ),
          ),
        ),
      );
      expect([...(await ledger.load(names, streamOf(id))).state].sort()).toEqual(colours);
    });

    it('finds its own event when a command is repeated under the same reserved ids', async () => {
      const id = person();
      const seed = randomBytes(32);
      const decide = () =>
        as(
          () =>
            ledger.decide(names, streamOf(id), () => [
              Registered.of({ personId: id, colour: 'red', name: 'Kari', nickname: null }),
            ]),
          new ReservedIds(seed, Date.UTC(2026, 0, 1)),
        );
      const first = await decide();
      const again = await decide();
      expect([first.replayed, again.replayed, again.written]).toEqual([false, true, 0]);
      expect(again.position).toBe(first.position);
      expect(await ledger.read(streamOf(id))).toHaveLength(1);
    });

    it('writes nothing when there is nothing to say, or when the decision refuses', async () => {
      const id = person();
      expect(await as(() => ledger.decide(names, streamOf(id), () => []))).toMatchObject({ written: 0 });
      const refuse = () => {
        throw new MakulerError('illegal-transition');
      };
      await expect(as(() => ledger.decide(names, streamOf(id), refuse))).rejects.toMatchObject({
        code: 'illegal-transition',
      });
      expect(await ledger.read(streamOf(id))).toEqual([]);
    });

    it('decides in a dry run, and writes nothing', async () => {
      const id = person();
      const decision = () => [Registered.of({ personId: id, colour: 'red', name: 'Kari', nickname: null })];
      const dry = { ...context(), dryRun: true };
      const decided = await inContext(dry, () => ledger.decide(names, streamOf(id), decision));
      expect([decided.written, decided.state]).toEqual([0, []]);
      expect(await ledger.read(streamOf(id))).toEqual([]);
    });

    it('never lets a correlation or an instant stand in two streams', async () => {
      const ids = Array.from({ length: 20 }, person);
      await as(async () => {
        for (const personId of ids)
          await ledger.decide(names, streamOf(personId), () => [
            Registered.of({ personId, colour: 'red', name: 'Kari', nickname: null }),
          ]);
      });
      const found = await Promise.all(ids.map((id) => only(streamOf(id))));
      const counts = found.flatMap((e) => e.metadata.vault?.mintSequence ?? []);
      expect(new Set(counts).size).toBe(counts.length);
      for (const field of ['$correlationId', '$causationId', 'recordedAt'] as const)
        expect(new Set(found.map((e) => e.metadata[field])).size).toBe(ids.length);
    });

    it('opens envelopes that were kept elsewhere, and none that was moved', async () => {
      const id = person();
      await register(id);
      const { envelope } = await only(streamOf(id));
      const kept = JSON.parse(JSON.stringify(envelope)) as Envelope;
      const [opened] = await ledger.open([kept]);
      expect(opened!.fields['name']).toMatchObject({ state: 'value' });
      const moved: Envelope = { ...kept, eventId: newId() };
      await expect(ledger.open([moved])).rejects.toMatchObject({ code: 'block-tampered' });
    });

    it('opens of envelopes that were kept elsewhere only the fields that were named, and of those what is erased as erased', async () => {
      const [kari, ola] = [person(), person()];
      await register(kari, 'red', 'Kaja');
      await register(ola, 'blue', 'Olli');
      const kept = [(await only(streamOf(kari))).envelope, (await only(streamOf(ola))).envelope];
      await under.shred(subjectOwner(ola));
      const opens = new Map([[Registered.type, new Set(['name'])]]);
      const [of, erased] = await ledger.open(kept, opens);
      expect(valueOf(of!.fields['name'] as Opened<string>)).toBe('Kari Nordmann');
      expect(() => valueOf(of!.fields['nickname'] as Opened<string>)).toThrow('has not said that it opens');
      expect(erased!.fields['name']!.state).toBe('erased');
      const moved: Envelope = { ...kept[0]!, eventId: newId() };
      await expect(ledger.open([moved], opens)).rejects.toMatchObject({ code: 'block-tampered' });
    });

    it('never takes an unknown key for an erased one', async () => {
      await expect(ledger.scopeStates([newId<ScopeId>()])).rejects.toMatchObject({ code: 'scope-unknown' });
    });

    it('lets an answer go only while what it opened still stands', async () => {
      const [kari, ola] = [person(), person()];
      await register(kari);
      await register(ola);
      await ledger.reading(async () => {
        await ledger.read(streamOf(kari));
        await under.shred(subjectOwner(ola));
        expect(() => ledger.assertCurrent()).not.toThrow();
        await under.shred(subjectOwner(kari));
        expect(() => ledger.assertCurrent()).toThrow(MakulerError);
      });
    });

    it('delivers everything once and in order, from the beginning or after a position, then live', async () => {
      const ids = Array.from({ length: 7 }, person);
      for (const id of ids.slice(0, 5)) await register(id);
      const stop = new AbortController();
      const seen: RecordedEvent[] = [];
      const wanted = new Set(ids.map(streamOf));
      const later = ids.slice(5);
      for await (const batch of ledger.subscribe({ maxBatch: 3, signal: stop.signal })) {
        expect(batch.events.length).toBeLessThanOrEqual(3);
        seen.push(...batch.events.filter((e) => wanted.has(e.stream)));
        // Batches without events may come in between: the later ones are registered once.
        if (seen.length === 5) for (const id of later.splice(0)) await register(id);
        if (seen.length === 7) stop.abort();
      }
      expect(seen.map((e) => e.stream)).toEqual(ids.map(streamOf));
      expect(seen.map((e) => e.position)).toEqual([...seen.map((e) => e.position)].sort((a, b) => (a < b ? -1 : 1)));
      const again = new AbortController();
      const rest: RecordedEvent[] = [];
      for await (const batch of ledger.subscribe({ after: seen[4]!.position, signal: again.signal })) {
        rest.push(...batch.events);
        if (rest.length >= 2) again.abort();
      }
      expect(rest.map((e) => e.stream)).toEqual(ids.slice(5).map(streamOf));
      expect(await ledger.head()).toBe(seen[6]!.position);
      expect(await ledger.recordedAfter(seen[4]!.position)).toEqual(seen[5]!.at);
      expect(await ledger.recordedAfter(seen[6]!.position)).toBeUndefined();
      expect(await ledger.eventIdAt(seen[6]!.position)).toBe(seen[6]!.eventId);
      expect(await ledger.eventIdAt(seen[6]!.position + 1_000n)).toBeUndefined();
    });

    it('opens for a follower the blocks of the fields that it named, and lets no other be taken for erased', async () => {
      const [kari, ola] = [person(), person()];
      await register(kari, 'red', 'Kaja');
      await register(ola, 'blue', 'Olli');
      const bought = Bought.of({ kind: 'lathe', buyerId: null as never, serial: null as never, contactId: null });
      await as(() => ledger.append({ stream: streamOf(kari), expected: 'any', drafts: [bought] }));
      await under.shred(subjectOwner(ola));
      const head = await ledger.head();
      const opens = new Map([[Registered.type, new Set(['name'])]]);
      const stop = new AbortController();
      const seen: RecordedEvent[] = [];
      for await (const { events, position } of ledger.subscribe({ signal: stop.signal, opens })) {
        seen.push(...events);
        if (position >= head) stop.abort();
      }
      expect(new Set(seen.map(({ type }) => type))).toEqual(new Set([Registered.type]));
      const of = (id: CustomerId) =>
        seen.find(({ stream }) => stream === streamOf(id))! as RecordedEvent<(typeof Registered)['fields']>;
      expect(of(kari).data.colour).toBe('red');
      expect(valueOf(of(kari).data.name)).toBe('Kari Nordmann');
      expect(of(kari).scopes.map(({ category, state }) => [category, state])).toEqual([['relation', 'live']]);
      expect(of(ola).data.name.state).toBe('erased');
      for (const id of [kari, ola]) {
        expect(() => of(id).data.nickname.state).toThrow('has not said that it opens');
        expect(() => valueOf(of(id).data.nickname)).toThrow('has not said that it opens');
      }
    });
  });
};
