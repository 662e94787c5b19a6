import type { FastifyReply, FastifyRequest } from 'fastify';
import { Answer } from './answers.js';
import { toCsv } from './csv.js';
import { etagOf } from './etag.js';
import type { Rendered } from './render-opened.js';
import { renderOpened } from './render-opened.js';

interface Page {
  readonly items: readonly unknown[];
  readonly nextCursor: string | null;
}

/** Renders a read's answer as JSON, or a page as CSV for whoever asks for it first, and sets the headers that go with it. */
export const sendAnswer = (answer: unknown, request: FastifyRequest, reply: FastifyReply): Rendered => {
  const options = answer instanceof Answer ? answer.options : {};
  const rendered = renderOpened(answer instanceof Answer ? answer.body : answer);
  if (options.revision !== undefined) void reply.header('etag', etagOf(options.revision));
  if (!isPage(rendered.body) || !wantsCsv(request)) return rendered;
  void reply.header('content-type', 'text/csv; charset=utf-8').header('vary', 'accept');
  if (rendered.body.nextCursor !== null) void reply.header('makuler-next-cursor', rendered.body.nextCursor);
  return { body: toCsv(rendered.body.items, options.columns), revealed: rendered.revealed };
};

const isPage = (body: unknown): body is Page =>
  typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items) && 'nextCursor' in body;

/** By the first type named: browsers and clients that would take CSV among others get JSON. */
const wantsCsv = ({ headers }: FastifyRequest): boolean => /^\s*text\/csv\b/i.test(headers.accept ?? '');
