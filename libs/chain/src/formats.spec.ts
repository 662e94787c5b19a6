import { readFileSync } from 'node:fs';
import { witnessedOf } from '#vault/operations';
import { canonicalJson } from './canonical-json.js';
import type { Checkpoint } from './checkpoint.js';
import { endsWith, isGenuine, isWitnessGenuine } from './checkpoint.js';
import type { LinkedEvent } from './link.js';
import { eventBytes, GENESIS, linked } from './link.js';

const DIRECTORY = new URL('../../../test/vectors/chain/', import.meta.url);
const vector = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, DIRECTORY), 'utf8')) as T;
interface Links {
  readonly steps: readonly { event: LinkedEvent; sequence: number; previous: string; bytes: string; link: string }[];
}
interface SignedVector {
  readonly keys: { readonly keys: Record<string, string>[] };
  readonly payload: string;
  readonly data: Checkpoint;
}

/** The bytes in test/vectors/chain are never changed, only added to: what was signed years ago must verify. */
describe('the frozen formats', () => {
  const { steps } = vector<Links>('links.1.json');
  const { keys, payload, data } = vector<SignedVector>('checkpoint.1.json');

  it('links events', () => {
    let point = GENESIS;
    for (const { event, sequence, previous, bytes, link } of steps) {
      expect(point.link).toBe(previous);
      expect(Buffer.from(eventBytes(sequence, event)).toString('hex')).toBe(bytes);
      point = linked(point, event);
      expect(point).toEqual({ sequence, link });
    }
  });

  it('verifies a checkpoint, and knows the event that it ends with', async () => {
    expect(await isGenuine(data, keys)).toBe(true);
    expect(await isWitnessGenuine(witnessedOf(data), keys)).toBe(true);
    expect(steps.map(({ event }) => endsWith(data, event as never))).toEqual([false, false, true]);
    expect(canonicalJson({ ...data, signature: undefined })).toBe(payload);
  });

  it.each(Object.keys(data))('takes no checkpoint whose %s was changed', async (member) => {
    const value = data[member as keyof Checkpoint];
    const changed = { ...data, [member]: typeof value === 'number' ? value + 1 : `${value.slice(0, -2)}00` };
    expect(await isGenuine(changed, keys)).toBe(false);
  });

  it('takes no custodian’s checkpoint that says otherwise than what was signed', async () => {
    for (const change of [{ sequence: '4' }, { hash: data.previousLink }])
      expect(await isWitnessGenuine({ ...witnessedOf(data), ...change }, keys)).toBe(false);
  });

  it('writes canonical JSON like the example of RFC 8785, section 3.2.3', () => {
    const example = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.values(JSON.parse(canonicalJson(example)) as object)).toHaveLength(7);
    expect([...canonicalJson(example).matchAll(/:"(\w+)/g)].map(([, word]) => word)).toEqual([
      ...['Carriage', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew'],
    ]);
    expect(canonicalJson([1e21, 0.000001, 1e-7, -0, Number('333333333.33333329')])).toBe(
      '[1e+21,0.000001,1e-7,0,333333333.3333333]',
    );
    expect(canonicalJson({ lone: '\ud800' })).toBe(String.raw`{"lone":"\ud800"}`);
  });
});
