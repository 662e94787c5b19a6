import { ACCESS_EVENTS } from '#access';
import { EventRegistry } from '#events';

/** Every event type that Makuler's programs know: each context adds its vocabulary here, and nowhere else. */
export const eventRegistry = (): EventRegistry => new EventRegistry([...ACCESS_EVENTS]);
