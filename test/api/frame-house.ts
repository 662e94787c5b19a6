import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { eventRegistry } from '#composition';
import type { ActorId } from '#kernel';
import { MakulerError, newId, SystemClock } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { createLogger, Metrics } from '#observability';
import type { Policy } from '#policy';
import { createPool } from '#postgres';
import type { ProjectionStates } from '#projections';
import { LedgerDouble, testDatabase } from '#testing';
import type { TokenRole } from '#tokens';
import type { ApiParts } from '../../apps/api/src/app.module.js';
import { createApi } from '../../apps/api/src/create-api.js';
import { MARK, specimen, SpecimenModule } from '../../apps/api/src/frame-specimen.js';

/** Whoever calls, with whatever token. */
export const ACTOR = newId<ActorId>();

const tokens = {
  verify(token: string) {
    const roles = { shop: ['integrator'], jurist: ['compliance'], numbers: ['analyst'] }[token] as
      TokenRole[] | undefined;
    const defaultPurpose = token === 'shop' ? 'avtale' : undefined;
    return Promise.resolve(roles && { tokenId: ACTOR, actorId: ACTOR, roles, defaultPurpose });
  },
};
const projections = {
  waitFor: (_: unknown, position: bigint) =>
    position > 9n ? Promise.reject(new MakulerError('projection-behind', { retryAfterSeconds: 1 })) : Promise.resolve(),
} as unknown as ProjectionStates;
const policy = {
  version: 'spec',
  purpose: (id: string) => (id === 'avtale' || id === 'tilbud' ? { id } : undefined),
  mayRead: (purpose: string) => purpose === 'avtale',
  mayWrite: (purpose: string) => purpose === 'avtale',
} as unknown as Policy;

/** A ledger that may stop vouching for what it has read. */
class WatchedLedger extends LedgerDouble {
  stale = false;
  override assertCurrent(): void {
    if (this.stale) throw new MakulerError('vault-unavailable');
  }
}

/** The api with routes of `frame-specimen.ts` only: what every route gets from the frame around it. Tokens: shop, jurist, numbers. */
export class FrameHouse {
  /** What the vault says of its gate. */
  gate = { serving: true, state: 'consistent', why: '', wayOut: '' };
  readonly ledger = new WatchedLedger();
  readonly parts: ApiParts;
  app!: NestFastifyApplication;
  /** Lines. */
  readonly logged: string[] = [];

  private constructor(private readonly database: Awaited<ReturnType<typeof testDatabase>>) {
    const pool = createPool(database.url, { name: 'spec' });
    this.parts = {
      clock: new SystemClock(),
      policy,
      registry: eventRegistry(),
      vault: { assertCurrent: () => undefined } as never,
      shredder: {} as never,
      operations: {} as never,
      witness: {} as never,
      archive: {} as never,
      store: {} as never,
      recovery: { gate: async () => this.gate } as never,
      ledger: this.ledger,
      readModels: pool,
      control: pool,
      close: () => pool.end(),
      tokens,
      projections,
      metrics: new Metrics('spec'),
      logger: createLogger({ name: 'spec', destination: { write: (line) => void this.logged.push(line) } }),
    };
  }

  static async start(): Promise<FrameHouse> {
    const house = new FrameHouse(await testDatabase());
    house.app = await createApi(house.parts, [SpecimenModule]);
    return house;
  }

  /** Nothing is gone, interrupted or stale any more. */
  reset(): void {
    specimen.interrupt = undefined;
    specimen.gone = undefined;
    this.ledger.stale = false;
  }

  call(options: InjectOptions & { token?: string }): Promise<LightMyRequestResponse> {
    const authorization = `Bearer ${options.token ?? 'shop'}`;
    return this.app.inject({ ...options, headers: { authorization, ...options.headers } });
  }
  /** Sends the specimen's command under this idempotency key. */
  meet(key: string, body: unknown = { name: MARK, kind: 'walk' }): Promise<LightMyRequestResponse> {
    const headers = { 'idempotency-key': key };
    return this.call({ method: 'POST', url: '/v1/specimens', headers, payload: body as object });
  }

  /** All events of a type that were written so far. */
  async eventsOf({ type }: { readonly type: string }): Promise<readonly RecordedEvent[]> {
    const found = [];
    const controller = new AbortController();
    for await (const batch of this.ledger.subscribe({ signal: controller.signal })) {
      found.push(...batch.events.filter((event) => event.type === type));
      if (batch.live) controller.abort();
    }
    return found;
  }

  /** Fails when anything personal was logged meanwhile. */
  async end(): Promise<void> {
    expect(this.logged.join('')).not.toMatch(/Kari|Marknes/);
    await this.app.close();
    await this.parts.close();
    await this.database.drop();
  }
}
