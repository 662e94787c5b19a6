import { event, plain } from '#events';

const OF_THE_VAULT = 'A technical count of the whole vault; nobody is meant by it.';

/**
 * The log was as it was: `link` stands for every event up to `sequence`. In the stream `vault-ledger`; the format is
 * docs/formats/checkpoint.md. What it says of the vault was read before it was appended, so that whatever stands before the
 * second-last checkpoint was minted with a count that the last one covers.
 */
export const LogCheckpointed = event('log.checkpointed', 1, {
  sequence: plain<number>('How many events the log had; nobody is meant by it.'),
  link: plain<string>('A hash over the sealed log as a whole.'),
  previousLink: plain<string>('The same, without the last event.'),
  position: plain<string>('Where the server had the last of these events: a place in the log, which everybody shares.'),
  at: plain<string>('The instant of an hourly job; nobody is meant by it.'),
  installation: plain<string>('The random id of this installation, the same for everybody.'),
  incarnation: plain<string>('One life of the vault’s database, the same for everybody.'),
  mintSequence: plain<number>(OF_THE_VAULT),
  custodianNumber: plain<number>(OF_THE_VAULT),
  epoch: plain<number>(OF_THE_VAULT),
  signature: plain<string>('The installation’s signature under the other fields.'),
});
