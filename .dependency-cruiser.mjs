/**
 * The import law (docs/architecture.md): who may know whom. `test/architecture/import-law.spec.ts` runs it, and asserts
 * that it read the whole tree, because a law that reads nothing finds nothing.
 */

const lib = (...names) => `^libs/(${names.join('|')})/`;
const OUTSIDE_TESTS = '\\.spec\\.ts$|^test/|^libs/testing/';

/** Foundations, and which libraries each may know. What is not listed here is a context, which knows foundations and contexts. */
const FOUNDATIONS = {
  kernel: [],
  formats: ['kernel'],
  pki: ['kernel'],
  // What integrators and the console get: it knows the document, and nothing of how we serve it.
  client: [],
  observability: ['kernel'],
  postgres: ['kernel'],
  tokens: ['kernel', 'postgres'],
  signing: ['kernel', 'postgres'],
  events: ['kernel'],
  vault: ['kernel', 'postgres'],
  ledger: ['kernel', 'events', 'vault'],
  policy: ['kernel', 'events'],
  projections: ['kernel', 'events', 'ledger', 'postgres'],
  jobs: ['kernel', 'postgres'],
};

const layers = Object.entries(FOUNDATIONS).map(([name, known]) => ({
  name: `${name}-knows-${known.length > 0 ? known.join('-and-') : 'nobody'}`,
  severity: 'error',
  from: { path: lib(name), pathNot: OUTSIDE_TESTS },
  to: { path: '^(libs|apps)/', pathNot: lib(name, ...known) },
}));

/** Packages that one place wraps: [rule, packages, who may]. */
const WRAPPED = [
  ['event-store-client', '@eventstore/db-client', '^libs/ledger/|^apps/event-node/|^test/'],
  ['job-queues', '(bullmq|ioredis)', '^libs/jobs/|^test/'],
  ['libsodium', 'libsodium-wrappers', '^libs/vault/|^test/'],
  // BullMQ's PostgreSQL backend takes a pool of the driver's own.
  ['postgres-driver', 'pg', '^libs/(postgres|jobs)/|^libs/testing/|^test/'],
  ['logger', 'pino', '^libs/observability/'],
  ['http-client', 'openapi-fetch', '^libs/client/'],
  ['opentelemetry', '@opentelemetry', '^libs/observability/|^test/'],
];

const wrapped = WRAPPED.map(([name, packages, places]) => ({
  name: `only-one-place-imports-${name}`,
  severity: 'error',
  from: { pathNot: `${places}|\\.spec\\.ts$` },
  to: { path: `^node_modules/${packages}/` },
}));

/** Entry points that give power, and who may have it. */
const POWERS = [
  ['only-proof-opens-with-key-bytes', '^libs/vault/src/primitive\\.ts$', '^libs/(vault|proof)/'],
  ['only-the-vault-holds-keys', '^libs/vault/src/keeper/', '^libs/vault/src/keeper/|^apps/vault/'],
  [
    'only-erasure-and-retention-shred',
    '^libs/vault/src/shredder\\.ts$',
    '^libs/(vault|erasure|retention|composition)/|^apps/vault/',
  ],
  [
    'only-operations-administer-the-vault',
    '^libs/vault/src/operations\\.ts$',
    '^libs/(vault|epochs|chain|backup|proof|recovery|erasure|retention|composition)/|^apps/(vault|api|worker|cli)/',
  ],
  ['only-the-supervisor-starts-postgres', '^libs/postgres/src/embedded', '^libs/postgres/src/embedded|^apps/cli/'],
];

const powers = POWERS.map(([name, entry, places]) => ({
  name,
  severity: 'error',
  from: { pathNot: `${places}|${OUTSIDE_TESTS}` },
  to: { path: entry },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers,
    ...wrapped,
    ...powers,
    {
      name: 'no-cycles',
      comment: 'Types may refer to each other; what runs may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'libraries-by-their-index',
      comment: 'Another library is imported as `#name`: what its index does not show is its own affair.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '^libs/',
        pathNot:
          '^libs/$1/|^libs/[^/]+/src/(index|keeper/index|primitive|shredder|operations|embedded|tracing|logger)\\.ts$',
      },
    },
    {
      name: 'libraries-by-their-index-from-apps',
      severity: 'error',
      from: { path: '^(apps|test)/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '^libs/',
        pathNot: '^libs/[^/]+/src/(index|keeper/index|primitive|shredder|operations|embedded|tracing|logger)\\.ts$',
      },
    },
    {
      name: 'libraries-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|test)/' },
    },
    {
      name: 'apps-know-no-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'the-console-knows-only-the-client',
      severity: 'error',
      from: { path: '^apps/console/' },
      to: { path: '^(libs|apps)/', pathNot: '^apps/console/|^libs/client/' },
    },
    {
      name: 'tests-stay-outside',
      severity: 'error',
      from: { pathNot: OUTSIDE_TESTS },
      to: { path: OUTSIDE_TESTS },
    },
    {
      name: 'pure-files-know-no-framework-and-no-driver',
      comment:
        'Events, decisions, the kernel and the rules of the policy can be read and tested without anything running.',
      severity: 'error',
      from: {
        path: '\\.events\\.ts$|-decisions\\.ts$|^libs/(kernel|events|formats)/|^libs/policy/src/[^/]*rules?[^/]*\\.ts$',
        pathNot: '\\.spec\\.ts$',
      },
      to: { path: '^node_modules/(@nestjs|pg|kysely|bullmq|ioredis|@eventstore|@grpc|libsodium-wrappers|pino)/' },
    },
    {
      name: 'what-is-shipped-needs-no-development-package',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: OUTSIDE_TESTS },
      // A framework's types come with the framework (fastify's with @nestjs/platform-fastify).
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules/\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // `#x` of package.json: its `types` condition is the source, its `default` the build.
    enhancedResolveOptions: { conditionNames: ['types', 'import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
