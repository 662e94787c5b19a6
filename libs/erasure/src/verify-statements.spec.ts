import { readFile } from 'node:fs/promises';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JSONWebKeySet } from 'jose';
import { newId } from '#kernel';
import { certificateHash } from './certificate.js';
import { contradictions, verifyStatement } from './verify-statements.js';

interface Vector {
  readonly jwks: JSONWebKeySet;
  readonly erasureId: string;
  readonly certificateVersion1: string;
  readonly certificate: string;
  readonly certificateHash: string;
  readonly laterCertificate: string;
  readonly attestation: string;
}

describe('statements about an erasure', () => {
  const erasureId = newId();
  const liveErasedAt = '2026-06-01T12:00:00.000Z';
  let privateKey: CryptoKey;
  let keys: JSONWebKeySet;

  beforeAll(async () => {
    const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    privateKey = pair.privateKey;
    keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'EdDSA' }] };
  });

  const signed = (kind: 'certificate' | 'attestation', claims: object) =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: `makuler-erasure-${kind}+jws` })
      .sign(privateKey);
  const certificate = (more: object = {}) =>
    signed('certificate', {
      ...{ version: 2, edition: 1, supersedes: null, reason: null, erasureId, liveErasedAt },
      ...{ backupsClearedBy: '2026-07-02T12:00:00.000Z', ...more },
    });
  const attestation = (about: string, more: object = {}) =>
    signed('attestation', { version: 1, erasureId, certificate: certificateHash(about), ...more });
  const problemsOf = async (...statements: readonly string[]) =>
    contradictions(await Promise.all(statements.map((statement) => verifyStatement(statement, keys))));

  it('belong together when the attestation names the hash of the certificate', async () => {
    const one = await certificate();
    expect(await problemsOf(one, await attestation(`${one}\n`))).toEqual([]);
    expect(await problemsOf(one)).toEqual([]);
    expect(await problemsOf(await attestation(one))).toEqual([]);
    const another = await certificate({ issuedAt: 'later' });
    expect(await problemsOf(another, await attestation(one))).toEqual([expect.stringContaining('another certificate')]);
  });

  it('of which a later one takes the place of the one that is attested do not', async () => {
    const first = await certificate();
    const after = { edition: 2, supersedes: certificateHash(first), reason: 'seal-late' };
    const second = await certificate({ ...after, backupsClearedBy: '2026-07-03T12:00:00.000Z' });
    expect(await problemsOf(first, second, await attestation(second))).toEqual([]);
    expect(await problemsOf(first, second, await attestation(first))).toEqual([
      expect.stringContaining('took the place'),
    ]);
  });

  it('never name an earlier date later, nor another erasure', async () => {
    const first = await certificate();
    const after = { edition: 2, supersedes: certificateHash(first), reason: 'seal-late' };
    expect(
      await problemsOf(first, await certificate({ ...after, backupsClearedBy: '2026-07-01T00:00:00.000Z' })),
    ).toEqual([expect.stringContaining('an earlier date')]);
    expect(await problemsOf(first, await certificate({ ...after, backupsClearedBy: null }))).toEqual([]);
    const other = { ...after, backupsClearedBy: null, liveErasedAt: '2026-06-02T00:00:00.000Z' };
    expect(await problemsOf(first, await certificate(other))).toEqual([expect.stringContaining('something else')]);
  });

  it('that were signed long ago still verify, and still belong together', async () => {
    const vector = JSON.parse(await readFile('test/vectors/erasure/statements.1.json', 'utf8')) as Vector;
    const read = (statement: string) => verifyStatement(statement, vector.jwks);
    const [old, first, second, attested] = await Promise.all(
      [vector.certificateVersion1, vector.certificate, vector.laterCertificate, vector.attestation].map(read),
    );
    expect(old).toMatchObject({ claims: { version: 1, erasureId: vector.erasureId, backupsClearedBy: null } });
    expect(first).toMatchObject({ hash: vector.certificateHash, claims: { version: 2, edition: 1 } });
    expect(second).toMatchObject({ claims: { edition: 2, supersedes: vector.certificateHash, reason: 'seal-late' } });
    expect(attested).toMatchObject({ kind: 'attestation', claims: { epoch: 7, mirrors: 2 } });
    expect(contradictions([old!, first!, second!, attested!])).toEqual([]);
  });

  it('are refused when one letter is another, under another key, of another kind or of a newer version', async () => {
    const one = await certificate();
    const [header, payload, signature] = one.split('.');
    const other = Buffer.from(JSON.stringify({ version: 2, erasureId })).toString('base64url');
    await expect(verifyStatement([header, other, signature].join('.'), keys)).rejects.toThrow();
    await expect(verifyStatement([header, payload, signature].join('.'), { keys: [] })).rejects.toThrow();
    await expect(verifyStatement(await signed('certificate', { version: 3 }), keys)).rejects.toThrow('newer version');
    await expect(verifyStatement(await signed('attestation', { version: 2 }), keys)).rejects.toThrow('newer version');
    await expect(verifyStatement('not signed at all', keys)).rejects.toThrow();
  });
});
