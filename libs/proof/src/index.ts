export { readValues, ValueTooShort } from './values/given-values.js';
export { prove, type ProofRequest } from './proof.js';
export { type ProofReport } from './report.js';
export { reportLines } from './report-lines.js';
export { signProof, verifyProof } from './signed-proof.js';
export { searchValues, type ValueSearch } from './search.js';
