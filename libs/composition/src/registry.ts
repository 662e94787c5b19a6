import * as access from '#access';
import * as companies from '#companies';
import * as customers from '#customers';
import * as erasure from '#erasure';
import type { EventType } from '#events';
import * as events from '#events';
import * as purchases from '#purchases';
import * as service from '#service';

/** Every library that declares events. A new context adds its line; its declarations are found by themselves. */
const VOCABULARIES: readonly object[] = [events, access, companies, customers, purchases, service, erasure];

/** Every event type that Makuler's programs know. Throws when one is declared twice or not classified. */
export const eventRegistry = (): events.EventRegistry =>
  new events.EventRegistry(VOCABULARIES.flatMap((library) => Object.values(library)).filter(isEventType));

const isEventType = (value: unknown): value is EventType =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  'fields' in value &&
  'upcasts' in value &&
  'of' in value;
