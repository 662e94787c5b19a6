import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { parsePhone } from '#formats';
import { MakulerError, subjectOwner } from '#kernel';
import type { CustomerQuestion } from '#lookup';
import { SearchCustomers } from '#lookup';
import { Policy } from '#policy';
import { PersonalData } from '../access/personal-data.js';
import { LooksUp } from '../access/rate-limit.guard.js';
import { Roles } from '../access/roles.js';
import { ReadsOnly } from '../commands/is-command.js';
import { page } from '../http/answers.js';
import { CustomersFoundAnswer } from '../customers/customer.dto.js';
import { SearchBody } from './search.dto.js';

const KINDS = ['email', 'phone', 'organisationNumber', 'name'] as const;

@ApiTags('customers')
@Controller('v1/customers/search')
export class SearchController {
  constructor(
    private readonly queries: QueryBus,
    private readonly policy: Policy,
  ) {}

  @Post()
  @HttpCode(200)
  @ReadsOnly()
  @LooksUp(true)
  @Roles('service-desk', 'compliance')
  @PersonalData({ read: ['contact'] })
  @ApiOperation({
    summary: 'Find customers',
    description: 'A POST, so that no personal value stands in an address. Every look-up leaves a trace.',
  })
  @ApiOkResponse({ type: CustomersFoundAnswer })
  async search(@Body() body: SearchBody) {
    const found = await this.queries.execute(new SearchCustomers(this.#question(body), body.limit ?? 50));
    return page(found, undefined, { about: found.map(({ customerId }) => subjectOwner(customerId)) });
  }

  #question(body: SearchBody): CustomerQuestion {
    const given = KINDS.filter((kind) => body[kind] !== undefined);
    const [kind] = given;
    if (given.length !== 1 || kind === undefined)
      throw new MakulerError('invalid-input', {
        errors: [{ path: '*', code: 'one-of', message: `give exactly one of ${KINDS.join(', ')}` }],
      });
    const value = body[kind]!;
    if (kind !== 'phone') return { kind, value };
    const { defaultCountry } = this.policy.formats;
    // A number that the library does not know was stored as it was entered, and is looked for as it is asked.
    const parsed = parsePhone(value, { defaultCountry, unknownForeign: 'keep' });
    return { kind, value: parsed.ok ? parsed.value : value };
  }
}
