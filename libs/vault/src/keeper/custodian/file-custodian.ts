import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { KEY_BYTES, newKey, wipe } from '../../aead.js';
import { GateRefusal } from '../gate.js';
import { unwrap, wrap } from '../wrap.js';
import type { Confirm } from '../active.js';
import type { RootPlace } from './custodian.js';
import { Custodian } from './custodian.js';
import type { CustodianState } from './custodian-state.js';
import { decodeState, encodeState } from './custodian-format.js';
import { destroyFile, flushAncestors, flushDirectory, removeLeftovers, replaceDurably } from './durable-file.js';

const STATE = 'custodian.state';
const MIRROR = 'mirror.id';
const ROOT = /^root-(\d+)\.key$/;
/** `makuler/root/1`, newline, then the 32 bytes of the key. */
const ROOT_HEADER = Buffer.from('makuler/root/1\n');

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
const orUndefined = (error: unknown): undefined => {
  if (missing(error)) return undefined;
  throw error;
};

export interface FileCustodianOptions {
  /** The home, which backups copy: a custodian inside it would be copied along with what it must outlive. */
  readonly home?: string;
}

/** A mirror in a directory of its own: `custodian.state`, `mirror.id`, `root-<epoch>.key`. Created at first use. */
export class FileCustodian extends Custodian {
  readonly #directory: string;
  readonly #home: string | undefined;
  #checked: Promise<boolean> | undefined;
  /** What was read or written last. */
  #last: { readonly text: string; readonly mirror: string; readonly state: CustodianState } | undefined;

  constructor(directory: string, options: FileCustodianOptions = {}) {
    super();
    this.#directory = resolve(directory);
    this.#home = options.home === undefined ? undefined : resolve(options.home);
  }

  get name(): string {
    return this.#directory;
  }
  get place(): string {
    return this.#directory;
  }

  async id(): Promise<string> {
    const present = await this.#id();
    if (present !== undefined) return present;
    await this.#assertUnused();
    throw new GateRefusal('custodian-missing', `There is no mirror of the custodian at ${this.name}.`);
  }

  async enrol(confirm?: Confirm): Promise<string> {
    const present = await this.#id();
    if (present !== undefined) return present;
    await this.#assertUnused();
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await flushAncestors(this.#directory);
    await this.#ready();
    const id = randomUUID();
    await replaceDurably(join(this.#directory, MIRROR), `${id}\n`, confirm);
    return id;
  }

  async readState(): Promise<CustodianState | undefined> {
    await this.#ready();
    const text = await readFile(join(this.#directory, STATE), 'utf8').catch(orUndefined);
    if (text === undefined) return undefined;
    // Looked at every few seconds, and the journal may be long: what is as it was is not read anew.
    if (this.#last?.text !== text) this.#last = { text, ...decodeState(text, this.name) };
    const { mirror, state } = this.#last;
    if (mirror !== (await readFile(join(this.#directory, MIRROR), 'utf8').catch(orUndefined))?.trim())
      throw new GateRefusal('custodian-damaged', `The custodian's state at ${this.name} is that of another mirror.`);
    return state;
  }

  async takeOver(): Promise<void> {
    if (await this.#ready()) await removeLeftovers(this.#directory);
  }

  async writeState(state: CustodianState, confirm?: Confirm): Promise<void> {
    const mirror = await this.id();
    const text = encodeState(mirror, state);
    await replaceDurably(join(this.#directory, STATE), text, confirm);
    this.#last = { text, mirror, state };
  }

  async createRoot(epoch: number, confirm?: Confirm): Promise<void> {
    await this.id();
    if ((await this.epochs()).includes(epoch)) return;
    const key = newKey();
    const content = Buffer.concat([ROOT_HEADER, key]);
    await replaceDurably(this.#root(epoch), content, confirm).finally(() => (wipe(key), wipe(content)));
  }

  async destroyRoot(epoch: number, confirm?: Confirm): Promise<void> {
    await confirm?.();
    // A crash of createRoot may have left a copy of the root under a name that says nothing.
    if (await this.#ready()) await removeLeftovers(this.#directory);
    if ((await this.epochs()).includes(epoch)) await destroyFile(this.#root(epoch));
    // A root that is not there may be so by an unlink that no crash was kept from undoing.
    else if (await this.#ready()) await flushDirectory(this.#directory);
  }

  async epochs(): Promise<readonly number[]> {
    if (!(await this.#ready())) return [];
    const names = await readdir(this.#directory).catch(orUndefined);
    if (!names) return this.#gone([]);
    return names.flatMap((name) => (ROOT.test(name) ? [Number(ROOT.exec(name)![1])] : [])).sort((a, b) => a - b);
  }

  async wrapEpochKey(place: RootPlace, epochKey: Uint8Array): Promise<Uint8Array> {
    const where = [place.installation, await this.id(), place.epoch];
    return this.#withRoot(place.epoch, (root) => wrap('epoch-key', root, epochKey, where));
  }

  async unwrapEpochKey(place: RootPlace, wrapped: Uint8Array): Promise<Uint8Array | undefined> {
    const where = [place.installation, await this.id(), place.epoch];
    return this.#withRoot(place.epoch, (root) => unwrap('epoch-key', root, wrapped, where));
  }

  async device(): Promise<number> {
    await this.#ready();
    return (await stat(this.#directory)).dev;
  }

  async #id(): Promise<string | undefined> {
    await this.#ready();
    const id = await readFile(join(this.#directory, MIRROR), 'utf8').catch(orUndefined);
    return id === undefined ? this.#gone(undefined) : id.trim();
  }

  /** The directory may have gone, and another may come: it is checked again before it is used. */
  #gone<T>(answer: T): T {
    this.#checked = undefined;
    return answer;
  }

  async #assertUnused(): Promise<void> {
    if ((await this.readState()) || (await this.epochs()).length > 0)
      throw new GateRefusal('custodian-damaged', `The custodian at ${this.name} has lost its ${MIRROR}.`);
  }

  #root(epoch: number): string {
    return join(this.#directory, `root-${epoch}.key`);
  }

  /** Reads the root for one use; it is not kept in memory. */
  async #withRoot<T>(epoch: number, use: (root: Uint8Array) => T): Promise<T> {
    await this.#ready();
    const content = await readFile(this.#root(epoch)).catch(orUndefined);
    if (!content) throw new GateRefusal('custodian-missing', `The root of epoch ${epoch} is not at ${this.name}.`);
    try {
      const root = content.subarray(ROOT_HEADER.length);
      if (!content.subarray(0, ROOT_HEADER.length).equals(ROOT_HEADER) || root.length !== KEY_BYTES)
        throw new GateRefusal('custodian-damaged', `The root of epoch ${epoch} at ${this.name} is damaged.`);
      return use(root);
    } finally {
      content.fill(0);
    }
  }

  /**
   * Whether the directory is there. Refuses a place that others can read or that the home's backups would copy; once per
   * process, before anything else. Asking makes nothing: an empty directory in the place of a custodian that is away (a disk
   * that is not mounted) would stand in its way when it comes back.
   */
  #ready(): Promise<boolean> {
    return (this.#checked ??= this.#check().then(
      (there) => {
        if (!there) this.#checked = undefined;
        return there;
      },
      (error: unknown) => {
        this.#checked = undefined;
        throw error;
      },
    ));
  }

  async #check(): Promise<boolean> {
    // Looked at before it is made as well: a directory inside the home must not even come into being.
    await this.#refuseInsideHome(await realpathOfNearest(this.#directory));
    const found = await stat(this.#directory).catch(orUndefined);
    if (!found) return false;
    if ((found.mode & 0o077) !== 0)
      throw new GateRefusal(
        'custodian-exposed',
        `Others can read the custodian's directory ${this.name}: set its mode to 0700.`,
      );
    if (process.getuid && found.uid !== process.getuid())
      throw new GateRefusal('custodian-exposed', `The custodian's directory ${this.name} belongs to another user.`);
    return true;
  }

  async #refuseInsideHome(directory: string): Promise<void> {
    if (this.#home === undefined) return;
    const home = await realpathOfNearest(this.#home);
    if (directory === home || directory.startsWith(home + sep))
      throw new GateRefusal(
        'custodian-exposed',
        `The custodian's directory ${this.name} lies inside the home: whoever copies the home would copy the roots.`,
      );
  }
}

/** The real path that a directory has, or will have once it is made. */
const realpathOfNearest = async (path: string): Promise<string> => {
  try {
    return await realpath(path);
  } catch (error) {
    if (!missing(error) || dirname(path) === path) throw error;
    return join(await realpathOfNearest(dirname(path)), path.slice(dirname(path).length));
  }
};
