import type { FastifyInstance } from 'fastify';
import { MakulerError } from '#kernel';

/** Objects and lists in one another at most; our deepest form needs six. Forms are checked recursively: a deeper body would end the stack. */
const DEEPEST = 32;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set(Buffer.from('{['));
const CLOSING = new Set(Buffer.from('}]'));

/**
 * Takes a JSON object in UTF-8 and nothing else, in place of Fastify's own parser, which would take any charset and store broken
 * UTF-8 as replacement characters. Another media type or charset is 415 `unsupported-media-type`.
 */
export const takeJsonOnly = (fastify: FastifyInstance): void => {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    try {
      assertUtf8Named(request.headers['content-type']);
      assertShallow(bytes);
      void parse(request, assertObject(textOf(bytes)), done);
    } catch (error) {
      done(error as MakulerError);
    }
  });
};

const assertUtf8Named = (contentType = ''): void => {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1];
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw new MakulerError('unsupported-media-type');
};

const textOf = (bytes: Buffer): string => {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw new MakulerError('invalid-input', { detail: 'The body is not well-formed UTF-8.' });
  }
};

/** Every form is an object; of a list the pipe would make a list of forms, in which nothing is where the handler looks. */
const assertObject = (text: string): string => {
  if (text !== '' && !/^[ \t\r\n]*\{/.test(text))
    throw new MakulerError('invalid-input', { detail: 'The body is not a JSON object.' });
  return text;
};

/** Counts brackets outside of strings: enough for JSON, and what is no JSON fails later. */
const assertShallow = (bytes: Buffer): void => {
  let [depth, quoted] = [0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (quoted && byte === BACKSLASH) at++;
    else if (byte === QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (CLOSING.has(byte)) depth--;
    else if (OPENING.has(byte) && ++depth > DEEPEST)
      throw new MakulerError('invalid-input', { detail: `The body is nested more than ${DEEPEST} levels deep.` });
  }
};
