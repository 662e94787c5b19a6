import type { JSONWebKeySet } from 'jose';
import type { EventId } from '#kernel';
import type { Position, StoredEvent } from '#ledger';
import type { SigningKeys } from '#signing';
import { sign, verify } from '#signing';
import type { WitnessedCheckpoint } from '#vault/operations';
import { canonicalJson } from './canonical-json.js';
import type { ChainPoint } from './link.js';
import { linked } from './link.js';

/** The stream of the installation's own records; checkpoints stand in no other. */
export const VAULT_LEDGER = 'vault-ledger';

const TYPE = 'makuler-log-checkpoint+jws';

/** What a checkpoint says, and what is signed. */
export interface CheckpointClaims extends ChainPoint {
  /** The link of the event before, so that whoever has the last event can tell that it is the one. */
  readonly previousLink: string;
  /** Where the server had the last event, decimal: a hint. A log that was moved has it elsewhere. */
  readonly position: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly installation: string;
  readonly incarnation: string;
  readonly mintSequence: number;
  readonly custodianNumber: number;
  readonly epoch: number;
}

export interface Checkpoint extends CheckpointClaims {
  /** JWS in compact form, Ed25519, over the claims as RFC 8785 JSON. */
  readonly signature: string;
}

/** A checkpoint where it stands in the log. */
export interface LoggedCheckpoint extends Checkpoint {
  readonly eventId: EventId;
  readonly revision: bigint;
  readonly standsAt: Position;
}

const signed = (claims: CheckpointClaims): string =>
  canonicalJson({
    sequence: claims.sequence,
    link: claims.link,
    previousLink: claims.previousLink,
    position: claims.position,
    at: claims.at,
    installation: claims.installation,
    incarnation: claims.incarnation,
    mintSequence: claims.mintSequence,
    custodianNumber: claims.custodianNumber,
    epoch: claims.epoch,
  });

export const signCheckpoint = async (claims: CheckpointClaims, keys: SigningKeys): Promise<Checkpoint> => ({
  ...claims,
  signature: await sign(TYPE, signed(claims), keys),
});

/** Whether one of the keys has signed exactly this. */
export const isGenuine = (checkpoint: Checkpoint, keys: JSONWebKeySet): Promise<boolean> =>
  verify(TYPE, checkpoint.signature, keys).then(
    (payload) => payload === signed(checkpoint),
    () => false,
  );

/** Whether one of the keys has signed that the log has this link there; what else was signed is not looked at. */
export const isWitnessGenuine = (witnessed: WitnessedCheckpoint, keys: JSONWebKeySet): Promise<boolean> =>
  verify(TYPE, witnessed.signature, keys).then(
    (payload) => {
      const { sequence, link } = JSON.parse(payload) as ChainPoint;
      return String(sequence) === witnessed.sequence && link === witnessed.hash;
    },
    () => false,
  );

/** Whether an event is the last that the checkpoint covers, at the end of the very chain that it covers. */
export const endsWith = ({ sequence, link, previousLink }: Checkpoint, event: StoredEvent): boolean =>
  linked({ sequence: sequence - 1, link: previousLink }, event).link === link;
