import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const vector = async (name: string): Promise<any> =>
  JSON.parse(await readFile(here(`../vectors/${name}.json`), 'utf8'));
/** A part of the attacker, which is plain JavaScript without types. */
const part = (name: string): Promise<any> => import(here(`attacker/${name}.mjs`));
const hex = (text: string) => Buffer.from(text, 'hex');

/** An attacker that shared our code would share our mistakes; one that reads the formats wrongly would prove nothing. */
describe('the attacker of test/faults', () => {
  it('imports nothing of ours', async () => {
    const files = await readdir(here('attacker'));
    const imported = await Promise.all(
      files.map(async (file) =>
        [...(await readFile(here(`attacker/${file}`), 'utf8')).matchAll(/from '([^']+)'|import\('?([^')]+)/g)].map(
          ([, from, dynamic]) => from ?? dynamic,
        ),
      ),
    );
    expect(files.length).toBeGreaterThan(9);
    const strange = imported
      .flat()
      .filter((name) => !/^(node:[a-z/_]+|libsodium-wrappers|\.\/[a-z-]+\.mjs)$/.test(name!));
    expect(strange).toEqual([]);
  });

  it('opens the frozen vectors, with what docs/formats says and nothing else', async () => {
    const { blake2b, fingerprint, identitiesKey, open, openEnvelope, recordsKey } = await part('primitive');
    const block = await vector('vault/block.1');
    expect(open(hex(block.key), hex(block.block), hex(block.associatedData))?.toString('hex')).toBe(block.plaintext);
    for (const name of ['bucket-key', 'epoch-key', 'fence']) {
      const { kind, key, plaintext, place, wrapped } = await vector(`vault/wrap.${name}.1`);
      expect(openEnvelope(kind, hex(key), hex(wrapped), place)?.toString('hex')).toBe(plaintext);
      expect(openEnvelope(kind, hex(key), hex(wrapped), [...place.slice(0, -1), 'elsewhere'])).toBeUndefined();
    }
    const { bucketKey, place, record, dataKey, scope, tombstone, identity, ...frozen } = await vector('vault/scope.1');
    const at = [place.bucketId, place.generation, place.scopeId];
    const opened = openEnvelope('scope', recordsKey(hex(bucketKey)), hex(scope), at)!;
    expect([opened.toString('hex', 0, 32), JSON.parse(opened.toString('utf8', 32))]).toEqual([dataKey, record]);
    expect(JSON.parse(openEnvelope('tombstone', recordsKey(hex(bucketKey)), hex(tombstone), at)!.toString())).toEqual(
      record,
    );
    const name = JSON.stringify([record.owner.kind, record.owner.id, record.category, record.partition]);
    expect(blake2b(name, identitiesKey(hex(bucketKey))).toString('hex')).toBe(identity);
    expect(fingerprint(hex(dataKey))).toBe(frozen.fingerprint);
  });

  it('takes a block apart as the log has it', async () => {
    const { at, scopeId, label, sealedHex, block } = await vector('ledger/block-1');
    const [{ Loot }, { takeEvent }] = [await part('loot'), await part('rows')];
    const loot = new Loot();
    takeEvent(loot, {
      id: at.eventId,
      type: at.type,
      stream: at.stream,
      data: { $sealed: { [scopeId]: block } },
      metadata: {},
    });
    expect(loot.blocks).toEqual([{ ...at, scopeId, ...label, sealed: hex(sealedHex) }]);
  });

  it('reads values as COPY writes them', async () => {
    const { copyValue } = await part('sql-text');
    expect(['\\N', 'a\\tb\\\\', '\\\\x0aff'].map(copyValue)).toEqual([null, 'a\tb\\', Buffer.from([0x0a, 0xff])]);
  });
});
