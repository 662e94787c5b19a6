import { errors } from 'jose';
import { Refusal } from '../refusal.js';

/** Refuses a signed file that did not verify, with the reason. Always throws Refusal. */
export const notValid = (file: string, error: unknown): never => {
  const reason = error instanceof errors.JOSEError ? error.code : (error as Error).message;
  throw new Refusal(`${file} is not valid: ${reason}.`, 'Ask whoever gave it to you for the original.');
};
