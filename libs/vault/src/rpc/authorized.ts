import { status } from '@grpc/grpc-js';

/** What the certificate's common name may do. Whoever is not listed for an operation may not do it. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  Hold: ['api', 'projector', 'worker'],
  Mint: ['api', 'projector', 'worker'],
  Open: ['api', 'projector', 'worker'],
  Status: ['api', 'projector', 'worker', 'cli'],
  ScopesOf: ['api', 'worker'],
  ReceiptOf: ['api', 'worker'],
  // Keys are destroyed by durable jobs only, and nobody else closes or opens an owner.
  Fence: ['worker'],
  Release: ['worker'],
  Shred: ['worker'],
  CloseForEver: ['worker'],
  // A seal destroys nothing by itself, so an operator may ask for one through the api; roots are destroyed by a job only,
  // which has asked the clock guard.
  SealEpoch: ['api', 'worker'],
  DestroyRoots: ['worker'],
  Epochs: ['api', 'worker', 'cli'],
  Clearing: ['api', 'worker'],
  // Checkpoints of the log are made by the worker's job, and right before a backup or a seal.
  Standing: ['api', 'worker', 'cli'],
  Witness: ['api', 'worker', 'cli'],
  // What two persons have agreed to is accepted through the api, which knows persons.
  Losses: ['api'],
  AcceptLosses: ['api'],
  Reapplied: ['worker'],
  Recorded: ['worker'],
  Backup: ['worker', 'cli'],
  Restore: ['cli'],
  Mirrors: ['api', 'worker', 'cli'],
  // Through the api, which knows who asks, and that a retirement was approved by somebody else.
  AddMirror: ['api'],
  RetireMirror: ['api'],
  RepairMirror: ['api'],
};

interface Call {
  getPath(): string;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly subject?: { readonly CN?: string | string[] } } } | null;
}

const PROGRAMS = new Set(Object.values(ALLOWED).flat());
const nameOf = (call: Call): unknown => call.getAuthContext()?.sslPeerCertificate?.subject?.CN;

/** The program that the client's certificate is for; `undefined` for none of ours. */
export const callerOf = (call: Call): string | undefined => {
  const name = nameOf(call);
  return typeof name === 'string' && PROGRAMS.has(name) ? name : undefined;
};

/** Throws PERMISSION_DENIED unless the client's certificate is for a program that may call this method. */
export const authorized = (call: Call): void => {
  const name = nameOf(call);
  const method = call.getPath().split('/').at(-1) ?? '';
  if (typeof name !== 'string' || !ALLOWED[method]?.includes(name))
    throw Object.assign(new Error(`not allowed: ${method}`), {
      code: status.PERMISSION_DENIED,
      details: `Not allowed: ${method}.`,
    });
};
