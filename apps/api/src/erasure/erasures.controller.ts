import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApproveErasure,
  ErasureBoard,
  erasureBoard,
  GetErasurePlan,
  GiveUpErasure,
  PlanErasure,
  planChanged,
  RequestExecution,
} from '#erasure';
import type { CompanyId, CustomerId, ErasureId, OwnerRef } from '#kernel';
import { companyOwner, MakulerError, Personal, subjectOwner, valueOf } from '#kernel';
import { PersonalData } from '../access/personal-data.js';
import { Roles } from '../access/roles.js';
import { RenderedBy } from '../commands/is-command.js';
import { accepted, page, resource } from '../http/answers.js';
import { decodeCursor, encodeCursor } from '../http/cursor.js';
import { IdParam } from '../http/id-param.js';
import { ListQuery } from '../http/list-query.js';
import { ReadsFrom } from '../reads/reads-from.js';
import { ApprovalBody, ErasureAnswer, erasureAnswer, ErasureBody, ErasuresAnswer, PlanAnswer } from './erasure.dto.js';
import { CurrentPlanAnswer, ErasureStateAnswer, PlanApprovedAnswer } from './erasure-steps.dto.js';
import { AttestationAnswer, CertificateAnswer, CertificatesAnswer } from './statements.dto.js';

@ApiTags('erasures')
@Roles('compliance')
@Controller('v1/erasures')
export class ErasuresController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly board: ErasureBoard,
  ) {}

  @Post()
  @PersonalData({ write: ['request'] })
  @RenderedBy('planBody')
  @ApiOperation({
    summary: 'Plan an erasure',
    description: 'Says what would happen to each scope. Nothing happens yet.',
  })
  @ApiCreatedResponse({ type: PlanAnswer })
  async plan(@Body() body: ErasureBody) {
    const owner = ownerIn(body);
    const command = new PlanErasure(owner, body.ground, body.note ?? null);
    const { erasureId, position } = await this.commands.execute(command);
    return accepted(
      { erasureId, owner: { ...owner } },
      { status: 201, position, location: `/v1/erasures/${erasureId}` },
    );
  }

  /**
   * The plan as it last was: a repeat after the erasure finds that its items are gone too. From the owner's stream alone, so
   * that what was written is answered while read models are behind.
   */
  async planBody({ erasureId, owner }: { erasureId: ErasureId; owner: OwnerRef }) {
    const plan = await this.queries.execute(new GetErasurePlan(erasureId, owner));
    if (!plan) throw new MakulerError('not-found');
    return { erasureId, planHash: plan.planHash, items: valueOf(plan.items) ?? [] };
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Roles('approver')
  @ApiOperation({
    summary: 'Approve a plan',
    description: 'Never by whoever planned, where the policy asks for four eyes.',
  })
  @ApiOkResponse({ type: PlanApprovedAnswer })
  async approve(@Param() { id }: IdParam, @Body() { planHash }: ApprovalBody) {
    const { position, state } = await this.commands.execute(new ApproveErasure(id as ErasureId, planHash));
    return accepted({ erasureId: id, planHash, state }, { position });
  }

  @Post(':id/execute')
  @HttpCode(202)
  @ApiOperation({ summary: 'Execute an approved plan', description: 'The steps run as durable jobs.' })
  @ApiAcceptedResponse({ type: ErasureStateAnswer })
  async execute(@Param() { id }: IdParam) {
    const { position, state } = await this.commands.execute(new RequestExecution(id as ErasureId));
    return accepted({ erasureId: id, state }, { status: 202, position, location: `/v1/erasures/${id}` });
  }

  @Post(':id/give-up')
  @HttpCode(200)
  @ApiOperation({ summary: 'Withdraw a plan of which nothing was begun' })
  @ApiOkResponse({ type: ErasureStateAnswer })
  async giveUp(@Param() { id }: IdParam) {
    const { position } = await this.commands.execute(new GiveUpErasure(id as ErasureId));
    return accepted({ erasureId: id, state: 'givenUp' }, { position });
  }

  @Get()
  @Roles('compliance', 'auditor')
  @ReadsFrom([erasureBoard])
  @ApiOperation({ summary: 'All erasures, the latest first' })
  @ApiOkResponse({ type: ErasuresAnswer })
  async list(@Query() { limit, cursor }: ListQuery) {
    const after = decodeCursor(cursor, ['instant', 'id']);
    const before = after && { plannedAt: after[0], erasureId: after[1] };
    const rows = await this.board.list(limit + 1, before);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return page(shown.map(erasureAnswer), last && encodeCursor(last.planned_at.toISOString(), last.erasure_id));
  }

  @Get(':id')
  @Roles('compliance', 'auditor', 'approver')
  @ReadsFrom([erasureBoard])
  @ApiOperation({ summary: 'Where an erasure stands' })
  @ApiOkResponse({ type: ErasureAnswer })
  async one(@Param() { id }: IdParam) {
    return resource(erasureAnswer(await this.board.get(id as ErasureId)));
  }

  @Get(':id/plan')
  @Roles('compliance', 'approver')
  @PersonalData({ read: ['request'] })
  @ApiOperation({
    summary: 'The plan that holds now, item by item',
    description: 'Erased together with what it lists. Items come in pages; hash and counts are of the whole plan.',
  })
  @ApiOkResponse({ type: CurrentPlanAnswer })
  async currentPlan(@Param() { id }: IdParam, @Query() { limit, cursor }: ListQuery) {
    const [planHash, next] = decodeCursor(cursor, ['hash', 'position']) ?? [];
    const found = await this.queries.execute(new GetErasurePlan(id as ErasureId));
    if (!found) throw new MakulerError('not-found');
    // Pages of two plans are no plan.
    if (planHash !== undefined && planHash !== found.planHash) throw planChanged(found);
    const { owner, summary: plan, ...shown } = found;
    const all = valueOf(found.items);
    const from = Number(next ?? 0);
    const items = all ? new Personal(all.slice(from, from + limit)) : found.items;
    const more = all !== undefined && from + limit < all.length;
    const nextCursor = more ? encodeCursor(found.planHash, String(from + limit)) : null;
    return resource({ ...shown, plan, items, nextCursor }, { about: [owner], columns: ITEM_COLUMNS });
  }

  @Get(':id/certificate')
  @Roles('compliance', 'auditor')
  @ReadsFrom([erasureBoard])
  @ApiOperation({ summary: 'The certificate', description: 'JWS (Ed25519); the keys are at /.well-known/jwks.json.' })
  @ApiOkResponse({ type: CertificateAnswer })
  async certificate(@Param() { id }: IdParam) {
    const newest = (await this.board.get(id as ErasureId)).certificates.at(-1);
    if (!newest) throw new MakulerError('erasure-not-finished');
    return resource({ erasureId: id, edition: newest.edition, certificate: newest.certificate });
  }

  @Get(':id/certificates')
  @Roles('compliance', 'auditor')
  @ReadsFrom([erasureBoard])
  @ApiOperation({
    summary: 'All certificates, the first one first',
    description: 'Each takes the place of the one before; the date moves forward only, for the reason that it names.',
  })
  @ApiOkResponse({ type: CertificatesAnswer })
  async certificates(@Param() { id }: IdParam) {
    const { certificates } = await this.board.get(id as ErasureId);
    return page(certificates, undefined, { columns: CERTIFICATE_COLUMNS });
  }

  @Get(':id/attestation')
  @Roles('compliance', 'auditor')
  @ReadsFrom([erasureBoard])
  @ApiOperation({
    summary: 'The attestation',
    description:
      'JWS (Ed25519), once every mirror has confirmed that the roots are gone; until then 404 with the planned date.',
  })
  @ApiOkResponse({ type: AttestationAnswer })
  async attestation(@Param() { id }: IdParam) {
    const { state, attestation, backups_cleared_at, backups_cleared_by } = await this.board.get(id as ErasureId);
    if (state !== 'erased') throw new MakulerError('erasure-not-finished');
    if (attestation !== null)
      return resource({ erasureId: id, backupsClearedAt: backups_cleared_at?.toISOString(), attestation });
    const backupsClearedBy = backups_cleared_by?.toISOString() ?? null;
    const when =
      backupsClearedBy === null
        ? 'no date is known until every mirror confirms'
        : `it is planned for ${backupsClearedBy}`;
    throw new MakulerError('attestation-not-yet', {
      detail: `Not every mirror has confirmed yet that the roots are destroyed: ${when}.`,
      facts: { erasureId: id, backupsClearedBy },
    });
  }
}

const ITEM_COLUMNS = ['category', 'partition', 'action', 'until', 'untilEvent', 'reviewOn', 'law', 'why'];
const CERTIFICATE_COLUMNS = ['edition', 'backupsClearedBy', 'reason', 'issuedAt', 'certificate'];

const ownerIn = ({ customerId, companyId }: ErasureBody): OwnerRef => {
  if (customerId !== undefined && companyId === undefined) return subjectOwner(customerId as CustomerId);
  if (companyId !== undefined && customerId === undefined) return companyOwner(companyId as CompanyId);
  const message = 'give either customerId or companyId';
  throw new MakulerError('invalid-input', { errors: [{ path: 'customerId', code: 'either-or', message }] });
};
