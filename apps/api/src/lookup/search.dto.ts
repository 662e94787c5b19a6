import { Text, WholeNumber } from '../http/fields.js';

/** One of the four; more than one is refused, because and and or would both surprise somebody. */
export class SearchBody {
  @Text({ max: 254, optional: true, description: 'Exact, whatever the case' })
  email?: string;

  @Text({ max: 40, optional: true, description: 'With or without country code; without one, a Norwegian number' })
  phone?: string;

  @Text({ max: 40, optional: true, description: 'Nine digits, with or without spaces' })
  organisationNumber?: string;

  @Text({ min: 2, max: 200, optional: true, description: 'Words, or beginnings of words of two to eight letters' })
  name?: string;

  @WholeNumber({ min: 1, max: 500, optional: true, description: 'At most so many (50)' })
  limit?: number;
}
