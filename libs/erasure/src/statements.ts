import { Injectable } from '@nestjs/common';
import { Clock } from '#kernel';
import { SigningKeys } from '#signing';
import type { Clearing } from '#vault/operations';
import { VaultOperations } from '#vault/operations';
import { ATTESTED, signAttestation } from './attestation.js';
import { certificateHash, claimsOf, signCertificate, supersedingClaims } from './certificate.js';
import type { NextStatement } from './clearing-decisions.js';
import type { Certified, Executed, Plan } from './erasure-case.js';
import type { IssuedCertificate } from './erasure-decisions.js';

/** Signs what is said of an erasure to the outside. Dates of backups come from the vault, which alone knows what wrapped which key. */
@Injectable()
export class Statements {
  constructor(
    private readonly keys: SigningKeys,
    private readonly operations: VaultOperations,
    private readonly clock: Clock,
  ) {}

  /** The first certificate. Throws `vault-unavailable`, `database-unavailable`. */
  async certify(plan: Plan, executed: Executed): Promise<IssuedCertificate> {
    const clearing = await this.clearing(executed);
    const backupsClearedBy = clearing?.plannedFor ?? null;
    const claims = claimsOf(plan, executed, backupsClearedBy, this.clock.now());
    const certificate = await signCertificate(claims, this.keys);
    return { certificate, backupsClearedBy, epoch: clearing?.epoch ?? null };
  }

  /** What the vault says now. `promised`: what it said before, which a restored vault may have forgotten. */
  clearing({ orderId }: Executed, promised?: Certified): Promise<Clearing | undefined> {
    return this.operations.clearing(orderId, promised?.epoch ?? undefined);
  }

  /** A certificate in the place of the newest one. */
  recertify(
    { certificate, edition }: Certified,
    next: Extract<NextStatement, { kind: 'certificate' }>,
  ): Promise<string> {
    return signCertificate(supersedingClaims(certificate, edition + 1, next, this.clock.now()), this.keys);
  }

  /** The second statement, about the newest certificate. */
  attest({ erasureId }: Plan, { certificate }: Certified, clearing: Clearing, clearedAt: string): Promise<string> {
    const claims = {
      ...({ version: 1, erasureId, certificate: certificateHash(certificate), statement: ATTESTED } as const),
      ...{ backupsClearedAt: clearedAt, epoch: clearing.epoch, mirrors: clearing.mirrors },
      issuedAt: this.clock.now().toISOString(),
    };
    return signAttestation(claims, this.keys);
  }
}
