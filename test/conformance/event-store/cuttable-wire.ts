import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

type Mode = 'open' | 'hanging' | 'deaf' | 'mute' | 'cut';

/** PostgreSQL's ReadyForQuery, outside of a transaction. */
const READY = Buffer.from('5a0000000549', 'hex');

/** A wire to PostgreSQL that can be cut, or made to carry nothing, or (deaf) no answers, or (mute) none after the greeting. */
export class CuttableWire {
  readonly #asking = new Set<Socket>();
  readonly #answering = new Set<Socket>();
  #mode: Mode = 'open';
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}
  static async to(url: string): Promise<CuttableWire> {
    const target = new URL(url);
    const port = Number(target.port);
    const server = createServer((socket) => wire.#carry(socket, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    target.port = String((server.address() as AddressInfo).port);
    const wire = new CuttableWire(server, target.href);
    return wire;
  }
  set(mode: Mode): void {
    this.#mode = mode;
    for (const socket of this.#asking) this.#apply(socket, mode === 'hanging');
    for (const socket of this.#answering) this.#apply(socket, mode === 'hanging' || mode === 'deaf');
  }
  #apply(socket: Socket, silent: boolean): void {
    if (this.#mode === 'cut') socket.destroy();
    else if (silent) socket.pause();
    else socket.resume();
  }
  close(): void {
    this.set('cut');
    this.server.close();
  }
  #carry(socket: Socket, port: number): void {
    if (this.#mode === 'cut') return void socket.destroy();
    const other = createConnection(port, '127.0.0.1');
    for (const [from, to, all] of [
      [socket, other, this.#asking],
      [other, socket, this.#answering],
    ] as const) {
      all.add(from);
      from.on('data', (chunk: Buffer) => {
        to.write(chunk);
        if (this.#mode === 'mute' && from === other && chunk.subarray(-READY.length).equals(READY)) from.pause();
      });
      from.on('error', () => {});
      from.on('close', () => {
        all.delete(from);
        to.destroy();
      });
      if (this.#mode === 'hanging') from.pause();
    }
  }
}
