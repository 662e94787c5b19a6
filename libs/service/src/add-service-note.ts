import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ServiceCaseId } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { addNote, serviceCase, serviceStream } from './service-case.js';
import { readNote } from './service-input.js';

/** Writes something down about a case. Throws `invalid-input` (a national id), `not-found`, `subject-closed`. */
export class AddServiceNote extends Command<{ readonly position: Position; readonly revision: bigint }> {
  constructor(
    readonly serviceCaseId: ServiceCaseId,
    readonly text: string,
  ) {
    super();
  }
}

@CommandHandler(AddServiceNote)
export class AddServiceNoteHandler implements ICommandHandler<AddServiceNote> {
  constructor(private readonly ledger: Ledger) {}

  async execute({ serviceCaseId, text }: AddServiceNote) {
    const note = readNote(text);
    return this.ledger.decide(serviceCase, serviceStream(serviceCaseId), (state) => addNote(state, note));
  }
}
