/** A success. */
export interface Answer<Body> {
  readonly body: Body;
  readonly status: number;
  /** Log position of what a command wrote: give it as `after` to a read that must see it. */
  readonly position: string | undefined;
  /** Revision of what was read or written: give it as `ifMatch` to the change that is based on it. */
  readonly etag: string | undefined;
  /** This key was answered before; nothing was written now. */
  readonly replayed: boolean;
  /** Names the request in the logs of the API. */
  readonly requestId: string | undefined;
  readonly headers: Headers;
}

export const answerOf = <Body>({ status, headers }: Response, body: Body): Answer<Body> => ({
  ...{ body, status, headers },
  position: headers.get('makuler-position') ?? undefined,
  etag: headers.get('etag') ?? undefined,
  replayed: headers.get('idempotency-replayed') === 'true',
  requestId: headers.get('makuler-request-id') ?? undefined,
});
