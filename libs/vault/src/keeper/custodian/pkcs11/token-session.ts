import { readFile, stat } from 'node:fs/promises';
import { GateRefusal } from '../../gate.js';
import { CKA, CKF_RW_SERIAL, CKM_AES_GCM, CKM_AES_KEY_GEN, CKR, CKU_USER } from './cryptoki-constants.js';
import { Cryptoki, wordAt, words } from './cryptoki.js';
import type { TokenPlace } from './token-uri.js';

/** An attribute of an object, by its CKA number. Numbers are CK_ULONG, booleans CK_BBOOL. */
export type Template = readonly (readonly [attribute: number, value: number | boolean | string | Buffer])[];
export type ObjectHandle = number;

const valueOf = (value: Template[number][1]): Buffer =>
  typeof value === 'number'
    ? words(value)
    : typeof value === 'boolean'
      ? Buffer.from([value ? 1 : 0])
      : Buffer.from(value);

const MOST_SLOTS = 1_024;
const FOUND_AT_ONCE = 256;
/** CK_TOKEN_INFO begins with the label: 32 characters, filled up with blanks. */
const TOKEN_INFO_BYTES = 256;
const LABEL_BYTES = 32;

const NONCE_BYTES = 12;
const TAG_BITS = 128;

/** A logged-in session with a token. One call after the other: a session can do one thing at a time. */
export class TokenSession {
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly cryptoki: Cryptoki,
    private readonly session: number,
  ) {}

  /** Throws a GateRefusal when the token is not there or others can read its PIN. */
  static async open({ modulePath, token, pinFile }: TokenPlace): Promise<TokenSession> {
    const cryptoki = await Cryptoki.load(modulePath);
    const slot = await slotOf(cryptoki, token);
    const handle = words(0);
    const pin = await pinIn(pinFile);
    try {
      await cryptoki.call('C_OpenSession', [slot, CKF_RW_SERIAL, null, null, handle]);
      const session = wordAt(handle);
      await cryptoki
        .call('C_Login', [session, CKU_USER, pin, pin.length], { alsoFine: [CKR.USER_ALREADY_LOGGED_IN] })
        .catch(async (error: unknown) => {
          // A token has few sessions, and this is tried again and again.
          await cryptoki.call('C_CloseSession', [session]).catch(() => undefined);
          throw error;
        });
      return new TokenSession(cryptoki, session);
    } finally {
      pin.fill(0);
    }
  }

  /** Objects of which every attribute named is equal. */
  find(template: Template): Promise<readonly ObjectHandle[]> {
    return this.#inTurn(async () => {
      await this.#withTemplate(template, (attributes, count, pointedAt) =>
        this.cryptoki.call('C_FindObjectsInit', [this.session, attributes, count], { pointedAt }),
      );
      const found: ObjectHandle[] = [];
      try {
        for (;;) {
          const [handles, count] = [words(...Array<number>(FOUND_AT_ONCE).fill(0)), words(0)];
          await this.cryptoki.call('C_FindObjects', [this.session, handles, FOUND_AT_ONCE, count]);
          for (let index = 0; index < wordAt(count); index++) found.push(wordAt(handles, index));
          if (wordAt(count) === 0) return found;
        }
      } finally {
        await this.cryptoki.call('C_FindObjectsFinal', [this.session]);
      }
    });
  }

  create(template: Template): Promise<ObjectHandle> {
    return this.#inTurn(async () => {
      const handle = words(0);
      await this.#withTemplate(template, (attributes, count, pointedAt) =>
        this.cryptoki.call('C_CreateObject', [this.session, attributes, count, handle], { pointedAt }),
      );
      return wordAt(handle);
    });
  }

  /** Makes an AES key on the token. Its bytes never leave it. */
  generateAesKey(template: Template): Promise<ObjectHandle> {
    return this.#inTurn(async () => {
      const handle = words(0);
      const mechanism = words(CKM_AES_KEY_GEN, 0, 0);
      await this.#withTemplate(template, (attributes, count, pointedAt) =>
        this.cryptoki.call('C_GenerateKey', [this.session, mechanism, attributes, count, handle], { pointedAt }),
      );
      return wordAt(handle);
    });
  }

  destroy(object: ObjectHandle): Promise<unknown> {
    return this.#inTurn(() => this.cryptoki.call('C_DestroyObject', [this.session, object]));
  }

  read(object: ObjectHandle, attribute: number): Promise<Buffer> {
    return this.#inTurn(async () => {
      const asked = words(attribute, 0, 0);
      await this.cryptoki.call('C_GetAttributeValue', [this.session, object, asked, 1]);
      const value = Buffer.alloc(wordAt(asked, 2));
      if (value.length === 0) return value;
      const answer = words(attribute, this.cryptoki.addressOf(value), value.length);
      await this.cryptoki.call('C_GetAttributeValue', [this.session, object, answer, 1], { pointedAt: [value] });
      return value.subarray(0, wordAt(answer, 2));
    });
  }
  async label(object: ObjectHandle): Promise<string> {
    return (await this.read(object, CKA.LABEL)).toString();
  }

  /** AES-256-GCM: ciphertext ‖ tag. */
  encrypt(key: ObjectHandle, nonce: Buffer, associated: Buffer, plaintext: Uint8Array): Promise<Buffer> {
    return this.#inTurn(() => this.#crypt('Encrypt', key, nonce, associated, Buffer.from(plaintext)));
  }
  /** Throws CryptokiError when it does not authenticate. */
  decrypt(key: ObjectHandle, nonce: Buffer, associated: Buffer, ciphertext: Uint8Array): Promise<Buffer> {
    return this.#inTurn(() => this.#crypt('Decrypt', key, nonce, associated, Buffer.from(ciphertext)));
  }

  async #crypt(
    what: 'Encrypt' | 'Decrypt',
    key: ObjectHandle,
    nonce: Buffer,
    associated: Buffer,
    input: Buffer,
  ): Promise<Buffer> {
    const { addressOf } = this.cryptoki;
    const parameters = words(
      ...[addressOf(nonce), NONCE_BYTES, NONCE_BYTES * 8],
      ...[addressOf(associated), associated.length, TAG_BITS],
    );
    const mechanism = words(CKM_AES_GCM, addressOf(parameters), parameters.length);
    const [output, length] = [Buffer.alloc(input.length + TAG_BITS / 8), words(input.length + TAG_BITS / 8)];
    try {
      const pointedAt = [parameters, nonce, associated];
      await this.cryptoki.call(`C_${what}Init`, [this.session, mechanism, key], { pointedAt });
      await this.cryptoki.call(`C_${what}`, [this.session, input, input.length, output, length]);
      return Buffer.from(output.subarray(0, wordAt(length)));
    } finally {
      for (const bytes of [input, output, parameters, mechanism]) bytes.fill(0);
    }
  }

  /** CK_ATTRIBUTEs, and the values that they point at. */
  async #withTemplate(
    template: Template,
    call: (attributes: Buffer, count: number, values: readonly Buffer[]) => Promise<unknown>,
  ): Promise<void> {
    const values = template.map(([, value]) => valueOf(value));
    const attributes = template.map(([attribute], index) =>
      words(attribute, this.cryptoki.addressOf(values[index]!), values[index]!.length),
    );
    await call(Buffer.concat(attributes), template.length, values);
    for (const value of values) value.fill(0);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => undefined);
    return next;
  }
}

const slotOf = async (cryptoki: Cryptoki, token: string): Promise<number> => {
  const [slots, count] = [words(...Array<number>(MOST_SLOTS).fill(0)), words(MOST_SLOTS)];
  await cryptoki.call('C_GetSlotList', [1, slots, count]);
  for (let index = 0; index < wordAt(count); index++) {
    const info = Buffer.alloc(TOKEN_INFO_BYTES);
    await cryptoki.call('C_GetTokenInfo', [wordAt(slots, index), info], { alsoFine: [CKR.TOKEN_NOT_PRESENT] });
    if (info.toString('utf8', 0, LABEL_BYTES).trimEnd() === token) return wordAt(slots, index);
  }
  throw new GateRefusal('custodian-missing', `There is no token "${token}".`);
};

const pinIn = async (file: string): Promise<Buffer> => {
  const found = await stat(file).catch(() => undefined);
  if (!found) throw new GateRefusal('custodian-missing', `The file with the token's PIN is not at ${file}.`);
  if ((found.mode & 0o077) !== 0)
    throw new GateRefusal('custodian-exposed', `Others can read the token's PIN in ${file}: set its mode to 0600.`);
  const content = await readFile(file);
  const pin = Buffer.from(content.toString('latin1').trimEnd(), 'latin1');
  content.fill(0);
  return pin;
};
