import type { EventId } from '#kernel';
import type { Folded } from './fold.js';

/** Something about the log that is not as it was. Events are counted from 1 in the order of the log; `checkpoint` is the event that says so, null for the custodian's own. */
export type Misfit =
  /** The first stretch whose events are not those that were there: one of them was changed, removed, inserted or moved. */
  | {
      readonly kind: 'altered';
      readonly from: number;
      readonly to: number;
      readonly firstEvent: EventId;
      readonly lastEvent: EventId;
      readonly checkpoint: EventId | null;
    }
  /** The log ends too early: these events are missing, or as many before them. */
  | { readonly kind: 'shortened'; readonly from: number; readonly to: number; readonly checkpoint: EventId | null }
  /** A checkpoint that the installation did not sign, or not for this place. */
  | { readonly kind: 'forged'; readonly checkpoint: EventId | null }
  /** The first event that its stream has at another place than the log has it: whoever reads the stream reads another order. */
  | { readonly kind: 'misplaced'; readonly sequence: number; readonly event: EventId }
  /** The stream of the checkpoints and the whole log do not show the same checkpoints. */
  | { readonly kind: 'hidden'; readonly inStream: number; readonly inLog: number };

/** What a checkpoint says of one event. */
export interface Expected {
  readonly sequence: number;
  readonly link: string;
  readonly checkpoint: EventId | null;
}

/** Holds a fold against what is expected, up to the first that does not fit: after it no link can. */
export class Comparison {
  readonly #expected: readonly Expected[];
  #next = 0;
  #first: EventId | undefined;
  #misfit: Misfit | undefined;
  /** Events that were folded. */
  events = 0;
  /** The last event up to which all fits. */
  covered = 0;
  /** Checkpoints of the log that fit. */
  checkpoints = 0;

  constructor(expected: readonly Expected[]) {
    this.#expected = expected.toSorted((a, b) => a.sequence - b.sequence);
  }

  with({ event, point }: Folded): void {
    this.events = point.sequence;
    this.#first ??= event.id;
    for (let said; !this.#misfit && (said = this.#expected[this.#next])?.sequence === point.sequence; this.#next++) {
      if (said!.link !== point.link) {
        this.#misfit = {
          kind: 'altered',
          ...{ from: this.covered + 1, to: point.sequence },
          ...{ firstEvent: this.#first, lastEvent: event.id },
          checkpoint: said!.checkpoint,
        };
        return;
      }
      this.covered = point.sequence;
      if (said!.checkpoint !== null) this.checkpoints++;
    }
    if (this.covered === point.sequence) this.#first = undefined;
  }

  /** What did not fit, once the whole log was folded. */
  end(): Misfit | undefined {
    const said = this.#expected[this.#next];
    if (this.#misfit || !said) return this.#misfit;
    return { kind: 'shortened', from: this.events + 1, to: said.sequence, checkpoint: said.checkpoint };
  }
}
