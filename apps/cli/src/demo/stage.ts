import { readFile } from 'node:fs/promises';
import type { MakulerClient } from '#client';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import type { TokenRole } from '#tokens';
import type { GlobalOptions } from '../client/connection.js';
import { connect, homeOf } from '../client/connection.js';
import { purposeFor } from '../client/purpose.js';
import { Refusal } from '../refusal.js';
import type { Home } from '../up/home.js';
import { readRunning } from '../up/lock.js';
import type { Secrets } from '../up/secrets.js';

const ROLES = ['integrator', 'service-desk', 'analyst', 'compliance', 'approver', 'operator'] as const;
type Role = (typeof ROLES)[number] & TokenRole;

/** What the demo plays on: a client for each role, the purposes of the policy in force, and the databases underneath. */
export interface Stage {
  readonly home: Home;
  readonly as: Readonly<Record<Role, MakulerClient>>;
  readonly policy: { readonly name: string; readonly version: string; readonly asksForCompany: boolean };
  /** What the integrator sells for, the service desk helps for, and compliance serves rights for. */
  readonly purposes: Readonly<Record<'selling' | 'helping' | 'rights' | 'books', string>>;
  /** Opened to look at what is stored; nothing is ever written through them. */
  readonly databases: Readonly<Record<'events' | 'readmodels' | 'vault', Pool>>;
  close(): Promise<void>;
}

/** Throws Refusal when no system runs in the home, when its tokens were handed out, or its databases are elsewhere. */
export const openStage = async (options: GlobalOptions): Promise<Stage> => {
  const clients = await Promise.all(ROLES.map(async (role) => [role, await connect(options, role)] as const));
  const as = Object.fromEntries(clients) as Stage['as'];
  const home = homeOf(options);
  const address = (await readRunning(home))?.addresses['postgres'];
  if (address === undefined)
    throw new Refusal(
      `The demo looks at what is stored, and the databases of ${home.directory} are not on this machine.`,
      'Run it where `makuler up` runs, on the embedded profile.',
    );
  const { body } = await as.compliance.get('/v1/policy');
  const purposes = {
    selling: await purposeFor(as.integrator, 'integrator', { write: ['contact', 'purchase', 'billing'] }),
    helping: await purposeFor(as['service-desk'], 'service-desk', {
      read: ['contact', 'purchase'],
      write: ['service'],
    }),
    rights: await purposeFor(as.compliance, 'compliance', { read: ['contact'], write: ['request'] }),
    books: await purposeFor(as.compliance, 'compliance', { read: ['billing'] }),
  };
  const secrets = JSON.parse(await readFile(home.secrets, 'utf8')) as Secrets;
  const look = (name: 'events' | 'readmodels' | 'vault') =>
    createPool(
      `postgres://${name}:${secrets[name]}@${address}/${name}?options=-c%20default_transaction_read_only%3Don`,
      {
        name: 'makuler demo',
        max: 1,
      },
    );
  const databases = { events: look('events'), readmodels: look('readmodels'), vault: look('vault') };
  return {
    home,
    as,
    policy: {
      name: body.manifest.controller.name,
      version: body.version,
      asksForCompany: body.manifest.relationships.customer.company === 'required',
    },
    purposes,
    databases,
    close: async () => void (await Promise.all(Object.values(databases).map((pool) => pool.end()))),
  };
};
