import type { Socket } from 'node:net';
import { MakulerError, newId } from '#kernel';
import { HTTP_STATUS } from '../http-status.js';
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.js';

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
  const body = JSON.stringify(problemOf(refusal, newId()));
  const status = HTTP_STATUS[refusal.code];
  const head = `HTTP/1.1 ${status} Refused\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  socket.end(`${head}connection: close\r\n\r\n${body}`);
};
