import { CompanyRectified, CompanyRegistered } from '#companies';
import type { SourceKey } from '#companies';
import { CustomerRectified, CustomerRegistered } from '#customers';
import type { Opened } from '#kernel';
import { valueOf } from '#kernel';
import type { EventType } from '#events';
import type { RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';
import { PurchaseInvoiced, PurchaseRecorded } from '#purchases';
import { ServiceCaseOpened } from '#service';
import type { Entries, LookupEntry } from './followed-index.js';
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
const COMPANY = ['organisationNumber'] as const;

/** Of what is erased or withheld nothing is said, and so nothing is added. */
const wordsIn = (fields: object, kinds: readonly LookupKind[]): LookupEntry['words'] =>
  kinds.flatMap((kind) => {
    const value = valueOf((fields as Record<string, Opened<string | null>>)[kind]!);
    return value ? [{ kind, value }] : [];
  });

/** What a card says of a person or a company: the fields of the event that last wrote it. */
export const wordsOfCard = (type: string, fields: object): LookupEntry['words'] => wordsIn(fields, kindsOf(type));
const kindsOf = (type: string): readonly LookupKind[] =>
  type === CustomerRegistered.type || type === CustomerRectified.type ? PERSON : COMPANY;

/** Persons, and the companies that they work for. */
export const personEntries: Entries = {
  opens: new Map([
    fieldsOf(CustomerRegistered, ...PERSON),
    fieldsOf(CustomerRectified, ...PERSON),
    fieldsOf(CompanyRegistered, ...COMPANY),
    fieldsOf(CompanyRectified, ...COMPANY),
  ]),
  of: (event) => {
    const words = personEntries.opens.has(event.type) ? wordsOfCard(event.type, event.data) : [];
    return words.length === 0 ? [] : [{ id: idOf(event), words }];
  },
};

/** Records by the keys that sources gave them. */
export const sourceEntries: Entries = {
  opens: new Map([
    fieldsOf(CustomerRegistered, 'sourceKey'),
    fieldsOf(CompanyRegistered, 'sourceKey'),
    fieldsOf(PurchaseRecorded, 'sourceKey'),
    fieldsOf(PurchaseInvoiced, 'sourceKey'),
    fieldsOf(ServiceCaseOpened, 'sourceKey'),
  ]),
  of: (event) => {
    const kind = sourceKind(event);
    const key = kind && valueOf((event.data as Record<string, Opened<SourceKey | null>>)['sourceKey']!);
    return key ? [{ id: idOf(event), words: [{ kind: 'sourceKey', value: sourceWord(kind, key) }] }] : [];
  },
};

const sourceKind = (event: RecordedEvent): Parameters<typeof sourceWord>[0] | undefined => {
  if (isEvent(event, CustomerRegistered)) return 'customers';
  if (isEvent(event, CompanyRegistered)) return 'companies';
  if (isEvent(event, PurchaseRecorded) || isEvent(event, PurchaseInvoiced)) return 'purchases';
  return isEvent(event, ServiceCaseOpened) ? 'service' : undefined;
};
