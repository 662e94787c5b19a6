import { OperationsDouble, SetClock, ShredderDouble, VaultDouble } from '#testing';
import { describeOperations } from './operations.suite.js';

const DAY_MS = 86_400_000;

describeOperations('the double', async () => {
  const clock = new SetClock(new Date());
  const vault = new VaultDouble();
  const shredder = new ShredderDouble(vault);
  const operations = new OperationsDouble(shredder, clock, { windowMs: DAY_MS, sealEveryMs: DAY_MS });
  return {
    ...{ vault, shredder, operations },
    pass: async (milliseconds) => clock.pass(milliseconds),
    setMirror: async (there) => void (there ? operations.away.delete('b') : operations.away.add('b')),
    close: () => vault.close(),
  };
});
