import { readFileSync } from 'node:fs';
import type { BodyOf, CallOptions, Method, PathOf } from './operations.js';

/**
 * Every route, by hand, as the types know them: one that is missing here, or is none, does not compile (`npm run types`).
 * That they are the routes of the document, the test below says.
 */
const GET: Readonly<Record<PathOf<'get'>, true>> = {
  '/health/live': true,
  '/health/ready': true,
  '/errors': true,
  '/errors/{code}': true,
  '/.well-known/jwks.json': true,
  '/v1/policy': true,
  '/v1/data-map': true,
  '/v1/projections': true,
  '/v1/companies/{id}': true,
  '/v1/companies/{id}/holdings': true,
  '/v1/customers/{id}': true,
  '/v1/customers/{id}/purchases': true,
  '/v1/customers/{id}/service-cases': true,
  '/v1/customers/{id}/holdings': true,
  '/v1/purchases/{id}': true,
  '/v1/service-cases': true,
  '/v1/service-cases/{id}': true,
  '/v1/analytics/sales': true,
  '/v1/analytics/service': true,
  '/v1/analytics/customers': true,
  '/v1/backups': true,
  '/v1/vault/epochs': true,
  '/v1/vault/mirrors': true,
  '/v1/erasures': true,
  '/v1/erasures/{id}': true,
  '/v1/erasures/{id}/plan': true,
  '/v1/erasures/{id}/certificate': true,
  '/v1/erasures/{id}/certificates': true,
  '/v1/erasures/{id}/attestation': true,
  '/v1/retention/due': true,
  '/v1/retention/sweeps/{id}': true,
  '/v1/clock': true,
};
const POST: Readonly<Record<PathOf<'post'>, true>> = {
  '/v1/projections/{name}/rebuild': true,
  '/v1/companies': true,
  '/v1/customers': true,
  '/v1/customers/search': true,
  '/v1/customers/{id}/relationship': true,
  '/v1/purchases': true,
  '/v1/service-cases': true,
  '/v1/service-cases/{id}/transitions': true,
  '/v1/service-cases/{id}/notes': true,
  '/v1/imports/{kind}/rows': true,
  '/v1/vault/epochs': true,
  '/v1/vault/mirrors': true,
  '/v1/vault/mirrors/{id}/retirement': true,
  '/v1/vault/mirrors/{id}/retirement/approve': true,
  '/v1/vault/mirrors/{id}/repair': true,
  '/v1/vault/losses': true,
  '/v1/vault/losses/{id}/approve': true,
  '/v1/erasures': true,
  '/v1/erasures/{id}/approve': true,
  '/v1/erasures/{id}/execute': true,
  '/v1/erasures/{id}/give-up': true,
  '/v1/retention/sweeps': true,
  '/v1/retention/sweeps/{id}/approve': true,
  '/v1/clock/confirm': true,
};
const PATCH: Readonly<Record<PathOf<'patch'>, true>> = { '/v1/companies/{id}': true, '/v1/customers/{id}': true };

/** Routes whose answer has no form, or any form. */
type Formless<M extends Method> = {
  [P in PathOf<M>]: unknown extends BodyOf<M, P> ? P : [BodyOf<M, P>] extends [never] ? P : never;
}[PathOf<M>];
/** Routes with a name in their path that the types do not ask a value for. */
type Nameless<M extends Method> = {
  [P in PathOf<M>]: P extends `${string}{${infer Name}}${string}`
    ? CallOptions<M, P> extends { readonly path: { readonly [_ in Name]: string } }
      ? never
      : P
    : never;
}[PathOf<M>];

/** Compiles only where there is none. */
const none = <_T extends never>(): void => undefined;
none<Formless<'get'>>();
none<Formless<'post'>>();
none<Formless<'patch'>>();
none<Nameless<'get'>>();
none<Nameless<'post'>>();
none<Nameless<'patch'>>();

describe('the types of the client', () => {
  it('reach every route of docs/openapi.json', () => {
    const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as { paths: Record<string, object> };
    const documented = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((m) => `${m} ${path}`));
    const reached = Object.entries({ get: GET, post: POST, patch: PATCH }).flatMap(([method, routes]) =>
      Object.keys(routes).map((path) => `${method} ${path}`),
    );
    expect(reached.sort()).toEqual(documented.sort());
  });
});
