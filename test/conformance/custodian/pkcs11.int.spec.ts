import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { Pkcs11Custodian } from '#vault/keeper';
import { describeCustodian } from './custodian.suite.js';
import { encodeState } from '../../../libs/vault/src/keeper/custodian/custodian-format.js';
import { CKA, CKK_AES, CKO } from '../../../libs/vault/src/keeper/custodian/pkcs11/cryptoki-constants.js';
import type { Template } from '../../../libs/vault/src/keeper/custodian/pkcs11/token-session.js';
import { TokenSession } from '../../../libs/vault/src/keeper/custodian/pkcs11/token-session.js';
import { parseTokenUri } from '../../../libs/vault/src/keeper/custodian/pkcs11/token-uri.js';
import type { SoftToken } from './softhsm.js';
import { hasSoftHsm, startSoftToken } from './softhsm.js';

(hasSoftHsm ? describe : describe.skip)(
  'PKCS#11 on SoftHSM2 (skipped where it is not installed: Debian: softhsm2)',
  () => {
    let token: SoftToken;
    let places = 0;
    beforeAll(async () => {
      token = await startSoftToken();
    });
    afterAll(() => token.end());
    const fresh = () => token.uri(`mirror-${++places}`);

    describeCustodian(
      'a token',
      async () => {
        const uri = fresh();
        return { open: () => new Pkcs11Custodian(uri), dispose: async () => undefined };
      },
      { many: false },
    );

    describe('a token', () => {
      const sessionOn = (custodian: Pkcs11Custodian) => TokenSession.open(parseTokenUri(custodian.place));
      const objectOf = (custodian: Pkcs11Custodian) => parseTokenUri(custodian.place).object;

      it.each([
        ['a PIN in the address', 'pkcs11:token=a?module-path=/lib.so&pin-value=1234'],
        ['no file for the PIN', 'pkcs11:token=a?module-path=/lib.so'],
        ['a library that is not named by its whole path', 'pkcs11:token=a?module-path=lib.so&pin-source=/pin'],
        ['no token', 'pkcs11:object=a?module-path=/lib.so&pin-source=/pin'],
        ['an attribute that is not understood', 'pkcs11:token=a;serial=1?module-path=/lib.so&pin-source=/pin'],
      ])('is not named with %s', (_, uri) => {
        expect(() => new Pkcs11Custodian(uri)).toThrow(expect.objectContaining({ code: 'mirror-unfit' }));
        // The address is shown and stored; what is wrong with it is said without what it holds.
        expect(() => new Pkcs11Custodian(uri)).not.toThrow(/1234/);
      });

      it('that is not there is away, and so is one whose PIN others can read', async () => {
        const elsewhere = new Pkcs11Custodian(fresh().replace('makuler%20test', 'another'));
        await expect(elsewhere.id()).rejects.toMatchObject({ reason: 'custodian-missing' });
        const uri = fresh();
        await chmod(token.pinFile, 0o640);
        await expect(new Pkcs11Custodian(uri).id()).rejects.toMatchObject({ reason: 'custodian-exposed' });
        await chmod(token.pinFile, 0o600);
        await new Pkcs11Custodian(uri).enrol();
      });

      it('gives out no root, and what it wrapped is changed by nobody', async () => {
        const custodian = new Pkcs11Custodian(fresh());
        await custodian.enrol();
        await custodian.createRoot(1);
        const place = { installation: randomUUID(), epoch: 1 };
        const wrapped = Buffer.from(await custodian.wrapEpochKey(place, randomBytes(32)));
        for (const index of [0, 1, 20, wrapped.length - 1]) {
          const changed = Buffer.from(wrapped);
          changed[index]! ^= 1;
          expect(await custodian.unwrapEpochKey(place, changed)).toBeUndefined();
        }
        expect(await custodian.unwrapEpochKey(place, wrapped)).toHaveLength(32);
        const session = await sessionOn(custodian);
        await custodian.createRoot(1);
        const [root, ...more] = await session.find([
          [CKA.CLASS, CKO.SECRET_KEY],
          [CKA.ID, objectOf(custodian)],
        ]);
        expect(more).toEqual([]);
        await expect(session.read(root!, CKA.VALUE)).rejects.toMatchObject({ code: ATTRIBUTE_SENSITIVE });
        const said = [CKA.SENSITIVE, CKA.PRIVATE, CKA.EXTRACTABLE, CKA.MODIFIABLE, CKA.WRAP, CKA.UNWRAP];
        const flags = await Promise.all(said.map(async (flag) => (await session.read(root!, flag))[0]));
        expect(flags).toEqual([1, 1, 0, 0, 0, 0]);
      });

      it('whose root does nothing is out of order, and not one with another root', async () => {
        const custodian = new Pkcs11Custodian(fresh());
        await custodian.enrol();
        const session = await sessionOn(custodian);
        await session.generateAesKey([
          ...([
            [CKA.CLASS, CKO.SECRET_KEY],
            [CKA.TOKEN, true],
            [CKA.ID, objectOf(custodian)],
            [CKA.LABEL, `${objectOf(custodian)}/root/1`],
          ] as const),
          ...([
            [CKA.KEY_TYPE, CKK_AES],
            [CKA.VALUE_LEN, 32],
            [CKA.ENCRYPT, false],
            [CKA.DECRYPT, true],
          ] as const),
        ]);
        const place = { installation: randomUUID(), epoch: 1 };
        const garbage = Buffer.concat([Buffer.from([2]), randomBytes(60)]);
        await expect(custodian.unwrapEpochKey(place, garbage)).rejects.toThrow('C_EncryptInit');
      });

      it('with the state of another mirror, or what is left of one without its id, is damaged', async () => {
        const [custodian, other] = [new Pkcs11Custodian(fresh()), new Pkcs11Custodian(fresh())];
        await custodian.enrol();
        const session = await sessionOn(custodian);
        await session.create(dataOf(objectOf(custodian), 'state/1', encodeState(randomUUID(), stateOf(1))));
        await expect(custodian.readState()).rejects.toMatchObject({ reason: 'custodian-damaged' });
        await session.create(dataOf(objectOf(other), 'state/1', encodeState(randomUUID(), stateOf(1))));
        for (const asked of [other.id(), other.enrol()])
          await expect(asked).rejects.toMatchObject({ reason: 'custodian-damaged' });
      });

      it('opens what the frozen vector has', async () => {
        const file = new URL('../../vectors/vault/token-wrap.1.json', import.meta.url);
        const vector = JSON.parse(await readFile(file, 'utf8')) as Record<
          'root' | 'installation' | 'mirror' | 'epochKey' | 'wrapped',
          string
        > & { epoch: number };
        const custodian = new Pkcs11Custodian(fresh());
        const object = objectOf(custodian);
        const session = await sessionOn(custodian);
        await session.create(dataOf(object, 'mirror', vector.mirror));
        await session.create([
          ...([
            [CKA.CLASS, CKO.SECRET_KEY],
            [CKA.TOKEN, true],
            [CKA.ID, object],
            [CKA.DECRYPT, true],
          ] as const),
          ...([
            [CKA.LABEL, `${object}/root/${vector.epoch}`],
            [CKA.KEY_TYPE, CKK_AES],
          ] as const),
          [CKA.VALUE, Buffer.from(vector.root, 'hex')],
        ]);
        const opened = await custodian.unwrapEpochKey(vector, Buffer.from(vector.wrapped, 'hex'));
        expect(Buffer.from(opened!).toString('hex')).toBe(vector.epochKey);
      });

      it('is asked one thing after the other, whatever the sessions: its library may not be safe', async () => {
        const custodian = new Pkcs11Custodian(fresh());
        await custodian.enrol();
        const [one, other] = [await sessionOn(custodian), await sessionOn(custodian)];
        const [id] = await other.find([
          [CKA.CLASS, CKO.DATA],
          [CKA.APPLICATION, objectOf(custodian)],
        ]);
        const answered: string[] = [];
        const slow = one.generateAesKey([
          [CKA.CLASS, CKO.SECRET_KEY],
          [CKA.TOKEN, true],
          [CKA.KEY_TYPE, CKK_AES],
          [CKA.VALUE_LEN, 32],
        ]);
        const quick = other.label(id!);
        await Promise.all([slow.then(() => answered.push('slow')), quick.then(() => answered.push('quick'))]);
        expect(answered).toEqual(['slow', 'quick']);
      });

      it('that ended its session answers in another one, from the next call on', async () => {
        const custodian = new Pkcs11Custodian(fresh());
        const id = await custodian.enrol();
        token.endSessions();
        await expect(custodian.id()).rejects.toThrow('CKR');
        expect(await custodian.id()).toBe(id);
      });

      it('that lost power between two states has the later one, if that is whole', async () => {
        const custodian = new Pkcs11Custodian(fresh());
        const mirror = await custodian.enrol();
        const [first, second] = [stateOf(1), stateOf(2)];
        await custodian.writeState(first);
        const session = await sessionOn(custodian);
        const left = (count: number, text: string) =>
          session.create(dataOf(objectOf(custodian), `state/${count}`, text));
        const text = encodeState(mirror, second);
        await left(3, text.slice(0, text.length / 2));
        expect(await new Pkcs11Custodian(custodian.place).readState()).toEqual(first);
        await left(2, text);
        expect(await new Pkcs11Custodian(custodian.place).readState()).toEqual(second);
        await custodian.writeState(stateOf(3));
        expect(
          await session.find([
            [CKA.CLASS, CKO.DATA],
            [CKA.APPLICATION, objectOf(custodian)],
          ]),
        ).toHaveLength(2);
      });
    });
  },
);

/** CKR_ATTRIBUTE_SENSITIVE. */
const ATTRIBUTE_SENSITIVE = 0x11;

/** A data object of ours, as docs/formats has it. */
const dataOf = (object: string, name: string, value: string): Template => [
  [CKA.CLASS, CKO.DATA],
  [CKA.TOKEN, true],
  [CKA.PRIVATE, true],
  [CKA.APPLICATION, object],
  [CKA.LABEL, `${object}/${name}`],
  [CKA.VALUE, value],
];

const stateOf = (number: number): Parameters<Pkcs11Custodian['writeState']>[0] => ({
  ...{ format: 2, installation: randomUUID(), phase: 'founded', number, ancestors: [], mirrors: ['a'], epochs: [1] },
  ...{ pending: [], shredded: [], closed: [], retiring: [], checkpoint: null, retiredMirrors: [] },
});
