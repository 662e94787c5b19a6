import { rename } from 'node:fs/promises';
import { SystemClock } from '#kernel';
import { GrpcVaultOperations } from '#vault/operations';
import { startVaultHouse } from '../../faults/vault-house.js';
import { describeOperations } from './operations.suite.js';

const DAY_MS = 86_400_000;

class AheadClock extends SystemClock {
  aheadMs = 0;
  override now(): Date {
    return new Date(super.now().getTime() + this.aheadMs);
  }
}

const startHouse = async () => {
  const house = await startVaultHouse();
  const clock = new AheadClock();
  await house.stop();
  await house.start({ clock, epochWindowMs: DAY_MS, sealEveryMs: DAY_MS });
  await house.api.ready(5_000);
  const operationsOf = (name: string) =>
    new GrpcVaultOperations({ address: `127.0.0.1:${house.options.port}`, ...house.certificateOf(name) });
  return { house, clock, operationsOf };
};

describeOperations('a vault over mutual TLS', async () => {
  const { house, clock, operationsOf } = await startHouse();
  const operations = operationsOf('worker');
  const mirror = house.mirrors[1]!;
  return {
    ...{ vault: house.api, shredder: house.shredder, operations },
    pass: async (milliseconds) => void (clock.aheadMs += milliseconds),
    setMirror: (there) => (there ? rename(`${mirror}.away`, mirror) : rename(mirror, `${mirror}.away`)),
    close: async () => {
      operations.close();
      await house.end();
    },
  };
});

it('lets only the worker destroy roots, and nobody but api and worker seal', async () => {
  const { house, operationsOf } = await startHouse();
  const [api, cli, projector] = [operationsOf('api'), operationsOf('cli'), operationsOf('projector')];
  try {
    expect(await api.sealEpoch({ force: true })).toMatchObject({ epoch: 2 });
    expect(await cli.epochs()).toMatchObject({ current: 2, sealing: false });
    expect((await house.status()).epochs).toEqual(await cli.epochs());
    for (const refused of [
      api.destroyRoots(),
      cli.destroyRoots(),
      projector.destroyRoots(),
      cli.sealEpoch(),
      projector.sealEpoch(),
      projector.epochs(),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'vault-unavailable' });
  } finally {
    for (const client of [api, cli, projector]) client.close();
    await house.end();
  }
});
