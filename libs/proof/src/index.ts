export { readValues } from './values/given-values.js';
export { ValueFindings, type ValueFinding } from './values/value-findings.js';
export { readAll, type ReadingResult, type Unread } from './reading/reading.js';
