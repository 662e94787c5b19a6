import { Installation } from '../journeys/installation.js';
import type { Bench } from './bench.js';
import { quantile, timed } from './bench.js';

const LATER_STARTS = 3;

/** From the command to its ready line: keys, certificates, databases and tables are made once. */
export const startUp: Bench = {
  name: 'start-up',
  about: 'makuler up until it is ready: the first time, and later; and its end',
  async run(report) {
    const installation = await Installation.create();
    try {
      report.row('first start', await timed(() => installation.start()), 'ms');
      const [stops, starts]: number[][] = [[], []];
      for (let n = 0; n < LATER_STARTS; n++) {
        stops!.push(await timed(() => installation.stop()));
        starts!.push(await timed(() => installation.start()));
      }
      report.row('later start', quantile(starts!, 0.5), 'ms', 'first start');
      report.row('end, on SIGTERM', quantile(stops!, 0.5), 'ms');
    } finally {
      await installation.destroy();
    }
  },
};
