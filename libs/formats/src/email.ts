import { domainToASCII } from 'node:url';
import type { Parsed } from './parsed.js';
import { accepted, refused } from './parsed.js';

/** One @, no spaces or controls, no dot at an end or doubled, and a domain of two labels or more (RFC 5321 lengths; RFC 6531 letters). */
const LOCAL = /^[^\s@"(),:;<>[\\\]\p{C}.]+(?:\.[^\s@"(),:;<>[\\\]\p{C}.]+)*$/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * An e-mail address, trimmed and else as entered: the part before the @ may tell capitals apart (RFC 5321 § 2.4). Quoted
 * local parts and addresses on bare hosts or IP numbers are refused: no customer has one.
 */
export const parseEmail = (input: string, path = 'email'): Parsed<string> => {
  const text = input.trim().normalize('NFC');
  const at = text.lastIndexOf('@');
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (
    at < 1 ||
    Buffer.byteLength(local) > 64 ||
    Buffer.byteLength(text) > 254 ||
    !LOCAL.test(local) ||
    !isDomain(domain)
  )
    return refused(path, 'email-shape', 'Give one e-mail address, as in name@example.no.');
  return accepted(text);
};

const isDomain = (domain: string): boolean => {
  // An address in digits or with a port would be mended by domainToASCII; only names go there.
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return false;
  const labels = domainToASCII(domain).split('.');
  return labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
};

/** For comparing only, never for storing: lower case, one Unicode form, the domain in ASCII. */
export const emailLookupForm = (email: string): string => {
  const text = email.trim().normalize('NFKC').toLowerCase();
  const at = text.lastIndexOf('@');
  const domain = at < 0 ? '' : domainToASCII(text.slice(at + 1));
  return domain === '' ? text : `${text.slice(0, at)}@${domain}`;
};
