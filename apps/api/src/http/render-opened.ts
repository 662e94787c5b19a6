import { ERASED, LOST, Personal } from '#kernel';

/** What an answer may hold before it is rendered: JSON, Opened<T>, positions (bigint) and instants (Date). */
export interface Rendered {
  readonly body: unknown;
  /** Whether a personal value was revealed. */
  readonly revealed: boolean;
}

/**
 * Makes an answer's body: a personal value stands as itself, what is gone as `{ "$state": "erased" | "lost" }` or
 * `{ "$state": "withheld", "reason" }`, a position as decimal text, an instant in RFC 3339 UTC. The only place in the API
 * where personal values are revealed; one that gets past it prints as `[personal]`.
 */
export const renderOpened = (answer: unknown): Rendered => {
  let revealed = false;
  const render = (value: unknown): unknown => {
    if (value instanceof Personal) {
      const inner = render((value as Personal<unknown>).reveal());
      // What was never given is sealed as null: showing that it is absent shows nothing of the person.
      revealed ||= inner !== null && inner !== undefined;
      return inner;
    }
    if (typeof value === 'bigint') return value.toString();
    if (value === null || typeof value !== 'object') return value;
    if (value instanceof Date) return value.toISOString();
    if (Array.isArray(value)) return value.map(render);
    if (value === ERASED) return { $state: 'erased' };
    if (value === LOST) return { $state: 'lost' };
    if (isWithheld(value)) return { $state: 'withheld', reason: value.reason };
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, render(inner)]));
  };
  return { body: render(answer), revealed };
};

// `withheld()` makes frozen objects of exactly these two members; an answer's own `state` field has company or is thawed.
const isWithheld = (value: object): value is { state: 'withheld'; reason: string } =>
  Object.isFrozen(value) &&
  Object.keys(value).length === 2 &&
  'state' in value &&
  value.state === 'withheld' &&
  'reason' in value;
