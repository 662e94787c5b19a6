import fc from 'fast-check';
import sodium from 'libsodium-wrappers';
import { NONCE_BYTES, deriveKey, newKey, openBytes, sealBytes } from './aead.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

describe('sealing', () => {
  it('opens to what was sealed, under the same key and associated data', () =>
    fc.assert(
      fc.property(bytes(300), bytes(50), (plaintext, associated) => {
        const key = newKey();
        expect(openBytes(key, sealBytes(key, plaintext, associated), associated)).toEqual(plaintext);
      }),
    ));

  it('opens nothing with one bit of block, key or associated data changed, nor any shorter block', () =>
    fc.assert(
      fc.property(bytes(100), fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(), (plaintext, associated, at) => {
        const key = newKey();
        const block = sealBytes(key, plaintext, associated);
        const flip = (original: Uint8Array) => {
          const changed = original.slice();
          changed[at % changed.length]! ^= 1 << (at % 8);
          return changed;
        };
        expect(openBytes(key, flip(block), associated)).toBeUndefined();
        expect(openBytes(flip(key), block, associated)).toBeUndefined();
        expect(openBytes(key, block, flip(associated))).toBeUndefined();
        expect(openBytes(key, block.subarray(0, at % block.length), associated)).toBeUndefined();
      }),
    ));

  it('opens nothing of which the padding is not what sealing adds, though it authenticates', () => {
    const key = newKey();
    const authenticated = (padded: Uint8Array): Uint8Array => {
      const nonce = new Uint8Array(NONCE_BYTES);
      const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(padded, '', null, nonce, key);
      return new Uint8Array([...nonce, ...sealed]);
    };
    const padded = (length: number, ...bytesAt: [at: number, byte: number][]) => {
      const block = new Uint8Array(length);
      for (const [at, byte] of bytesAt) block[at] = byte;
      return openBytes(key, authenticated(block), new Uint8Array());
    };
    expect(padded(64, [1, 0x80])).toEqual(new Uint8Array(1));
    expect(padded(64, [0, 0x80])).toEqual(new Uint8Array());
    expect(padded(64, [1, 0x01])).toBeUndefined();
    expect(padded(64, [1, 0x80], [5, 0x01])).toBeUndefined();
    expect(padded(64)).toBeUndefined();
    // Sealing never adds more than a block of padding.
    expect(padded(128, [64, 0x80])).toEqual(new Uint8Array(64));
    expect(padded(128, [63, 0x80])).toBeUndefined();
  });

  it('shows of a length only its multiple of 64', () =>
    fc.assert(
      fc.property(fc.nat(500), (length) => {
        const block = sealBytes(newKey(), new Uint8Array(length), new Uint8Array());
        expect(block.length).toBe(24 + 64 * (Math.floor(length / 64) + 1) + 16);
      }),
    ));

  it('never gives the same block twice, and derives keys that differ by use', () => {
    const key = newKey();
    const twice = [1, 2].map(() => Buffer.from(sealBytes(key, new Uint8Array(3), new Uint8Array())).toString('hex'));
    expect(new Set(twice).size).toBe(2);
    expect(deriveKey(key, 1, 'mkbucket')).not.toEqual(deriveKey(key, 2, 'mkbucket'));
  });
});
