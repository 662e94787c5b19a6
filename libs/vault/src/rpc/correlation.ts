import type { Metadata } from '@grpc/grpc-js';
import type { Correlation } from '#kernel';
import { currentCorrelation } from '#kernel';

const NAMES = { requestId: 'makuler-request-id', job: 'makuler-job', jobId: 'makuler-job-id' } as const;
const KEYS = Object.keys(NAMES) as (keyof typeof NAMES)[];
/** Ids of requests and jobs and names of jobs look like this; nothing else is sent or taken. */
const PLAIN = /^[\w.:-]{1,100}$/;

/** Says in the metadata of a call for which request or job it is made, so that the lines of both logs belong together. */
export const correlate = (metadata: Metadata): void => {
  const current = currentCorrelation();
  for (const key of KEYS) if (PLAIN.test(current[key] ?? '')) metadata.set(NAMES[key], current[key]!);
};

/** What the caller has said with `correlate`. */
export const correlationOf = (metadata: Metadata): Correlation => {
  const said = KEYS.map((key) => [key, metadata.get(NAMES[key])[0]] as const);
  return Object.fromEntries(said.filter(([, value]) => typeof value === 'string' && PLAIN.test(value)));
};
