import { readFileSync } from 'node:fs';
import type { EventId, ScopeId } from '#kernel';
import { associatedData, decodeBlock, encodeBlock } from './block.js';

const vector = JSON.parse(
  readFileSync(new URL('../../../test/vectors/ledger/block-1.json', import.meta.url), 'utf8'),
) as {
  at: { eventId: EventId; type: string; stream: string };
  scopeId: ScopeId;
  label: { slot: string; category: string };
  associatedDataHex: string;
  sealedHex: string;
  block: string;
};

describe('the format of a sealed block', () => {
  it('is what it was', () => {
    const aad = associatedData(vector.at, vector.scopeId, vector.label);
    expect(Buffer.from(aad).toString('hex')).toBe(vector.associatedDataHex);
    expect(encodeBlock(vector.label, Buffer.from(vector.sealedHex, 'hex'))).toBe(vector.block);
    const { label, sealed } = decodeBlock(vector.block);
    expect([label, Buffer.from(sealed).toString('hex')]).toEqual([vector.label, vector.sealedHex]);
  });

  it.each(['', 'AA==', 'Agtvd24vY29udGFjdA==', 'AQNvd24AAA=='])('refuses what is none: %s', (text) => {
    expect(() => decodeBlock(text)).toThrow(expect.objectContaining({ code: 'block-tampered' }));
  });
});
