/** Something that the person at the terminal can set right: shown as one sentence and the way out, without a stack. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    message: string,
    readonly wayOut: string,
  ) {
    super(message);
  }
}
