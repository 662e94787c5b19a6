import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { analytics } from '#analytics';
import { companyCard } from '#companies';
import { eventRegistry } from '#composition';
import { customerCard } from '#customers';
import { erasureBoard } from '#erasure';
import { MakulerError } from '#kernel';
import type { StoredEvent } from '#ledger';
import { createLogger, Metrics } from '#observability';
import { loadPolicy } from '#policy';
import { purchaseHistory } from '#purchases';
import { holdings } from '#retention';
import { serviceHistory, serviceStatus } from '#service';
import { OperationsDouble, ReadSide, ShredderDouble, VaultArchiveDouble, WitnessDouble } from '#testing';
import type { TokenRole } from '#tokens';
import { TOKEN_ROLES, Tokens } from '#tokens';
import type { ApiParts } from '../../apps/api/src/app.module.js';
import { createApi } from '../../apps/api/src/create-api.js';
import { asDocumented } from '../journeys/documented-answers.js';

const PROJECTIONS = [
  ...[customerCard, companyCard, purchaseHistory, serviceStatus, serviceHistory, holdings, erasureBoard, analytics],
];
/** The purpose of each role's token, where it has one that lets it do its work. */
const PURPOSES: Partial<Record<TokenRole, string>> = {
  integrator: 'avtale',
  'service-desk': 'kundehjelp',
  compliance: 'rettigheter',
};
const OPEN_GATE = {
  ...{ serving: true, state: 'consistent', why: '', wayOut: '', dirtyBuckets: 0 },
  keys: { live: 0, expired: 0, erased: 0 },
};

/** The whole api as it is shipped, every context in it, over real PostgreSQL and a log and a vault in memory. */
export class WholeApi {
  #keys = 0;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly side: ReadSide,
    /** A real token for each role, with its role's purpose as the default. */
    readonly tokens: Readonly<Record<TokenRole, string>>,
    /** Every line that the api logged. */
    readonly logged: readonly string[],
  ) {}

  static async start(options: Pick<ApiParts, 'timeouts' | 'rateLimits'> = {}): Promise<WholeApi> {
    const policy = await loadPolicy('policy/jpi');
    const side = await ReadSide.start({ policy, projections: PROJECTIONS, now: new Date() });
    const { ledger, pool, clock } = side;
    const known = new Tokens(pool, clock);
    await known.migrate();
    const entries = [];
    for (const role of TOKEN_ROLES) {
      const defaultPurpose = PURPOSES[role];
      const { token } = await known.create({ roles: [role], label: role, ...(defaultPurpose && { defaultPurpose }) });
      entries.push([role, token] as const);
    }
    const shredder = new ShredderDouble(ledger.vault);
    const nothingLost = () => Promise.reject(new MakulerError('nothing-lost'));
    const logged: string[] = [];
    const parts = {
      ...{ clock, policy, ledger, shredder, tokens: known, registry: eventRegistry(), vault: ledger.vault },
      ...{ operations: new OperationsDouble(shredder, clock), witness: new WitnessDouble() },
      ...{ archive: new VaultArchiveDouble('spec'), store: ledger.store, readModels: pool, control: pool },
      recovery: { gate: async () => OPEN_GATE, losses: nothingLost, acceptLosses: nothingLost },
      ...{ projections: side.states, close: async () => undefined, metrics: new Metrics('spec') },
      logger: createLogger({ name: 'spec', destination: { write: (line) => void logged.push(line) } }),
      rateLimits: { address: 0, token: 0, lookups: 0 },
      ...options,
    } as unknown as ApiParts;
    const app = await createApi(parts);
    return new WholeApi(app, side, Object.fromEntries(entries) as Record<TokenRole, string>, logged);
  }

  /** As the holder of a role's token. Rejects where the answer is not as documented. */
  async call(role: TokenRole, options: InjectOptions): Promise<LightMyRequestResponse> {
    const headers = { authorization: `Bearer ${this.tokens[role]}`, ...options.headers };
    const answer = await this.app.inject({ ...options, headers });
    const contentType = String(answer.headers['content-type']);
    const asked = { method: options.method ?? 'GET', url: options.url as string };
    asDocumented({ ...asked, status: answer.statusCode, contentType, text: answer.body });
    return answer;
  }

  /** A key that was not used yet. */
  nextKey = (): string => `key-number-${++this.#keys}`;

  /** Routes that the running server answers, as `GET /v1/customers/:id`: from Fastify itself, HEAD left out. */
  routes(): readonly string[] {
    const stack: string[] = [];
    const found: string[] = [];
    // Fastify shows its routes as a tree only: four columns for each level, the methods behind the path.
    for (const line of this.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }).split('\n')) {
      const [, indent, path, methods] = /^([│ ]*)[├└]── (\S*)(?: \((.+)\))?$/.exec(line) ?? [];
      if (path === undefined) continue;
      const depth = indent!.length / 4;
      stack.splice(depth, Infinity, path);
      for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD') found.push(`${method} ${stack.join('')}`);
    }
    return found;
  }

  /** What was appended to the log after so many events. */
  async writtenAfter(count: bigint): Promise<readonly StoredEvent[]> {
    return this.side.ledger.store.forwards({ after: count, maxCount: 1_000 });
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.side.stop();
  }
}
