import { Metadata } from '@grpc/grpc-js';
import { correlated } from '#kernel';
import { correlate, correlationOf } from './correlation.js';

const sent = (...given: Parameters<typeof correlated>[0][]) =>
  given.map((correlation) => {
    const metadata = new Metadata();
    correlated(correlation, () => correlate(metadata));
    return correlationOf(metadata);
  });

describe('the correlation of a call', () => {
  it('comes out as it went in, and is nothing outside of any request or job', () => {
    const ids = [{ requestId: '019a-b' }, { job: 'sweep', jobId: 'repeat:1f:1763' }, {}];
    expect(sent(...ids)).toEqual(ids);
  });

  it('is no way for a text to reach the log', () => {
    expect(sent({ requestId: 'Kari Nordmann' }, { job: 'ø', jobId: 'x'.repeat(101) })).toEqual([{}, {}]);
    const metadata = new Metadata();
    metadata.set('makuler-request-id', 'Kari Nordmann');
    expect(correlationOf(metadata)).toEqual({});
  });
});
