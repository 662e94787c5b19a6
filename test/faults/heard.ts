import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Installation, RequestOptions } from '../journeys/installation.js';

/** A piece of an answer, and when it came (performance.now). */
interface Piece {
  readonly atMs: number;
  readonly bytes: Buffer;
}

/** One connection that is open before a process is stopped, and takes requests while it is. */
export class Connection {
  readonly #pieces: Piece[] = [];
  #closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes: Buffer) => this.#pieces.push({ atMs: performance.now(), bytes }));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.#closed = true));
  }

  /** The kernel accepts for a stopped process, so this resolves even then. */
  static open(makuler: Installation): Promise<Connection> {
    const { hostname, port } = new URL(makuler.url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  /** Sends a request at once, whether anybody reads it or not. */
  send(
    makuler: Installation,
    method: string,
    path: string,
    { as = 'compliance', purpose, body }: RequestOptions,
  ): void {
    const text = body === undefined ? '' : JSON.stringify(body);
    this.socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer ${as === 'nobody' ? '' : makuler.token(as)}\r\n` +
        (purpose ? `makuler-purpose: ${purpose}\r\n` : '') +
        (text ? `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` : '') +
        `\r\n${text}`,
    );
  }

  /** How many answers have begun to arrive. */
  get answers(): number {
    return [...this.textSince(0).matchAll(/HTTP\/1\.1 \d+/g)].length;
  }
  get closed(): boolean {
    return this.#closed;
  }

  /** What arrived at or after a moment. */
  textSince(sinceMs: number): string {
    return Buffer.concat(this.#pieces.filter(({ atMs }) => atMs >= sinceMs).map(({ bytes }) => bytes)).toString();
  }

  close(): void {
    this.socket.destroy();
  }
}
