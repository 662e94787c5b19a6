import { Controller, Get, Module } from '@nestjs/common';
import { AccessRefused } from '#access';
import { createApi } from './create-api.js';
import { ACTOR, FrameHouse } from '../../../test/api/frame-house.js';
import { MARK } from './frame-specimen.js';

describe('the frame of the api', () => {
  let house: FrameHouse;
  beforeAll(async () => {
    house = await FrameHouse.start();
  });
  afterAll(() => house.end());
  beforeEach(() => house.reset());

  describe('who and why', () => {
    it('answers 401 without a token and with an unknown one', async () => {
      for (const headers of [{ authorization: '' }, { authorization: 'Bearer nobody' }, { authorization: 'Basic x' }]) {
        const answer = await house.call({ url: '/v1/specimens', headers });
        expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, 'unauthenticated']);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
    });
    it('answers 403 to the wrong role', async () => {
      expect((await house.call({ url: '/v1/specimens', token: 'numbers' })).json()).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    });
    it('asks for a purpose where personal data is read', async () => {
      expect((await house.call({ url: '/v1/specimens', token: 'jurist' })).json()).toMatchObject({
        status: 400,
        code: 'purpose-required',
      });
    });
    it('refuses a purpose that the policy does not allow, and writes the attempt down without what was typed', async () => {
      const before = (await house.eventsOf(AccessRefused)).length;
      for (const purpose of ['tilbud', MARK, 'tilbud', MARK, `${MARK}s`]) {
        const answer = await house.call({ url: '/v1/specimens', headers: { 'makuler-purpose': purpose } });
        expect(answer.json()).toMatchObject({ status: 403, code: 'purpose-not-allowed' });
        expect(answer.body).not.toContain(MARK);
      }
      const refused = (await house.eventsOf(AccessRefused)).slice(before);
      const told = { route: '/v1/specimens', categories: ['contact'], mode: 'read', attempts: 1 };
      // Repeats are counted, and written when the minute is over.
      expect(refused.map(({ data }) => data)).toEqual([
        { ...told, statedPurpose: 'tilbud' },
        { ...told, statedPurpose: null },
      ]);
      expect(refused.map(({ metadata }) => metadata.actor)).toEqual([ACTOR, ACTOR]);
    });
    it('does not start with a route that says nothing about who may call it', async () => {
      @Controller('v1/open')
      class OpenController {
        @Get()
        all() {
          return {};
        }
      }
      @Module({ controllers: [OpenController] })
      class OpenModule {}
      await expect(createApi(house.parts, [OpenModule])).rejects.toThrow('OpenController.all: say who may call it');
    });
  });

  describe('itself', () => {
    it('says that it lives and is ready, or what is not', async () => {
      expect((await house.app.inject('/health/live')).json()).toEqual({ status: 'live' });
      expect((await house.app.inject('/health/ready')).json()).toMatchObject({
        ready: true,
        checks: { vault: { ready: true } },
      });
    });
    it('says of a closed gate which and what to do', async () => {
      const open = house.gate;
      house.gate = { serving: false, state: 'stale', why: 'It is an older copy.', wayOut: 'Restore a newer one.' };
      const answer = await house.app.inject('/health/ready');
      house.gate = open;
      expect(answer.statusCode).toBe(503);
      expect(answer.json()).toMatchObject({
        ready: false,
        checks: { vault: { ready: false, because: 'stale: It is an older copy. Restore a newer one.' } },
      });
    });
    it('explains its errors and documents its routes, from its own host only', async () => {
      expect((await house.app.inject('/errors/subject-closed')).json()).toMatchObject({
        code: 'subject-closed',
        status: 409,
      });
      expect((await house.app.inject('/errors/toString')).json()).toMatchObject({ code: 'not-found' });
      expect(Object.keys((await house.app.inject('/openapi.json')).json<{ paths: object }>().paths)).toContain(
        '/v1/specimens/{id}',
      );
      const docs = await house.app.inject('/docs');
      expect(docs.body).not.toMatch(/https?:/);
      expect(docs.headers['content-security-policy']).toContain("default-src 'self'");
      for (const [, path] of docs.body.matchAll(/(?:href|src)="([^"]+)"/g))
        expect((await house.app.inject(path!)).statusCode).toBe(200);
    });
  });
});
