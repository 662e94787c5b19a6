import { randomUUID } from 'node:crypto';
import type { SubjectId } from '#kernel';
import { correlated, currentCorrelation, newId, subjectOwner } from '#kernel';
import { startVaultHouse } from '../../../test/faults/vault-house.js';
import type { VaultHouse } from '../../../test/faults/vault-house.js';

describe('what the vault’s log tells of calls', () => {
  const told: { event: string; [fact: string]: unknown }[] = [];
  let house: VaultHouse;
  beforeAll(async () => {
    house = await startVaultHouse({ notice: (notice) => told.push({ ...notice, ...currentCorrelation() }) });
  });
  afterAll(() => house.end());
  const order = () =>
    ({ orderId: randomUUID(), owner: subjectOwner(newId<SubjectId>()), kind: 'expiry', except: [] }) as const;
  const calls = () => told.filter(({ event }) => event.startsWith('call.'));

  it('is a refusal of right, with the request that it was made for: a line, however often it is tried', async () => {
    const projector = house.shredderOf('projector');
    const requestId = newId();
    for (let tries = 0; tries < 3; tries++)
      await expect(correlated({ requestId }, () => projector.receiptOf(randomUUID()))).rejects.toMatchObject({
        code: 'vault-unavailable',
      });
    const job = { job: 'sweep', jobId: newId() };
    await correlated(job, () => house.operationsOf('projector').sealEpoch()).catch(() => undefined);
    expect(calls()).toEqual([
      { event: 'call.refused', method: 'ReceiptOf', caller: 'projector', more: 0, requestId },
      { event: 'call.refused', method: 'SealEpoch', caller: 'projector', more: 0, ...job },
    ]);
  });

  it('is a fault that the caller is not told, by code and places; and not a refusal that it is told', async () => {
    const before = calls().length;
    await house.sql('alter table receipt rename to elsewhere');
    const jobId = newId();
    for (let tries = 0; tries < 2; tries++)
      await expect(
        correlated({ job: 'erase', jobId }, () => house.shredder.receiptOf(randomUUID())),
      ).rejects.toMatchObject({ code: 'vault-unavailable' });
    await house.sql('alter table elsewhere rename to receipt');
    await expect(house.shredder.fence({ ...order(), orderId: 'none' })).rejects.toMatchObject({
      code: 'invalid-input',
    });
    expect(calls().slice(before)).toEqual([
      {
        ...{ event: 'call.failed', method: 'ReceiptOf', code: 'sqlstate-42p01', more: 0, job: 'erase', jobId },
        frames: expect.arrayContaining([expect.stringContaining('receipt')]),
      },
    ]);
  });

  it('is nobody’s where it is about the whole vault, whoever found it out', async () => {
    const before = told.length;
    await house.sql('update vault set active = gen_random_uuid()');
    const requestId = newId();
    await correlated({ requestId }, () => house.shredder.fence(order())).catch(() => undefined);
    const gate = () => told.slice(before).filter(({ event }) => event.startsWith('gate.'));
    while (!gate().some(({ event }) => event === 'gate.opened'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(gate().map(({ event, requestId }) => [event, requestId])).toEqual([
      ['gate.closed', undefined],
      ['gate.opened', undefined],
    ]);
  });
});
