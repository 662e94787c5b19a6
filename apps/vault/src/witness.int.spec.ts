import { createHash } from 'node:crypto';
import type { WitnessedCheckpoint } from '#vault/operations';
import { GrpcCheckpointWitness } from '#vault/operations';
import type { VaultHouse } from '../../../test/faults/vault-house.js';
import { startVaultHouse } from '../../../test/faults/vault-house.js';

describe('the custodian as the witness of the log', () => {
  let house: VaultHouse;
  let worker: GrpcCheckpointWitness;
  const clientOf = (name: string) =>
    new GrpcCheckpointWitness({ address: `127.0.0.1:${house.options.port}`, ...house.certificateOf(name) });
  const linkOf = (text: string) => createHash('sha256').update(text).digest('hex');
  let at: (sequence: number, over?: Partial<WitnessedCheckpoint>) => WitnessedCheckpoint;

  beforeAll(async () => {
    house = await startVaultHouse();
    worker = clientOf('worker');
    const { incarnation } = await worker.standing();
    at = (sequence, over = {}) => ({
      ...{ sequence: String(sequence), position: '7', hash: linkOf(`event ${sequence}`), mintSequence: '0' },
      ...{ at: '2026-06-01T12:00:00.000Z', signature: 'head.claims.signature', incarnation },
      ...over,
    });
  });
  afterAll(async () => {
    worker.close();
    await house.end();
  });

  it('has none at first, and says what the vault is', async () => {
    const { checkpoint, ...standing } = await worker.standing();
    expect(checkpoint).toBeUndefined();
    expect(standing).toMatchObject({ serving: true, epoch: 1, mintSequence: 0, custodianNumber: expect.any(Number) });
  });

  it('keeps the last, and takes the same one again', async () => {
    await worker.witness(at(10));
    await worker.witness(at(20));
    const { custodianNumber } = await worker.standing();
    await worker.witness(at(20));
    expect(await worker.standing()).toMatchObject({ custodianNumber, checkpoint: at(20) });
  });

  it('refuses one that covers less, and one that covers as much with another link', async () => {
    for (const stale of [at(19), at(9), at(20, { hash: linkOf('another') })])
      await expect(worker.witness(stale)).rejects.toMatchObject({ code: 'checkpoint-stale' });
    expect((await worker.standing()).checkpoint).toEqual(at(20));
  });

  it.each([
    ['a sequence', { sequence: '1e9' }],
    ['a link', { hash: 'AA' }],
    ['a position', { position: '-1' }],
    ['a time', { at: 'yesterday' }],
    ['a signature', { signature: 'x'.repeat(5_000) }],
    ['words', { signature: 'Kari Nordmann' }],
    ['an incarnation', { incarnation: '../../etc' }],
    ['a count', { mintSequence: '' }],
  ])('takes nothing that is not of the form of %s', async (_, over) => {
    await expect(worker.witness(at(30, over))).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('lets no program in that writes or projects events only', async () => {
    const projector = clientOf('projector');
    await expect(projector.witness(at(40))).rejects.toMatchObject({ code: 'vault-unavailable' });
    projector.close();
    expect((await worker.standing()).checkpoint).toEqual(at(20));
  });

  it('has it after a restart; behind the gate that a shorter log keeps closed it says it, and takes none', async () => {
    await house.stop();
    await house.start();
    expect(await worker.standing()).toMatchObject({ serving: false, checkpoint: at(20) });
    await expect(worker.witness(at(50))).rejects.toMatchObject({ code: 'vault-unavailable' });
  });
});
