import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CustomerInput } from '#customers';
import { RegisterCustomer } from '#customers';
import { MakulerError, currentContext, inContext } from '#kernel';
import { RecordPurchase } from '#purchases';
import type { ServiceCaseInput } from '#service';
import { OpenServiceCase } from '#service';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { CustomerBody } from '../customers/customer.dto.js';
import type { IdsAndCodes } from '../http/answers.js';
import { accepted } from '../http/answers.js';
import { BODY_LIMIT, BodyLimit } from '../http/body-limit.js';
import { inputPipe } from '../http/input.js';
import { PurchaseBody, purchaseInputOf } from '../purchases/purchase.dto.js';
import { ServiceCaseBody } from '../service/service-case.dto.js';
import type { StoreRow } from './import-rows.js';
import { ImportRows } from './import-rows.js';
import type { ImportKind } from './import-state.js';
import { ImportAnswer, ImportBody, ImportParams } from './rows.dto.js';

/** Rows of an export, through the same form, command and policy as over the route for one record. */
@ApiTags('imports')
@Controller('v1/imports')
export class ImportsController {
  private readonly pipe = inputPipe();

  constructor(
    private readonly rows: ImportRows,
    private readonly commands: CommandBus,
  ) {}

  @Post(':kind/rows')
  @HttpCode(200)
  @Roles('integrator')
  @PersonalData({ write: ['contact', 'purchase', 'billing', 'service'] })
  @BodyLimit(4 * BODY_LIMIT)
  @ApiOperation({
    summary: 'Import a batch of rows',
    description:
      'Repeatable: a row whose source key is known adds nothing. Each row is stored whole or rejected with its reasons.',
  })
  @ApiOkResponse({ type: ImportAnswer })
  async import(@Param() { kind }: ImportParams, @Body() body: ImportBody) {
    const store: StoreRow = (row, customerId) =>
      this.#stores[kind](
        customerId === undefined ? row.record : { customerId, ...row.record },
        { source: body.source, key: row.key },
        row.customerKey !== undefined && customerId === undefined,
      );
    const run = () => this.rows.run(kind, body.source, body.rows, store);
    const results = body.dryRun ? await inContext({ ...currentContext(), dryRun: true }, run) : await run();
    return accepted({ results: results as unknown as IdsAndCodes });
  }

  readonly #stores: Record<
    ImportKind,
    (record: object, source: { source: string; key: string }, orphan: boolean) => ReturnType<StoreRow>
  > = {
    customers: async (record, source) => {
      const input = await this.#read(CustomerBody, record);
      const { customerId, warnings } = await this.commands.execute(
        new RegisterCustomer(input as CustomerInput, source),
      );
      return { id: customerId, warnings, findable: true };
    },
    purchases: async (record, source, orphan) => {
      refuseOrphan(orphan);
      const input = purchaseInputOf(await this.#read(PurchaseBody, record));
      const { purchaseId, notStored } = await this.commands.execute(new RecordPurchase(input, source));
      // The key is sealed with the purchase or with its voucher: with neither stored, nothing could be found by it.
      const findable = !notStored.includes('purchase') || (Boolean(input.invoice) && !notStored.includes('billing'));
      return { id: purchaseId, notStored, findable };
    },
    service: async (record, source, orphan) => {
      refuseOrphan(orphan);
      const input = (await this.#read(ServiceCaseBody, record)) as ServiceCaseInput;
      const { serviceCaseId } = await this.commands.execute(new OpenServiceCase(input, source));
      return { id: serviceCaseId, findable: true };
    },
  };

  async #read<T extends object>(form: Type<T>, record: object): Promise<T> {
    return (await this.pipe.transform(record, { type: 'body', metatype: form })) as T;
  }
}

const refuseOrphan = (orphan: boolean): void => {
  if (orphan)
    throw new MakulerError('invalid-input', {
      errors: [
        {
          path: 'customerKey',
          code: 'unknown-customer',
          message: 'No customer of this source has that key: import the customers first.',
        },
      ],
    });
};
