import type { TokenRole } from '#tokens';

/** Who gets past the door of a route: everybody, everybody with a token, or these roles. */
type Admitted = 'public' | 'any' | readonly TokenRole[];

/**
 * Who may call what, written by hand beside the code: what a decorator says is compared with this, never the other way
 * round. A new route gets its row here first.
 */
export const ACCESS_MATRIX: Readonly<Record<string, Admitted>> = {
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /errors': 'public',
  'GET /errors/:code': 'public',
  'GET /openapi.json': 'public',
  'GET /docs': 'public',
  'GET /docs/start.js': 'public',
  'GET /docs/swagger-ui.css': 'public',
  'GET /docs/swagger-ui-bundle.js': 'public',
  'GET /.well-known/jwks.json': 'public',
  'GET /metrics': ['operator'],

  'GET /v1/policy': 'any',
  'GET /v1/data-map': 'any',

  'POST /v1/companies': ['integrator'],
  'GET /v1/companies/:id': ['integrator'],
  'PATCH /v1/companies/:id': ['integrator'],
  'GET /v1/companies/:id/holdings': ['compliance'],

  'POST /v1/customers': ['integrator'],
  'POST /v1/customers/search': ['service-desk', 'compliance'],
  'GET /v1/customers/:id': ['integrator', 'service-desk', 'compliance'],
  'PATCH /v1/customers/:id': ['integrator', 'service-desk', 'compliance'],
  'POST /v1/customers/:id/relationship': ['integrator', 'service-desk', 'compliance'],
  'GET /v1/customers/:id/purchases': ['service-desk', 'compliance'],
  'GET /v1/customers/:id/service-cases': ['service-desk', 'compliance'],
  'GET /v1/customers/:id/holdings': ['compliance'],

  'POST /v1/purchases': ['integrator'],
  'GET /v1/purchases/:id': ['service-desk', 'compliance'],

  'POST /v1/service-cases': ['integrator', 'service-desk'],
  'GET /v1/service-cases': ['service-desk', 'compliance'],
  'GET /v1/service-cases/:id': ['service-desk', 'compliance'],
  'POST /v1/service-cases/:id/transitions': ['service-desk'],
  'POST /v1/service-cases/:id/notes': ['service-desk'],

  'POST /v1/imports/:kind/rows': ['integrator'],

  'GET /v1/analytics/sales': ['analyst'],
  'GET /v1/analytics/service': ['analyst'],
  'GET /v1/analytics/customers': ['analyst'],

  'POST /v1/erasures': ['compliance'],
  'GET /v1/erasures': ['compliance', 'auditor'],
  'GET /v1/erasures/:id': ['compliance', 'auditor', 'approver'],
  'GET /v1/erasures/:id/plan': ['compliance', 'approver'],
  'POST /v1/erasures/:id/approve': ['approver'],
  'POST /v1/erasures/:id/execute': ['compliance'],
  'POST /v1/erasures/:id/give-up': ['compliance'],
  'GET /v1/erasures/:id/certificate': ['compliance', 'auditor'],
  'GET /v1/erasures/:id/certificates': ['compliance', 'auditor'],
  'GET /v1/erasures/:id/attestation': ['compliance', 'auditor'],

  'GET /v1/retention/due': ['compliance'],
  'POST /v1/retention/sweeps': ['compliance'],
  'GET /v1/retention/sweeps/:id': ['compliance', 'approver', 'auditor'],
  'POST /v1/retention/sweeps/:id/approve': ['approver'],

  'GET /v1/projections': ['operator'],
  'POST /v1/projections/:name/rebuild': ['operator'],
  'GET /v1/clock': ['operator'],
  'POST /v1/clock/confirm': ['operator'],
  'GET /v1/backups': ['operator', 'auditor'],
  'GET /v1/vault/epochs': ['operator', 'auditor'],
  'POST /v1/vault/epochs': ['operator'],
  'GET /v1/vault/mirrors': ['operator', 'approver', 'auditor'],
  'POST /v1/vault/mirrors': ['operator'],
  'POST /v1/vault/mirrors/:id/retirement': ['operator'],
  'POST /v1/vault/mirrors/:id/retirement/approve': ['approver'],
  'POST /v1/vault/mirrors/:id/repair': ['operator'],
  'POST /v1/vault/losses': ['operator'],
  'POST /v1/vault/losses/:id/approve': ['approver'],
};

/** Whether the matrix lets a role in. */
export const isAdmitted = (route: string, role: TokenRole): boolean => {
  const admitted = ACCESS_MATRIX[route]!;
  return typeof admitted === 'string' || admitted.includes(role);
};
