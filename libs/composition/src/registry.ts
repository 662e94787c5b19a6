import * as access from '#access';
import * as analytics from '#analytics';
import * as chain from '#chain';
import * as companies from '#companies';
import * as customers from '#customers';
import * as epochs from '#epochs';
import * as erasure from '#erasure';
import type { EventType } from '#events';
import * as events from '#events';
import { Projection } from '#projections';
import * as purchases from '#purchases';
import * as recovery from '#recovery';
import * as retention from '#retention';
import * as service from '#service';

/** Every library that declares events or projections. A new context adds its line; its declarations are found by themselves. */
const CONTEXTS: readonly object[] = [
  events,
  access,
  analytics,
  chain,
  companies,
  customers,
  epochs,
  erasure,
  purchases,
  recovery,
  retention,
  service,
];
const declarations = (): readonly unknown[] => CONTEXTS.flatMap((library) => Object.values(library));

/** Every event type that Makuler's programs know. Throws when one is declared twice or not classified. */
export const eventRegistry = (): events.EventRegistry => new events.EventRegistry(declarations().filter(isEventType));

/** Every read model that the contexts declare, for the data map. */
export const declaredProjections = (): readonly Projection[] =>
  declarations().filter((declared) => declared instanceof Projection);

const isEventType = (value: unknown): value is EventType =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  'fields' in value &&
  'upcasts' in value &&
  'of' in value;
