import type { Row } from './bench.js';
import { latenciesOf, quantile, rateOf, Report, slopeOf } from './bench.js';
import { shownNumber, tableLine } from './table.js';

const row: Row = { bench: 'b', what: 'appends', value: 1_234.5, unit: '/s', scale: 1 };

describe('a benchmark’s report', () => {
  it('works out the ratio to another line of the same run, and shows each line as it comes', () => {
    const shown: Row[] = [];
    const report = new Report('b', (line) => shown.push(line));
    report.row('bare', 200, '/s');
    report.row('sealed', 150, '/s', 'bare');
    expect(report.rows).toEqual(shown);
    const sealed = { bench: 'b', what: 'sealed', value: 150, unit: '/s', against: 'bare', ratio: 0.75, scale: 1 };
    expect(shown[1]).toEqual(sealed);
  });

  it('refuses a ratio to a line that is not there', () => {
    expect(() => new Report('b', () => undefined).row('sealed', 1, '/s', 'bare')).toThrow('no line "bare"');
  });
});

describe('what is measured', () => {
  it('is every operation once, never more in flight than asked for', async () => {
    const seen = new Set<number>();
    let [now, most] = [0, 0];
    const { rate, samples } = await latenciesOf(50, 4, async (index) => {
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      seen.add(index);
      now--;
    });
    expect([seen.size, samples.length, most]).toEqual([50, 50, 4]);
    expect(rate).toBeGreaterThan(0);
  });

  it('fails with the operation that fails', async () => {
    const broken = () => Promise.reject(new Error('refused'));
    await expect(rateOf(10, 2, broken)).rejects.toThrow('refused');
  });

  it('gives the value below which a share of the samples lies', () => {
    const samples = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([quantile(samples, 0.5), quantile(samples, 0.99), quantile([7], 0.99)]).toEqual([51, 100, 7]);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('finds how much something grows, whatever it wavers', () => {
    const points = Array.from({ length: 100 }, (_, x) => [x, 50 + 2 * x + (x % 2 ? 3 : -3)] as const);
    const { slope, mean } = slopeOf(points);
    expect(slope).toBeCloseTo(2, 1);
    expect(mean).toBeCloseTo(149, 0);
    expect(slopeOf([[0, 5], [1, 5], [2, 5]]).slope).toBe(0); // prettier-ignore
  });
});

describe('the table', () => {
  it('shows what says something of a number', () => {
    expect([0.00792, 1.376, 99.95, 1_234.5, 986_521, -250.4].map(shownNumber)).toEqual([
      ...['0.00792', '1.38', '100', '1,235', '986,521', '-250'],
    ]);
  });

  it('sets a line beside the same line of an earlier run, and beside no other', () => {
    expect(tableLine(row, [])).not.toContain('earlier');
    const earlier = [
      { ...row, bench: 'another', value: 1 },
      { ...row, scale: 0.1, value: 1 },
      { ...row, value: 2_469 },
    ];
    expect(tableLine({ ...row, against: 'bare', ratio: 0.5 }, earlier)).toMatch(
      /^appends +1,235 \/s {2}0\.50 × bare {2}\(earlier: 2,469, now 0\.50 ×\)$/,
    );
  });
});
