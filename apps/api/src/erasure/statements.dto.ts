import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IdField, NullableText, PageOf } from '../http/answer-fields.js';

const JWS = 'JWS (Ed25519): `makuler verify-certificate` verifies it and says what it says';

export class CertificateAnswer {
  @IdField() erasureId!: string;
  @ApiProperty({ type: 'integer', description: 'From 1; each takes the place of the one before' }) edition!: number;
  @ApiProperty({ description: JWS }) certificate!: string;
}

export class CertificateEditionAnswer {
  @ApiProperty({ type: 'integer' }) edition!: number;
  @ApiProperty({ description: JWS }) certificate!: string;
  @NullableText({ format: 'date-time', description: 'null where it promises no date' })
  backupsClearedBy!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['first-date', 'seal-late', 'mirror-outstanding'],
    description: 'Why it took the place of the one before; null for the first',
  })
  reason!: string | null;
  @ApiProperty({ format: 'date-time' }) issuedAt!: string;
}

export class CertificatesAnswer extends PageOf(CertificateEditionAnswer) {}

export class AttestationAnswer {
  @IdField() erasureId!: string;
  @ApiPropertyOptional({ format: 'date-time' }) backupsClearedAt?: string;
  @ApiProperty({ description: JWS }) attestation!: string;
}

/** A public key (RFC 7517, RFC 8037). */
class JwkAnswer {
  @ApiProperty() kty!: string;
  @ApiProperty() crv!: string;
  @ApiProperty() x!: string;
  @ApiProperty() kid!: string;
  @ApiProperty() alg!: string;
  @ApiProperty() use!: string;
}

export class JwksAnswer {
  @ApiProperty({ type: JwkAnswer, isArray: true }) keys!: JwkAnswer[];
}
