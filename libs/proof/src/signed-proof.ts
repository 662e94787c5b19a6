import type { JSONWebKeySet } from 'jose';
import type { SigningKeys } from '#signing';
import { sign, verify } from '#signing';
import type { ProofReport } from './report.js';

const TYPE = 'makuler-proof+jws';

/** The report under the installation's own key: JWS (compact), Ed25519. Throws `database-unavailable`. */
export const signProof = (report: ProofReport, keys: SigningKeys): Promise<string> =>
  sign(TYPE, JSON.stringify(report), keys);

/** The report that was signed. Throws when none of the published keys has signed it, or not as a report. */
export const verifyProof = async (jws: string, keys: JSONWebKeySet): Promise<ProofReport> =>
  JSON.parse(await verify(TYPE, jws.trim(), keys)) as ProofReport;
