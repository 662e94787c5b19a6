import { event, plain, reference } from '#events';

/**
 * Somebody read personal data. One for each person whose data stood in the answer; who read, and why, stand in the
 * metadata (actor, purpose). The person is sealed under a key of their own for the month, so that the trace ends with its
 * maximum or with the person; null where no key can be made any more (the person is closed) or nobody was found.
 */
export const PersonalDataRead = event('access.personal-data-read', 1, {
  person: reference<string | null>('trace', { owner: 'person' }),
  ownerKind: plain<'subject' | 'company' | null>('one of two words, equal for everybody of that kind'),
  route: plain<string>('the template of the route, the same for every caller'),
  categories: plain<readonly string[]>('codes of the policy, the same for every caller of the route'),
});

/**
 * Somebody asked for personal data, or to write it, for a purpose that does not allow it. Nothing was read. One event stands
 * for so many attempts, all within a minute or so.
 */
export const AccessRefused = event(
  'access.refused',
  2,
  {
    route: plain<string>('the template of the route, the same for every caller'),
    statedPurpose: plain<string | null>('an id of the policy, or null: what is not one is never written down'),
    categories: plain<readonly string[]>('codes of the policy, the same for every caller of the route'),
    mode: plain<'read' | 'write'>('one of two words'),
    attempts: plain<number>('a count of calls by staff or a program, about nobody'),
  },
  // Each attempt was an event.
  { upcasts: { 1: (data) => ({ ...data, attempts: 1 }) } },
);

/** A token called a route that its roles do not reach. One event stands for so many attempts, all within a minute or so. */
export const RoleRefused = event('access.role-refused', 1, {
  method: plain<string>('one of a few words of HTTP'),
  route: plain<string>('the template of the route, the same for every caller'),
  attempts: plain<number>('a count of calls by staff or a program, about nobody'),
});

export const ACCESS_EVENTS = [PersonalDataRead, AccessRefused, RoleRefused] as const;
