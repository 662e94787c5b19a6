import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Kysely } from 'kysely';
import { MakulerError } from '#kernel';
import { Policy } from '#policy';
import { CUSTOMERS, SALES, SERVICE } from './facts.js';
import type { Facts, Figure, FiguresWanted } from './figures.js';
import { figuresOf } from './figures.js';

const SUBJECTS = { sales: SALES, service: SERVICE, customers: CUSTOMERS } as const satisfies Record<string, Facts>;
export type AnalyticsSubject = keyof typeof SUBJECTS;

/** By what a subject can be grouped. */
export const dimensionsOf = (subject: AnalyticsSubject): readonly string[] => Object.keys(SUBJECTS[subject].dimensions);

/** The columns of an answer, in order. */
export const columnsOf = (subject: AnalyticsSubject, by: readonly string[]): readonly string[] => [
  ...new Set([...by, ...SUBJECTS[subject].always]),
  ...Object.keys(SUBJECTS[subject].measures),
  'mergedGroups',
];

/** Asks for figures. Throws `invalid-input` for a dimension that the subject does not have. */
export class GetFigures extends Query<readonly Figure[]> {
  constructor(
    readonly subject: AnalyticsSubject,
    readonly wanted: FiguresWanted,
  ) {
    super();
  }
}

@QueryHandler(GetFigures)
export class GetFiguresHandler implements IQueryHandler<GetFigures> {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly policy: Policy,
  ) {}

  async execute({ subject, wanted }: GetFigures): Promise<readonly Figure[]> {
    const known = dimensionsOf(subject);
    if (!wanted.by.every((name) => known.includes(name)))
      throw new MakulerError('invalid-input', {
        errors: [
          { path: 'by', code: 'unknown-dimension', message: `give some of ${known.join(', ')}, with commas between` },
        ],
      });
    return figuresOf(this.readModels, SUBJECTS[subject], wanted, this.policy.minimumGroup);
  }
}
