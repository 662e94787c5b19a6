import { randomBytes, randomUUID } from 'node:crypto';
import { GateRefusal } from '../../gate.js';
import { associatedData } from '../../wrap.js';
import type { Confirm } from '../../active.js';
import type { RootPlace } from '../custodian.js';
import { Custodian } from '../custodian.js';
import { decodeState, encodeState } from '../custodian-format.js';
import type { CustodianState } from '../custodian-state.js';
import { CKA, CKK_AES, CKO, CKR } from './cryptoki-constants.js';
import { CryptokiError } from './cryptoki.js';
import type { ObjectHandle, Template } from './token-session.js';
import { TokenSession } from './token-session.js';
import type { TokenPlace } from './token-uri.js';
import { parseTokenUri } from './token-uri.js';

/** An epoch key under a root on a token: version ‖ nonce ‖ ciphertext ‖ tag (docs/formats/vault-keys.md). */
const VERSION = 2;
const NONCE_BYTES = 12;

/** After these the session is gone, and the next call opens another. */
const ENDED: readonly number[] = [
  CKR.SESSION_CLOSED,
  CKR.SESSION_HANDLE_INVALID,
  CKR.DEVICE_REMOVED,
  CKR.TOKEN_NOT_PRESENT,
  CKR.USER_NOT_LOGGED_IN,
];
/** What tokens say of a tag that does not fit. SoftHSM says GENERAL_ERROR, which may mean anything. */
const NOT_AUTHENTIC: readonly number[] = [CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE, CKR.GENERAL_ERROR];

/**
 * A mirror on a PKCS#11 token. Roots are objects that never leave it: sensitive, not extractable, destroyed by
 * C_DestroyObject. State and id are private data objects. The state is replaced whole: the next one is written under the next
 * count and then the others are destroyed; of two that a crash leaves, the higher whole one counts.
 */
export class Pkcs11Custodian extends Custodian {
  readonly #place: TokenPlace;
  #session: Promise<TokenSession> | undefined;

  /** `place`: a `pkcs11:` URI. Throws `mirror-unfit`. Opens nothing yet. */
  constructor(readonly place: string) {
    super();
    this.#place = parseTokenUri(place);
  }

  get name(): string {
    return `token ${this.#place.token} (${this.#place.object})`;
  }

  id(): Promise<string> {
    return this.#with((session) => this.#idOn(session));
  }

  enrol(confirm?: Confirm): Promise<string> {
    return this.#with(async (session) => {
      const present = await this.#findId(session);
      if (present !== undefined) return present;
      await this.#assertUnused(session);
      const id = randomUUID();
      await this.#unlessTakenOver(session, confirm, () => session.create([...this.#data('mirror'), [CKA.VALUE, id]]));
      return id;
    });
  }

  readState(): Promise<CustodianState | undefined> {
    return this.#with(async (session) => {
      const [newest] = await this.#states(session);
      if (newest === undefined) return undefined;
      if (newest.state === undefined) throw newest.problem;
      if (newest.mirror !== (await this.#findId(session)))
        throw new GateRefusal('custodian-damaged', `The custodian's state on ${this.name} is that of another mirror.`);
      return newest.state;
    });
  }

  async takeOver(): Promise<void> {
    // A token has no file beside: what was begun elsewhere is found and taken back by who began it (`#unlessTakenOver`).
  }

  writeState(state: CustodianState, confirm?: Confirm): Promise<void> {
    return this.#with(async (session) => {
      const text = encodeState(await this.#idOn(session), state);
      const before = await this.#states(session);
      const count = Math.max(0, ...before.map((stored) => stored.count)) + 1;
      await this.#unlessTakenOver(session, confirm, () =>
        session.create([...this.#data(`state/${count}`), [CKA.VALUE, text]]),
      );
      for (const { handle } of before) await session.destroy(handle);
    });
  }

  createRoot(epoch: number, confirm?: Confirm): Promise<void> {
    return this.#with(async (session) => {
      await this.#idOn(session);
      if ((await this.#rootsOn(session)).has(epoch)) return;
      const root: Template = [
        ...this.#roots(),
        [CKA.LABEL, `${this.#place.object}/root/${epoch}`],
        [CKA.KEY_TYPE, CKK_AES],
        [CKA.VALUE_LEN, 32],
        [CKA.PRIVATE, true],
        [CKA.SENSITIVE, true],
        [CKA.EXTRACTABLE, false],
        [CKA.MODIFIABLE, false],
        [CKA.ENCRYPT, true],
        [CKA.DECRYPT, true],
        [CKA.WRAP, false],
        [CKA.UNWRAP, false],
      ];
      await this.#unlessTakenOver(session, confirm, () => session.generateAesKey(root));
    });
  }

  destroyRoot(epoch: number, confirm?: Confirm): Promise<void> {
    return this.#with(async (session) => {
      await confirm?.();
      for (const root of (await this.#rootsOn(session)).get(epoch) ?? []) await session.destroy(root);
      if ((await this.#rootsOn(session)).has(epoch))
        throw new Error(`the root of epoch ${epoch} is still on the token`);
    });
  }

  epochs(): Promise<readonly number[]> {
    return this.#with(async (session) => [...(await this.#rootsOn(session)).keys()].sort((a, b) => a - b));
  }

  wrapEpochKey(place: RootPlace, epochKey: Uint8Array): Promise<Uint8Array> {
    return this.#with(async (session) => {
      const root = await this.#root(session, place.epoch);
      const nonce = randomBytes(NONCE_BYTES);
      const sealed = await session.encrypt(root, nonce, await this.#associated(session, place), epochKey);
      return Buffer.concat([Buffer.from([VERSION]), nonce, sealed]);
    });
  }

  unwrapEpochKey(place: RootPlace, wrapped: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#with(async (session) => {
      const root = await this.#root(session, place.epoch);
      const bytes = Buffer.from(wrapped);
      if (bytes[0] !== VERSION) return undefined;
      const [nonce, sealed] = [bytes.subarray(1, 1 + NONCE_BYTES), bytes.subarray(1 + NONCE_BYTES)];
      try {
        return await session.decrypt(root, Buffer.from(nonce), await this.#associated(session, place), sealed);
      } catch (error) {
        if (!(error instanceof CryptokiError) || !NOT_AUTHENTIC.includes(error.code)) throw error;
        // The token may be out of order, which must not look like a root that does not fit: one that works here does not fit.
        await this.#assertWorks(session, root);
        return undefined;
      }
    });
  }

  async device(): Promise<undefined> {
    return undefined;
  }

  /**
   * Asks before and after: a process that was stopped in between and wakes up after another has taken over destroys again what it
   * has just made. Until then two states may be on the token; whoever took over finds a fork, and refuses it (`judge`).
   */
  async #unlessTakenOver(
    session: TokenSession,
    confirm: Confirm = () => Promise.resolve(),
    make: () => Promise<ObjectHandle>,
  ): Promise<void> {
    await confirm();
    const made = await make();
    await confirm().catch(async (error: unknown) => {
      await session.destroy(made);
      throw error;
    });
  }

  async #assertWorks(session: TokenSession, root: ObjectHandle): Promise<void> {
    const [nonce, nothing] = [randomBytes(NONCE_BYTES), Buffer.alloc(1)];
    const sealed = await session.encrypt(root, nonce, nothing, nothing);
    await session.decrypt(root, nonce, nothing, sealed);
  }

  async #associated(session: TokenSession, { installation, epoch }: RootPlace): Promise<Buffer> {
    return Buffer.from(associatedData('epoch-key', [installation, await this.#idOn(session), epoch, 'pkcs11']));
  }

  #data(name: string): Template {
    return [
      [CKA.CLASS, CKO.DATA],
      [CKA.TOKEN, true],
      [CKA.PRIVATE, true],
      [CKA.APPLICATION, this.#place.object],
      [CKA.LABEL, `${this.#place.object}/${name}`],
    ];
  }
  #roots(): Template {
    return [
      [CKA.CLASS, CKO.SECRET_KEY],
      [CKA.TOKEN, true],
      [CKA.ID, this.#place.object],
    ];
  }

  async #root(session: TokenSession, epoch: number): Promise<ObjectHandle> {
    const [root] = (await this.#rootsOn(session)).get(epoch) ?? [];
    if (root === undefined)
      throw new GateRefusal('custodian-missing', `The root of epoch ${epoch} is not on ${this.name}.`);
    return root;
  }

  async #rootsOn(session: TokenSession): Promise<ReadonlyMap<number, readonly ObjectHandle[]>> {
    const roots = new Map<number, ObjectHandle[]>();
    for (const handle of await session.find(this.#roots())) {
      const epoch = this.#numberIn(await session.label(handle), 'root');
      if (epoch !== undefined) roots.set(epoch, [...(roots.get(epoch) ?? []), handle]);
    }
    return roots;
  }

  #numberIn(label: string, kind: 'root' | 'state'): number | undefined {
    const prefix = `${this.#place.object}/${kind}/`;
    const rest = label.slice(prefix.length);
    return label.startsWith(prefix) && /^\d+$/.test(rest) ? Number(rest) : undefined;
  }

  async #idOn(session: TokenSession): Promise<string> {
    const present = await this.#findId(session);
    if (present !== undefined) return present;
    await this.#assertUnused(session);
    throw new GateRefusal('custodian-missing', `There is no mirror of the custodian on ${this.name}.`);
  }
  async #findId(session: TokenSession): Promise<string | undefined> {
    const [object] = await session.find(this.#data('mirror'));
    return object === undefined ? undefined : (await session.read(object, CKA.VALUE)).toString();
  }
  async #assertUnused(session: TokenSession): Promise<void> {
    if ((await this.#states(session)).length > 0 || (await this.#rootsOn(session)).size > 0)
      throw new GateRefusal('custodian-damaged', `The custodian on ${this.name} has lost its id.`);
  }

  /** The stored states: the whole ones first, the latest before. */
  async #states(session: TokenSession) {
    const found = [];
    for (const handle of await session.find(this.#data('').slice(0, -1))) {
      const count = this.#numberIn(await session.label(handle), 'state');
      if (count === undefined) continue;
      const text = (await session.read(handle, CKA.VALUE)).toString();
      found.push({ handle, count, ...this.#decoded(text) });
    }
    return found.sort((a, b) => Number(b.state !== undefined) - Number(a.state !== undefined) || b.count - a.count);
  }
  #decoded(text: string) {
    try {
      return { ...decodeState(text, this.name), problem: undefined };
    } catch (problem) {
      return { mirror: undefined, state: undefined, problem };
    }
  }

  async #with<T>(work: (session: TokenSession) => Promise<T>): Promise<T> {
    this.#session ??= TokenSession.open(this.#place);
    const session = this.#session;
    try {
      return await work(await session);
    } catch (error) {
      const opened = await session.then(
        () => true,
        () => false,
      );
      const isEnded = !opened || (error instanceof CryptokiError && ENDED.includes(error.code));
      if (isEnded && this.#session === session) this.#session = undefined;
      throw error;
    }
  }
}
