import type { IQueryHandler } from '@nestjs/cqrs';
import { Query, QueryHandler } from '@nestjs/cqrs';
import { Ledger } from '#ledger';
import type { MirrorReport } from '#vault/operations';
import { VaultOperations } from '#vault/operations';
import { mirrorLedger } from './mirror-ledger.js';
import { VAULT_LEDGER } from './sealed-epochs.js';

/** A mirror, and whether somebody wants it retired. */
export interface MirrorView extends MirrorReport {
  readonly retirementProposed: boolean;
}

/** Asks for the custodian's mirrors, read now. Answers behind a closed gate too. Throws `vault-unavailable`. */
export class GetMirrors extends Query<readonly MirrorView[]> {}

@QueryHandler(GetMirrors)
export class GetMirrorsHandler implements IQueryHandler<GetMirrors> {
  constructor(
    private readonly operations: VaultOperations,
    private readonly ledger: Ledger,
  ) {}

  async execute(): Promise<readonly MirrorView[]> {
    const mirrors = await this.operations.mirrors();
    const { proposed, retired } = (await this.ledger.load(mirrorLedger, VAULT_LEDGER)).state;
    return mirrors.map((mirror) => ({
      ...mirror,
      retirementProposed: mirror.id !== undefined && proposed.has(mirror.id) && !retired.has(mirror.id),
    }));
  }
}
