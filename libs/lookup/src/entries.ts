import { CompanyRectified, CompanyRegistered } from '#companies';
import type { SourceKey } from '#companies';
import { CustomerRectified, CustomerRegistered } from '#customers';
import type { Opened } from '#kernel';
import { valueOf } from '#kernel';
import type { EventType } from '#events';
import type { Opens, RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';
import { PurchaseInvoiced, PurchaseRecorded } from '#purchases';
import { ServiceCaseOpened } from '#service';
import type { Entries, LookupEntry } from './lookup.js';
import type { LookupKind } from './words.js';

/** A source's key as one word: the source, the kind of record, and the key, none of which can hold a NUL. */
export const sourceWord = (
  kind: 'customers' | 'companies' | 'purchases' | 'service',
  { source, key }: SourceKey,
): string => [kind, source, key].join('\0');

const idOf = (event: RecordedEvent): string => event.stream.slice(event.stream.indexOf('-') + 1);

const fieldsOf = <E extends EventType<any>>(type: E, ...fields: readonly (keyof E['fields'] & string)[]) =>
  [type.type, new Set<string>(fields)] as const;

const PERSON = ['name', 'email', 'phone', 'companyId'] as const;
const opens: Opens = new Map([
  fieldsOf(CustomerRegistered, ...PERSON, 'sourceKey'),
  fieldsOf(CustomerRectified, ...PERSON),
  fieldsOf(CompanyRegistered, 'organisationNumber', 'sourceKey'),
  fieldsOf(CompanyRectified, 'organisationNumber'),
  fieldsOf(PurchaseRecorded, 'sourceKey'),
  fieldsOf(PurchaseInvoiced, 'sourceKey'),
  fieldsOf(ServiceCaseOpened, 'sourceKey'),
]);

/** What each event makes findable. What is erased or withheld says nothing and so adds nothing. */
const of = (event: RecordedEvent): readonly LookupEntry[] => {
  const words: { kind: LookupKind; value: string }[] = [];
  const add = (kind: LookupKind, opened: Opened<string | null>) => {
    const value = valueOf(opened);
    if (value) words.push({ kind, value });
  };
  const addSource = (kind: Parameters<typeof sourceWord>[0], opened: Opened<SourceKey | null>) => {
    const key = valueOf(opened);
    if (key) words.push({ kind: 'sourceKey', value: sourceWord(kind, key) });
  };
  if (isEvent(event, CustomerRegistered) || isEvent(event, CustomerRectified)) {
    add('name', event.data.name);
    add('email', event.data.email);
    add('phone', event.data.phone);
    add('companyId', event.data.companyId);
  }
  if (isEvent(event, CustomerRegistered)) addSource('customers', event.data.sourceKey);
  if (isEvent(event, CompanyRegistered) || isEvent(event, CompanyRectified))
    add('organisationNumber', event.data.organisationNumber);
  if (isEvent(event, CompanyRegistered)) addSource('companies', event.data.sourceKey);
  if (isEvent(event, PurchaseRecorded) || isEvent(event, PurchaseInvoiced))
    addSource('purchases', event.data.sourceKey);
  if (isEvent(event, ServiceCaseOpened)) addSource('service', event.data.sourceKey);
  return words.length === 0 ? [] : [{ id: idOf(event), words }];
};

export const lookupEntries: Entries = { opens, of };
