import { posix } from 'node:path';

/** Thrown by the call that the power was cut at, and by every one after it. */
export class PowerLoss extends Error {
  override readonly name = 'PowerLoss';
}

interface Write {
  readonly at: number;
  readonly bytes: Uint8Array;
}
/** What is on the platter, and what was written since the last sync: of that, any part may be lost. */
interface FileNode {
  readonly kind: 'file';
  durable: Uint8Array;
  pending: Write[];
}
type Entries = ReadonlyMap<string, Node>;
type Renaming = (entries: Map<string, Node>) => void;
interface DirectoryNode {
  readonly kind: 'directory';
  durable: Entries;
  pending: Renaming[];
}
type Node = FileNode | DirectoryNode;

const error = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });

const written = (durable: Uint8Array, writes: readonly Write[]): Uint8Array =>
  writes.reduce((before, { at, bytes }) => {
    const after = new Uint8Array(Math.max(before.length, at + bytes.length));
    after.set(before);
    after.set(bytes, at);
    return after;
  }, durable);
const named = ({ durable, pending }: DirectoryNode): Map<string, Node> => {
  const entries = new Map(durable);
  for (const change of pending) change(entries);
  return entries;
};

/**
 * A disk in memory, with the part of `node:fs/promises` that the custodian's files use, and no kinder than a real one: what was
 * not synced survives a power loss in any part. Writes may be torn, names may come before contents and go back, a synced
 * file may have no name because its directory was not synced.
 */
export class PowerLossDisk {
  /** Calls that change something, so far. */
  calls = 0;
  readonly #nodes: Node[] = [];
  readonly #root: DirectoryNode;

  /** `cutAt`: the call that meets the power loss. `volume`: a directory that is there from the beginning. */
  constructor(
    readonly volume: string,
    private cutAt = Infinity,
  ) {
    this.#root = this.#directory();
    let at = this.#root;
    for (const name of volume.split('/').slice(1)) {
      const child = this.#directory();
      at.durable = new Map([[name, child]]);
      at = child;
    }
  }

  /** Power is back: of everything unsynced `keeps` decides what is there, for each part anew. Nothing is cut any more. */
  restart(keeps: () => boolean): void {
    this.cutAt = Infinity;
    for (const node of this.#nodes)
      if (node.kind === 'file') {
        const kept = node.pending.flatMap((write) =>
          keeps() ? [keeps() ? write : { ...write, bytes: write.bytes.subarray(0, write.bytes.length >> 1) }] : [],
        );
        node.durable = written(node.durable, kept);
        node.pending = [];
      } else {
        node.pending = node.pending.filter(keeps);
        node.durable = named(node);
        node.pending = [];
      }
  }

  /** Whether these bytes are on the platter or in a cache, in a file of any name or of none. */
  holds(bytes: Uint8Array): boolean {
    return this.#nodes.some(
      (node) =>
        node.kind === 'file' &&
        [node.durable, written(node.durable, node.pending)].some((content) =>
          Buffer.from(content).includes(Buffer.from(bytes)),
        ),
    );
  }

  /** In place of `node:fs/promises`. */
  readonly api = {
    mkdir: async (path: string): Promise<string | undefined> => {
      let at: DirectoryNode = this.#root;
      for (const name of path.split('/').slice(1)) {
        const next = named(at).get(name) ?? this.#cut(() => this.#link(at, name, this.#directory()));
        if (next.kind === 'file') throw error('ENOTDIR', path);
        at = next;
      }
      return undefined;
    },
    readdir: async (path: string): Promise<string[]> => [...named(this.#directoryAt(path)).keys()],
    readFile: async (path: string, encoding?: 'utf8'): Promise<Buffer | string> => {
      const { durable, pending } = this.#fileAt(path);
      const content = Buffer.from(written(durable, pending));
      return encoding ? content.toString(encoding) : content;
    },
    realpath: async (path: string): Promise<string> => (this.#at(path), path),
    stat: async (path: string) => {
      this.#at(path);
      return { mode: 0o700, uid: process.getuid?.(), dev: 1 };
    },
    rename: async (from: string, to: string): Promise<void> => {
      const directory = this.#directoryAt(posix.dirname(from));
      const [old, name, node] = [posix.basename(from), posix.basename(to), this.#at(from)];
      this.#cut(() =>
        directory.pending.push((entries) => {
          entries.delete(old);
          entries.set(name, node);
        }),
      );
    },
    unlink: async (path: string): Promise<void> => {
      const directory = this.#directoryAt(posix.dirname(path));
      this.#at(path);
      this.#cut(() => directory.pending.push((entries) => void entries.delete(posix.basename(path))));
    },
    open: async (path: string, flags: string) => {
      if (flags === 'wx')
        this.#cut(() => this.#link(this.#directoryAt(posix.dirname(path)), posix.basename(path), this.#file()));
      const node = this.#at(path);
      return {
        writeFile: async (content: string | Uint8Array) => this.#write(node, 0, Buffer.from(content)),
        write: async (bytes: Uint8Array, offset: number, length: number, at: number) =>
          this.#write(node, at, bytes.subarray(offset, offset + length)),
        stat: async () => ({ size: node.kind === 'file' ? written(node.durable, node.pending).length : 0 }),
        sync: async () => this.#cut(() => this.#sync(node)),
        close: async () => undefined,
      };
    },
  };

  /** A call that changes something happens wholly in the caches, or not at all. */
  #cut<T>(change: () => T): T {
    if (this.calls++ >= this.cutAt) throw new PowerLoss();
    return change();
  }

  #write(node: Node, at: number, bytes: Uint8Array): void {
    this.#cut(() => node.kind === 'file' && node.pending.push({ at, bytes: Uint8Array.from(bytes) }));
  }
  #sync(node: Node): void {
    if (node.kind === 'file') node.durable = written(node.durable, node.pending);
    else node.durable = named(node);
    node.pending = [];
  }

  #file(): FileNode {
    const node: FileNode = { kind: 'file', durable: new Uint8Array(), pending: [] };
    this.#nodes.push(node);
    return node;
  }
  #directory(): DirectoryNode {
    const node: DirectoryNode = { kind: 'directory', durable: new Map(), pending: [] };
    this.#nodes.push(node);
    return node;
  }
  #link<T extends Node>(directory: DirectoryNode, name: string, node: T): T {
    directory.pending.push((entries) => void entries.set(name, node));
    return node;
  }

  #at(path: string): Node {
    let at: Node = this.#root;
    for (const name of path.split('/').filter(Boolean)) {
      const next: Node | undefined = at.kind === 'directory' ? named(at).get(name) : undefined;
      if (!next) throw error('ENOENT', path);
      at = next;
    }
    return at;
  }
  #fileAt(path: string): FileNode {
    const node = this.#at(path);
    if (node.kind === 'directory') throw error('EISDIR', path);
    return node;
  }
  #directoryAt(path: string): DirectoryNode {
    const node = this.#at(path);
    if (node.kind === 'file') throw error('ENOTDIR', path);
    return node;
  }
}
