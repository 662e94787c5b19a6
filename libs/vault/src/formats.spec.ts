import { createDecipheriv } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { OwnerRef, ScopeId } from '#kernel';
import { keyFingerprint, openBytes, sealBytes } from './aead.js';
import { decodeState, encodeState, hashOf } from './keeper/custodian/custodian-format.js';
import type { WrapKind } from './keeper/wrap.js';
import {
  associatedData,
  bucketKeys,
  openScope,
  openTombstone,
  scopeIdentity,
  sealScope,
  sealTombstone,
  unwrap,
  wrap,
} from './keeper/wrap.js';

const DIRECTORY = new URL('../../../test/vectors/vault/', import.meta.url);
const vectors = <T>(name: string): T[] =>
  readdirSync(DIRECTORY)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => JSON.parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as T);
const hex = (text: string) => Buffer.from(text, 'hex');
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The bytes in test/vectors/vault are never changed, only added to: what was sealed years ago must open. */
describe('the frozen formats', () => {
  it.each(vectors<{ key: string; nonce: string; plaintext: string; associatedData: string; block: string }>('block'))(
    'block of %#: opens, and is made the same today',
    ({ key, nonce, plaintext, associatedData, block }) => {
      expect(toHex(openBytes(hex(key), hex(block), hex(associatedData))!)).toBe(plaintext);
      expect(toHex(sealBytes(hex(key), hex(plaintext), hex(associatedData), hex(nonce)))).toBe(block);
    },
  );

  it.each(
    vectors<{ kind: WrapKind; key: string; nonce: string; plaintext: string; place: string[]; wrapped: string }>(
      'wrap',
    ),
  )('wrap of kind $kind', ({ kind, key, nonce, plaintext, place, wrapped }) => {
    expect(toHex(unwrap(kind, hex(key), hex(wrapped), place)!)).toBe(plaintext);
    expect(toHex(wrap(kind, hex(key), hex(plaintext), place, hex(nonce)))).toBe(wrapped);
  });

  it.each(
    vectors<{
      bucketKey: string;
      place: { bucketId: string; generation: number; scopeId: ScopeId };
      record: { owner: OwnerRef; category: string; partition: string; stream: string };
      dataKey: string;
      nonce: string;
      scope: string;
      tombstone: string;
      identity: string;
      fingerprint: string;
    }>('scope'),
  )('scope row of %#', ({ bucketKey, place, record, dataKey, nonce, scope, tombstone, identity, fingerprint }) => {
    const keys = bucketKeys(hex(bucketKey));
    const opened = openScope(keys, place, hex(scope))!;
    expect([toHex(opened.dataKey), opened.record]).toEqual([dataKey, record]);
    expect(openTombstone(keys, place, hex(tombstone))).toEqual(record);
    expect(toHex(sealScope(keys, place, record, hex(dataKey), hex(nonce)))).toBe(scope);
    expect(toHex(sealTombstone(keys, place, record, hex(nonce)))).toBe(tombstone);
    expect(toHex(scopeIdentity(keys, record))).toBe(identity);
    expect(keyFingerprint(hex(dataKey))).toBe(fingerprint);
  });

  it.each(vectors<{ mirror: string; text: string; hash: string }>('custodian'))(
    'custodian state of %#',
    ({ mirror, text, hash }) => {
      const decoded = decodeState(text, 'here');
      expect([decoded.mirror, hashOf(decoded.state)]).toEqual([mirror, hash]);
      expect(encodeState(mirror, decoded.state)).toBe(text);
    },
  );

  it.each(
    vectors<{
      root: string;
      installation: string;
      mirror: string;
      epoch: number;
      epochKey: string;
      wrapped: string;
    }>('token-wrap'),
  )(
    'epoch key under a root on a token of %#, by what the page says alone',
    ({ root, installation, mirror, epoch, epochKey, wrapped }) => {
      const bytes = hex(wrapped);
      const opening = createDecipheriv('aes-256-gcm', hex(root), bytes.subarray(1, 13));
      opening.setAAD(associatedData('epoch-key', [installation, mirror, epoch, 'pkcs11']));
      opening.setAuthTag(bytes.subarray(-16));
      expect(bytes[0]).toBe(2);
      expect(toHex(Buffer.concat([opening.update(bytes.subarray(13, -16)), opening.final()]))).toBe(epochKey);
    },
  );

  it('has vectors of every kind', () => {
    expect(new Set(readdirSync(DIRECTORY).map((file) => file.split('.')[0]))).toEqual(
      new Set(['block', 'wrap', 'scope', 'custodian', 'token-wrap']),
    );
    expect(new Set(vectors<{ kind: string }>('wrap').map(({ kind }) => kind))).toEqual(
      new Set(['epoch-key', 'bucket-key', 'fence']),
    );
  });
});
