import { LineCounter, isNode, parseDocument } from 'yaml';

/** What is wrong with a manifest, and where: a path into the document, as keys and indexes. */
export interface Problem {
  readonly at: readonly (string | number)[];
  readonly message: string;
}

/** A manifest's YAML with the lines on which its parts stand, so that a problem can say where to look. */
export class ManifestDocument {
  readonly #lines = new LineCounter();
  readonly #document;
  /** What the YAML itself has wrong. */
  readonly problems: readonly Problem[];
  readonly #lineOfProblem = new Map<Problem, number>();

  constructor(source: string) {
    this.#document = parseDocument(source, { lineCounter: this.#lines });
    this.problems = this.#document.errors.map((error) => {
      const problem = { at: [], message: `this is not valid YAML: ${error.message.split('\n')[0]}` };
      this.#lineOfProblem.set(problem, this.#lines.linePos(error.pos[0]).line);
      return problem;
    });
  }

  /** The content as plain values; every alias becomes a value of its own. */
  value(): unknown {
    return structuredClone(this.#document.toJS());
  }

  /** `line 12: …`, from the nearest part of the document that exists. */
  sentence(problem: Problem): string {
    const line = this.#lineOfProblem.get(problem) ?? this.#lineAt(problem.at);
    return `line ${line}: ${problem.message}`;
  }

  #lineAt(path: readonly (string | number)[]): number {
    for (let length = path.length; length > 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return this.#lines.linePos(node.range[0]).line;
    }
    return 1;
  }
}
