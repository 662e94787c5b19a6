import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { currentContext, MakulerError } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { VaultOperations } from '#vault/operations';
import { MirrorRepaired } from './custodian.events.js';
import { assertMayApprove, mirrorLedger, proposeRetirement, recordAdded, recordRetired } from './mirror-ledger.js';
import { VAULT_LEDGER } from './sealed-epochs.js';

interface Written {
  readonly position: Position;
}

/**
 * Enrols a mirror of the custodian at a place: an absolute directory on the vault's machine, or a `pkcs11:` URI. The place is
 * the vault's to know; the log gets the id. Sent again, it goes on where it was. Throws `mirror-unfit`, `vault-unavailable`.
 */
export class AddMirror extends Command<Written & { readonly mirrorId: string }> {
  constructor(readonly place: string) {
    super();
  }
}

@CommandHandler(AddMirror)
export class AddMirrorHandler implements ICommandHandler<AddMirror> {
  constructor(
    private readonly operations: VaultOperations,
    private readonly ledger: Ledger,
  ) {}

  async execute({ place }: AddMirror): Promise<Written & { mirrorId: string }> {
    const mirrorId = await this.operations.addMirror(place);
    const { position } = await this.ledger.decide(mirrorLedger, VAULT_LEDGER, (state) => recordAdded(state, mirrorId));
    return { mirrorId, position };
  }
}

/** Proposes that a mirror is waited for no more. Throws `mirror-unknown`, `vault-unavailable`. */
export class ProposeMirrorRetirement extends Command<Written> {
  constructor(readonly mirrorId: string) {
    super();
  }
}

@CommandHandler(ProposeMirrorRetirement)
export class ProposeMirrorRetirementHandler implements ICommandHandler<ProposeMirrorRetirement> {
  constructor(
    private readonly operations: VaultOperations,
    private readonly ledger: Ledger,
  ) {}

  async execute({ mirrorId }: ProposeMirrorRetirement): Promise<Written> {
    const mirrors = await this.operations.mirrors();
    if (!mirrors.some(({ id, reason }) => id === mirrorId && reason !== 'not-enrolled'))
      throw new MakulerError('mirror-unknown');
    const { position } = await this.ledger.decide(mirrorLedger, VAULT_LEDGER, (state) =>
      proposeRetirement(state, mirrorId),
    );
    return { position };
  }
}

/**
 * Agrees to a proposed retirement and carries it out. Throws `not-found`, `four-eyes` for whoever proposed it, `mirror-last`,
 * `vault-unavailable`; sent again, it goes on where it was.
 */
export class ApproveMirrorRetirement extends Command<Written> {
  constructor(readonly mirrorId: string) {
    super();
  }
}

@CommandHandler(ApproveMirrorRetirement)
export class ApproveMirrorRetirementHandler implements ICommandHandler<ApproveMirrorRetirement> {
  constructor(
    private readonly operations: VaultOperations,
    private readonly ledger: Ledger,
  ) {}

  async execute({ mirrorId }: ApproveMirrorRetirement): Promise<Written> {
    const { actor } = currentContext();
    assertMayApprove((await this.ledger.load(mirrorLedger, VAULT_LEDGER)).state, mirrorId, actor);
    await this.operations.retireMirror(mirrorId);
    const { position } = await this.ledger.decide(mirrorLedger, VAULT_LEDGER, (state) =>
      recordRetired(state, mirrorId),
    );
    return { position };
  }
}

/** Brings back a mirror that does not come back by itself. Throws `mirror-unknown`, `mirror-unfit`, `vault-unavailable`. */
export class RepairMirror extends Command<Written> {
  constructor(readonly mirrorId: string) {
    super();
  }
}

@CommandHandler(RepairMirror)
export class RepairMirrorHandler implements ICommandHandler<RepairMirror> {
  constructor(
    private readonly operations: VaultOperations,
    private readonly ledger: Ledger,
  ) {}

  async execute({ mirrorId }: RepairMirror): Promise<Written> {
    await this.operations.repairMirror(mirrorId);
    const drafts = [MirrorRepaired.of({ mirrorId })];
    const { position } = await this.ledger.append({ stream: VAULT_LEDGER, expected: 'any', drafts });
    return { position };
  }
}
