export { analytics } from './analytics.projection.js';
export { prepareAnalytics } from './prepare-analytics.js';
export { AnalyticsModule } from './analytics.module.js';
export { columnsOf, dimensionsOf, GetFigures, type AnalyticsSubject } from './analytics.query.js';
export type { Figure, FiguresWanted } from './figures.js';
