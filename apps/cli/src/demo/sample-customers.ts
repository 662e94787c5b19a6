import { readFile } from 'node:fs/promises';
import type { CompanyBody } from '#client';

interface Address {
  readonly street: string;
  readonly postalCode: string;
  readonly city: string;
}

/** Somebody who does not exist, with all that either shipped policy may ask for. */
export interface SampleCustomer {
  readonly name: string;
  readonly phone: string;
  readonly email: string;
  readonly address: Address;
  readonly company: CompanyBody;
  readonly purchase: Readonly<Record<'itemType' | 'description' | 'quantity' | 'unitPrice', string>>;
}

export interface SampleCustomers {
  /** Registered once, however often the demo runs. */
  readonly staying: readonly SampleCustomer[];
  /** Registered and forgotten in each run. */
  readonly leaving: SampleCustomer & { readonly repair: string };
}

// This file runs from dist/apps/cli/src/demo.
const FILE = new URL('../../../../../examples/demo/customers.json', import.meta.url);

export const loadSampleCustomers = async (): Promise<SampleCustomers> =>
  JSON.parse(await readFile(FILE, 'utf8')) as SampleCustomers;

/** The command that registers a sample customer under a policy: with the company where it asks for one, else the postal address. */
export const registrationOf = ({ name, phone, email, address, company }: SampleCustomer, asksForCompany: boolean) => ({
  relationship: 'customer' as const,
  name,
  phone,
  email,
  ...(asksForCompany ? { company } : { address }),
});

/** What nothing may give back once the customer is forgotten. */
export const valuesOf = ({ name, phone, email, repair }: SampleCustomers['leaving']): readonly string[] => [
  name,
  phone,
  `+47${phone.replaceAll(' ', '')}`,
  email,
  repair,
];
