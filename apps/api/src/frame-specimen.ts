import { Body, Controller, Get, Module, Param, Patch, Post, Query } from '@nestjs/common';
import { event, personal, plain, subject } from '#events';
import type { Projection } from '#projections';
import type { CustomerId, Opened } from '#kernel';
import { ERASED, MakulerError, Personal, currentContext, newId, subjectOwner } from '#kernel';
import { PersonalData } from './access/personal-data.js';
import { Roles } from './access/roles.js';
import { ReadsOnly, RenderedBy } from './commands/is-command.js';
import { accepted, page, resource } from './http/answers.js';
import { BODY_LIMIT, BodyLimit } from './http/body-limit.js';
import { IfMatch } from './http/etag.js';
import { CalendarDay, Choice, ListOf, Text } from './http/fields.js';
import { ListQuery } from './http/list-query.js';
import { ReadsFrom } from './reads/reads-from.js';
import { Ledger } from '#ledger';

/** A personal value that nothing may repeat. */
export const MARK = 'Kari Marknes';

export const PersonMet = event('specimen.person-met', 1, {
  customerId: subject<CustomerId>(),
  kind: plain<string>('one of two words in this spec'),
  name: personal<string>('contact', { source: 'volunteered' }),
});

class Line {
  @Text({ max: 5 }) item!: string;
}
class Meeting {
  @Text({ max: 40 }) name!: string;
  @Choice(['walk', 'talk']) kind!: string;
  @CalendarDay({ optional: true }) day?: string;
  @ListOf(() => Line, { max: 2, optional: true }) lines?: Line[];
}

/** What the specimen's routes have done, and what they shall meet next. */
export const specimen: { runs: number; interrupt: 'before' | 'after' | undefined; gone: Opened<string> | undefined } = {
  runs: 0,
  interrupt: undefined,
  gone: undefined,
};

@Roles('integrator', 'compliance')
@Controller('v1/specimens')
class SpecimenController {
  constructor(private readonly ledger: Ledger) {}

  @Post()
  @PersonalData({ write: ['contact'] })
  async meet(@Body() { name, kind }: Meeting) {
    specimen.runs += 1;
    if (specimen.interrupt === 'before') throw new MakulerError('subject-closed');
    const customerId = currentContext().ids.next<CustomerId>();
    const stream = `customer-${customerId}`;
    const known = (await this.ledger.read(stream)).length > 0;
    if (!known)
      await this.ledger.append({
        stream,
        expected: 'no-stream',
        drafts: [PersonMet.of({ customerId, kind, name }, { partitions: { contact: 'lead' } })],
      });
    if (specimen.interrupt === 'after') throw new Error(`a fault that quotes ${MARK}`);
    return accepted(
      { customerId, revision: '0' },
      { status: 201, revision: 0n, position: 7n, location: `/v1/specimens/${customerId}` },
    );
  }

  @Post('many')
  @BodyLimit(4 * BODY_LIMIT)
  many(@Body() _all: Record<string, unknown>) {
    return accepted({});
  }

  @Post(':id/plan')
  @RenderedBy('plan')
  prepare(@Param('id') id: string) {
    return accepted({ id });
  }
  plan({ id }: { id: string }) {
    return Promise.resolve({ id, items: specimen.runs, by: currentContext().actor, at: 3n });
  }

  @Patch(':id')
  change(@Param('id') id: string, @IfMatch() revision: bigint) {
    return accepted({ id, revision: revision.toString() });
  }

  @Post('search')
  @ReadsOnly()
  @PersonalData({ read: ['contact'] })
  search() {
    return page([], undefined, { about: [], columns: ['name'] });
  }

  @Get()
  @PersonalData({ read: ['contact'] })
  @ReadsFrom([{} as Projection])
  list(@Query() query: ListQuery) {
    const id = newId<CustomerId>();
    const items = [
      { name: new Personal(`=${MARK}`), phone: new Personal('+4790012345'), limit: query.limit, at: ERASED },
    ];
    return page(items, 'next', { about: [subjectOwner(id)] });
  }

  @Get('careless')
  careless() {
    return resource({ name: new Personal(MARK) });
  }

  @Get(':id')
  @PersonalData({ read: ['contact'] })
  async one(@Param('id') id: CustomerId) {
    const [met] = await this.ledger.read(`customer-${id}`);
    if (!met) throw new MakulerError('not-found');
    const name = specimen.gone ?? (met.data as unknown as { name: Opened<string> }).name;
    return resource(
      { id, name, at: met.at, position: met.position },
      { revision: met.revision, about: [subjectOwner(id)] },
    );
  }
}
/** Routes of each kind, for the spec of the frame: they belong to no context. */
@Module({ controllers: [SpecimenController] })
export class SpecimenModule {}
