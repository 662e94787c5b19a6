import { loadPolicy } from './load-policy.js';
import type { Policy } from './policy.js';

const company = {
  name: 'Mek AS',
  organisationNumber: '974760673',
  address: { street: 'Veien 1', postalCode: '5627', city: 'JONDAL' },
};
const person = { name: 'Kari', phone: '90012345', email: 'kari@mek.no' };
const said = (problems: readonly { path: string; code: string }[]) =>
  problems.map(({ path, code }) => `${path} ${code}`);

describe('the fields of a record', () => {
  let jpi: Policy;
  let webshop: Policy;
  beforeAll(async () => {
    jpi = await loadPolicy('policy/jpi');
    webshop = await loadPolicy('policy/webshop');
  });

  it('S10: are accepted as the statement names them', () => {
    expect(
      jpi.checkFields('customer', {
        relationship: 'customer',
        ...person,
        company: { ...company, invoiceEmail: 'r@mek.no', country: 'NO', legalForm: 'AS' },
      }),
    ).toEqual([]);
    expect(jpi.checkFields('customer', { ...person, companyId: 'id' })).toEqual([]);
    expect(jpi.checkFields('company', company)).toEqual([]);
    expect(
      webshop.checkFields('customer', {
        name: 'Kari',
        email: 'k@b.no',
        address: { street: 'Veien 1', city: 'Oslo', country: 'NO' },
      }),
    ).toEqual([]);
  });
  it('S10: no other personal field is accepted, wherever it stands', () => {
    const problems = jpi.checkFields('customer', {
      ...person,
      birthday: '1980-01-01',
      company: { ...company, chairman: 'Ola', address: { ...company.address, floor: 3 } },
    });
    expect(said(problems)).toEqual([
      'birthday unknown-field',
      'company.address.floor unknown-field',
      'company.chairman unknown-field',
    ]);
    expect(JSON.stringify(problems)).not.toMatch(/Ola|1980/);
  });
  it('a private address is one under JPI’s statement, and none in the web shop', () => {
    const input = { ...person, companyId: 'id', address: { street: 'Veien 1', city: 'Oslo' } };
    expect(said(jpi.checkFields('customer', input))).toEqual(['address unknown-field']);
    expect(webshop.checkFields('customer', input)).toEqual([]);
  });
  it('S11: a customer of JPI has them all, and a company; all that is missing is named at once', () => {
    expect(said(jpi.checkFields('customer', { name: ' ', phone: null }))).toEqual([
      'company required',
      'name required',
      'phone required',
      'email required',
    ]);
    expect(said(jpi.checkFields('customer', { ...person, company: { name: 'Mek AS' } }))).toEqual([
      ...['company.organisationNumber required', 'company.address.street required'],
      ...['company.address.postalCode required', 'company.address.city required'],
    ]);
  });
  it('a lead needs a name alone', () => {
    expect(jpi.checkFields('lead', { name: 'Kari' })).toEqual([]);
    expect(jpi.checkFields('lead', { name: 'Kari', company: { name: 'Mek AS' } })).toEqual([]);
  });
  it('a company in the web shop may be a name; an address that is given is a whole one', () => {
    expect(webshop.checkFields('customer', { name: 'Luís', email: 'l@b.no', company: { name: 'Embraer' } })).toEqual(
      [],
    );
    expect(
      said(webshop.checkFields('customer', { name: 'Luís', email: 'l@b.no', address: { postalCode: '0171' } })),
    ).toEqual(['address.street required', 'address.city required']);
  });
  it('a company is given once', () =>
    expect(
      said(webshop.checkFields('customer', { name: 'L', email: 'l@b.no', company: { name: 'E' }, companyId: 'id' })),
    ).toEqual(['companyId ambiguous']));
  it('in lists are found by their place', () => {
    const line = { kind: 'product', itemType: 'lathe', quantity: '1', unitPrice: '10.00' };
    const purchase = {
      customerId: 'id',
      purchasedAt: '2026-03-10T09:00:00Z',
      currency: 'NOK',
      lines: [line, { ...line, itemType: '', colour: 'red' }],
    };
    expect(said(webshop.checkFields('purchase', purchase))).toEqual([
      'lines[1].colour unknown-field',
      'lines[1].itemType required',
    ]);
    expect(
      said(webshop.checkFields('purchase', { ...purchase, lines: [] })).filter((s) => s.startsWith('lines')),
    ).toEqual(['lines required']);
    expect(
      said(webshop.checkFields('purchase', { ...purchase, lines: [line], invoice: { dueDate: '2026-04-10' } })),
    ).toEqual(['invoice.number required', 'invoice.date required']);
  });
  it('may be left out of a change, but not emptied', () => {
    expect(jpi.checkFields('customer', { phone: '90012345' }, { partial: true })).toEqual([]);
    expect(said(jpi.checkFields('customer', { phone: null }, { partial: true }))).toEqual(['phone required']);
    expect(said(jpi.checkFields('customer', { companyId: null, fax: '1' }, { partial: true }))).toEqual([
      'fax unknown-field',
    ]);
    expect(said(jpi.checkFields('company', { address: { city: '' } }, { partial: true }))).toEqual([
      'address.city required',
    ]);
  });
  it('are those of an object', () => {
    for (const input of [null, 'text', [], 3]) expect(said(jpi.checkFields('lead', input))).toEqual([' not-an-object']);
    expect(said(jpi.checkFields('lead', JSON.parse('{"name":"K","__proto__":{"x":1},"constructor":1}')))).toEqual([
      '__proto__ unknown-field',
      'constructor unknown-field',
    ]);
  });
});
