export { holdings } from './holdings.projection.js';
export { Holdings, type AssessedHolding } from './holdings.js';
export { CurrentHoldings } from './current-holdings.js';
export { RetentionModule } from './retention.module.js';
