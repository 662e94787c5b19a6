import { PersonalDataRead } from '#access';
import type { Opened } from '#kernel';
import { ERASED, newId, valueOf, withheld } from '#kernel';
import { FrameHouse } from '../../../test/api/frame-house.js';
import { MARK, specimen } from './frame-specimen.js';

describe('what goes out through the frame of the api', () => {
  let house: FrameHouse;
  beforeAll(async () => {
    house = await FrameHouse.start();
  });
  afterAll(() => house.end());
  beforeEach(() => house.reset());

  describe('reads', () => {
    const meetOne = async () => (await house.meet(newId())).json<{ customerId: string }>().customerId;

    it('reveal what is there, name what is gone, and leave a trace for each', async () => {
      const id = await meetOne();
      const before = (await house.eventsOf(PersonalDataRead)).length;
      expect((await house.call({ url: `/v1/specimens/${id}` })).json()).toMatchObject({ id, name: MARK });
      specimen.gone = ERASED;
      expect((await house.call({ url: `/v1/specimens/${id}` })).json()).toMatchObject({ name: { $state: 'erased' } });
      specimen.gone = withheld('retained');
      const answer = await house.call({ url: `/v1/specimens/${id}` });
      expect(answer.json()).toMatchObject({ name: { $state: 'withheld', reason: 'retained' } });
      expect(answer.headers).toMatchObject({ etag: '"0"', 'cache-control': 'no-store' });
      const traces = (await house.eventsOf(PersonalDataRead)).slice(before);
      expect(
        traces.map(({ stream, data }) => [
          stream.slice(0, 6),
          valueOf((data as unknown as { person: Opened<string> }).person),
        ]),
      ).toEqual([
        ['trace-', id],
        ['trace-', id],
        ['trace-', id],
      ]);
      expect(JSON.stringify(traces.map(({ metadata, stream }) => [metadata, stream]))).not.toContain(id);
    });
    it('of nobody leave a trace too', async () => {
      const before = (await house.eventsOf(PersonalDataRead)).length;
      const found = await house.call({ method: 'POST', url: '/v1/specimens/search', payload: {} });
      expect(found.statusCode).toBe(200);
      expect(found.json()).toEqual({
        items: [],
        nextCursor: null,
      });
      expect((await house.eventsOf(PersonalDataRead)).length).toBe(before + 1);
    });
    it('give 503 in place of the finished answer when the vault no longer vouches for it', async () => {
      const id = await meetOne();
      house.ledger.stale = true;
      const answer = await house.call({ url: `/v1/specimens/${id}` });
      expect(answer.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
      expect(answer.headers['etag']).toBeUndefined();
      expect(answer.headers['retry-after']).toBeDefined();
      expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)));
      expect(answer.body).not.toContain('Kari');
    });
    it('are not traced and not answered when the trace cannot be written', async () => {
      const id = await meetOne();
      house.ledger.fault = 'vault-unavailable';
      const answer = await house.call({ url: `/v1/specimens/${id}` });
      house.ledger.fault = undefined;
      expect(answer.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
    });
    it('cannot reveal on a route that declares no personal data', async () => {
      const answer = await house.call({ url: '/v1/specimens/careless' });
      expect(answer.statusCode).toBe(500);
      expect(answer.body).not.toContain('Kari');
    });
    it('give a page as CSV, with nothing that a spreadsheet would run', async () => {
      const answer = await house.call({ url: '/v1/specimens?limit=3', headers: { accept: 'text/csv' } });
      expect(answer.headers).toMatchObject({
        'content-type': 'text/csv; charset=utf-8',
        'makuler-next-cursor': 'next',
      });
      expect(answer.body).toBe(`name,phone,limit,at\r\n'=${MARK},+4790012345,3,#erased\r\n`);
    });
    it('wait for the position asked for', async () => {
      const at = (position: string) => house.call({ url: '/v1/specimens', headers: { 'makuler-after': position } });
      expect((await at('9')).statusCode).toBe(200);
      const behind = await at('10');
      expect([behind.json<{ code: string }>().code, behind.headers['retry-after']]).toEqual(['projection-behind', '1']);
      expect((await at(MARK)).json()).toMatchObject({ status: 400, errors: [{ path: 'Makuler-After' }] });
    });
  });
});
