import type { Output } from '../output.js';

/** Something that the demo says is so, and whether it was found to be. */
export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
}

const WIDTH = 132;

/** Tells the demo as it goes, and keeps the claims for the summary. With `--json` only the summary is written. */
export class Story {
  readonly claims: Claim[] = [];
  #chapters = 0;

  constructor(private readonly output: Output) {}

  chapter(title: string): void {
    this.#chapters += 1;
    this.#write('', `${this.#chapters}. ${title}`);
  }

  say(text: string): void {
    this.#write(`   ${text}`);
  }

  /** What was asked, and the answer as it came, one line for each piece, cut where a terminal would wrap. */
  show(asked: string, ...answers: readonly unknown[]): void {
    this.#write(`   > ${asked}`);
    for (const answer of answers)
      this.#write(cut(`     ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`));
  }

  claim(claim: string, holds: boolean): void {
    this.claims.push({ claim, holds });
    this.#write(`   ${holds ? '✓' : '✗'} ${claim}`);
  }

  #write(...lines: readonly string[]): void {
    if (!this.output.json) for (const line of lines) process.stdout.write(`${line}\n`);
  }
}

const cut = (line: string): string => (line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line);
