import type { Socket } from 'node:net';
import { MakulerError, newId } from '#kernel';
import { HTTP_STATUS } from '../http-status.js';
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.js';
import { SAFE_HEADERS } from './safe-headers.js';

/** Until the connection is gone whatever the client does; at once would take the answer from whoever is still sending. */
const LINGER_MS = 2_000;

/**
 * Answers what is not even HTTP (a bad request line, headers without end) or doesn't arrive in time with a problem as well, and hangs up. Node hands
 * over the bare socket: there is no request, so nothing of it can be repeated.
 */
export const refuseBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new MakulerError('request-timeout')
      : new MakulerError(error.code === 'HPE_HEADER_OVERFLOW' ? 'payload-too-large' : 'invalid-input', {
          detail: 'The request is not well-formed HTTP.',
        });
  const requestId = newId();
  const body = JSON.stringify(problemOf(refusal, requestId));
  const status = HTTP_STATUS[refusal.code];
  const headers = {
    ...SAFE_HEADERS,
    'makuler-request-id': requestId,
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
};
