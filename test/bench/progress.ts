const EVERY_MS = 5_000;
const WIDTH = 78;

/** Shows on standard error how far a step is: in one line that is written over on a terminal, every few seconds elsewhere. */
export class Progress {
  #lastMs = performance.now();
  #shown = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  tell(step: string, done: number): void {
    const now = performance.now();
    if (now - this.#lastMs < (this.out.isTTY ? 100 : EVERY_MS)) return;
    this.#lastMs = now;
    const text = `  ${step}: ${Math.floor(done * 100)} %`;
    this.out.write(this.out.isTTY ? `\r${text.padEnd(WIDTH)}` : `${text}\n`);
    this.#shown = true;
  }

  /** Makes room for a line of the table. */
  clear(): void {
    if (this.#shown && this.out.isTTY) this.out.write(`\r${''.padEnd(WIDTH)}\r`);
    this.#shown = false;
  }
}
