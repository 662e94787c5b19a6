import type { ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { GrpcVault } from '#vault';
import type { Bench, Report } from './bench.js';
import { quantile, timed } from './bench.js';
import { startEventNodeProgram, startVaultProgram } from './stores.js';

const SCOPES = 2_000;
const associated = Buffer.from('bench');

/** What opening a block costs a process: when it has to ask the vault for the key, and when it holds it under its lease. */
export const opens: Bench = {
  name: 'opens',
  about: 'opening a block with a cold and with a warm lease',
  async run(report) {
    const store = await startEventNodeProgram();
    const vault = await startVaultProgram(store.url);
    const sealed: { scopeId: ScopeId; block: Uint8Array }[] = [];
    for (let n = 0; n < SCOPES; n++) {
      const owner = subjectOwner(newId<SubjectId>());
      const request = { owner, category: 'contact', partition: 'card', stream: `customer-${owner.id}` };
      await vault.client.withSealing([request], async (session) => {
        const key = session.keys[0]!;
        sealed.push({ scopeId: key.scopeId, block: session.seal(key, Buffer.alloc(200, 'x'), associated) });
      });
    }
    const reader = await vault.connect();
    const one = async ({ scopeId, block }: (typeof sealed)[number]) => {
      const key = (await reader.openingKeys([scopeId])).get(scopeId)!;
      if (key.state === 'live') reader.open(key.key, block, associated);
    };
    await measure(report, 'cold: the vault is asked', sealed.slice(0, SCOPES / 2), one);
    await measure(report, 'warm: the key is held', sealed.slice(0, SCOPES / 2), one, 'cold: the vault is asked');
    const page = async (client: GrpcVault) =>
      client.openingKeys(sealed.slice(SCOPES / 2).map(({ scopeId }) => scopeId));
    report.row('cold: 1,000 keys in one call', await timed(() => page(reader)), 'ms');
    await vault.end();
    await store.end();
  },
};

const measure = async <T>(
  report: Report,
  name: string,
  items: readonly T[],
  work: (item: T) => Promise<void>,
  base?: string,
): Promise<void> => {
  const samples: number[] = [];
  for (const item of items) samples.push(await timed(() => work(item)));
  report.row(`${name}, p50`, quantile(samples, 0.5), 'ms', base && `${base}, p50`);
  report.row(`${name}, p99`, quantile(samples, 0.99), 'ms', base && `${base}, p99`);
};
