import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import type { EventId } from '#kernel';
import type { StoredEvent } from './event-store.js';

/** The client's event as ours. What we write is JSON throughout; a resolved event without an event is a dead link, and we write no links. */
export const storedEvent = ({ event }: ResolvedEvent | AllStreamResolvedEvent): StoredEvent[] =>
  event
    ? [
        {
          id: event.id as EventId,
          type: event.type,
          stream: event.streamId,
          revision: event.revision,
          position: event.position?.commit ?? 0n,
          data: event.data as Record<string, unknown>,
          metadata: event.metadata as Record<string, unknown>,
        },
      ]
    : [];
