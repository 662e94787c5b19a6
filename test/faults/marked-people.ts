/**
 * People, companies and texts whose every value is marked, so that a search finds it wherever it went. The marks are words
 * that stand in no program and no library; the numbers are valid ones.
 */
export interface Marked {
  readonly customer: Readonly<Record<string, unknown>>;
  readonly company: Readonly<Record<string, unknown>>;
  readonly purchase: (customerId: string) => Record<string, unknown>;
  readonly serviceCase: (customerId: string, purchaseId: string) => Record<string, unknown>;
  /** Free texts: two notes of a case, and the reason for an erasure. */
  readonly texts: readonly [string, string, string];
  readonly sourceKey: string;
  /** What a rectification sets. */
  readonly rectified: { readonly name: string; readonly street: string };
}

/** A word of letters only that no dictionary has, a telephone number, and an organisation number. */
export type Marks = readonly [word: string, phone: string, organisationNumber: string];

export const marked = ([word, phone, organisationNumber]: Marks): Marked => ({
  customer: {
    relationship: 'customer',
    name: `${word}åmund ${word}ærstad`,
    email: `${word.toLowerCase()}.post@${word.toLowerCase()}.example.no`,
    phone: `${phone.slice(0, 3)} ${phone.slice(3, 5)} ${phone.slice(5)}`,
    address: { street: `${word}gata 17B`, postalCode: '5003', city: `${word}øy` },
  },
  company: {
    name: `${word}verkstedet ENK`,
    organisationNumber: organisationNumber.replace(/(...)(?!$)/g, '$1 '),
    country: 'NO',
    legalForm: 'ENK',
    address: { street: `${word}veien 4`, postalCode: '5003', city: `${word}øy` },
    invoiceEmail: `faktura@${word.toLowerCase()}enk.example.no`,
  },
  purchase: (customerId) => ({
    customerId,
    purchasedAt: '2026-03-10T09:41:07+01:00',
    currency: 'NOK',
    lines: [
      {
        kind: 'product',
        itemType: 'kulelager',
        description: `til båten ${word}dronninga`,
        quantity: '2',
        unitPrice: '431.50',
        serialNumber: `SN-${word}-001`,
      },
    ],
    invoice: {
      number: `F-${word}-77`,
      date: '2026-03-10',
      dueDate: '2026-04-10',
      delivery: { date: '2026-03-10', place: `${word}kaia` },
    },
  }),
  serviceCase: (customerId, purchaseId) => ({
    customerId,
    purchaseId,
    kind: 'repair',
    item: { itemType: 'kulelager', serialNumber: `SN-${word}-001` },
    description: `${word}lager skurrer når det er kaldt. `.repeat(90),
  }),
  texts: [
    `Ringte ${word}bestefar, han venter.`,
    `${word}notatet er langt. `.repeat(120),
    `${word}begrunnelsen står i et brev.`,
  ],
  sourceKey: `${word}-4711`,
  rectified: { name: `${word}hild Ny-${word}stad`, street: `${word}bakken 3` },
});

/** What to look for: the word however it stands, and the numbers as they are kept. */
export const marksOf = ([word, phone, organisationNumber]: Marks): string[] => [
  word,
  `${word}åmund`,
  phone,
  `47${phone}`,
  `${phone.slice(0, 3)} ${phone.slice(3, 5)} ${phone.slice(5)}`,
  organisationNumber,
  organisationNumber.replace(/(...)(?!$)/g, '$1 '),
];
