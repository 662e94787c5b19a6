import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { OwnerRef, ScopeId } from '#kernel';
import { inSpan, isId, MakulerError } from '#kernel';
import type {
  ClearingReply,
  CountedOutcome,
  Keeper,
  LossesReply,
  ReappliedReply,
  LossReport,
  Looked,
  MintReply,
  MintRequest,
  MirrorsReply,
  OpenedKey,
  OpenReply,
  OpenRequest,
  SealReply,
  ShredOrder,
  StandingReply,
  StatusReply,
  WitnessedCheckpoint,
} from '#vault/keeper';
import { toStatus } from '#vault/keeper';
import { backup, restore } from './archive-service.js';
import type { Calls } from './calls.js';
import { methodOf } from './calls.js';
import { hold } from './hold.js';

/** A handler that may throw: who may call it is checked first, and errors go out with their code and nothing else. */
const answering =
  (calls: Calls) =>
  <Request, Reply>(work: (request: Request) => Promise<Reply>) =>
  (call: ServerUnaryCall<Request, Reply>, done: sendUnaryData<Reply>): void => {
    try {
      calls.authorize(call);
    } catch (error) {
      done(error as Error, null);
      return;
    }
    const method = methodOf(call);
    const [parent] = call.metadata.get('traceparent');
    inSpan(
      {
        name: `vault ${method}`,
        kind: 'server',
        attributes: { 'rpc.system': 'grpc', 'rpc.method': method },
        parent: typeof parent === 'string' ? parent : undefined,
      },
      () => calls.run(call, () => work(call.request)),
    ).then(
      (reply) => done(null, reply),
      (error: unknown) => done(toStatus(error), null),
    );
  };

const isOwner = ({ kind, id }: { kind: string; id: string }): boolean =>
  (kind === 'subject' || kind === 'company') && isId(id);

const ownerOf = ({ kind, id }: { kind: string; id: string }): OwnerRef => {
  if (!isOwner({ kind, id })) throw new MakulerError('invalid-input');
  return { kind, id } as OwnerRef;
};

/** Keys go only to a process whose lease stands, and it must still stand when they leave. */
const assertHolder = (keeper: Keeper, holder: string): void => {
  if (!keeper.holders.isLive(holder))
    throw new MakulerError('vault-unavailable', { detail: 'The process holds no lease.' });
};

/** A group that names an owner who is none is refused by itself: the others of the call are those of other people. */
const mint = async (keeper: Keeper, { holder, groups }: MintRequest): Promise<MintReply> => {
  assertHolder(keeper, holder);
  const { incarnation } = keeper;
  const isValid = groups.map(({ requests }) => requests.every(({ owner }) => isOwner(owner)));
  const valid = groups.filter((_, index) => isValid[index]);
  const { outcomes } = await keeper.mint(valid.map(({ requests }) => requests));
  assertHolder(keeper, holder);
  let next = 0;
  return { incarnation, outcomes: isValid.map((is) => (is ? mintOutcome(outcomes[next++]!) : INVALID)) };
};

const mintOutcome = (outcome: CountedOutcome): MintReply['outcomes'][number] => ({
  ...('refused' in outcome ? { refused: outcome.refused.code, keys: [] } : { refused: '', keys: outcome.keys }),
  mintSequence: outcome.mintSequence ?? 0,
});
const INVALID: MintReply['outcomes'][number] = { refused: 'invalid-input', keys: [], mintSequence: 0 };

const openedKey = (looked: Looked): OpenedKey => {
  switch (looked.state) {
    case 'live':
      return looked;
    case 'expired':
    case 'erased':
      return { state: 'shredded' };
    case 'lost':
    case 'unknown':
    case 'damaged':
      return { state: looked.state };
  }
};

const open = async (keeper: Keeper, { holder, scopeIds }: OpenRequest): Promise<OpenReply> => {
  assertHolder(keeper, holder);
  const found = await keeper.lookUp(scopeIds.filter(isId) as ScopeId[]);
  assertHolder(keeper, holder);
  return { keys: scopeIds.map((scopeId) => openedKey(found.get(scopeId as ScopeId) ?? { state: 'unknown' })) };
};

const status = async (keeper: Keeper): Promise<StatusReply> => {
  const { gate, keys, mirrors, installation = '', incarnation = '', epochs = null, ...rest } = await keeper.status();
  return {
    ...rest,
    ...keys,
    mirrors,
    ...{ installation, incarnation },
    gate: gate.state,
    why: 'why' in gate ? gate.why : '',
    wayOut: 'wayOut' in gate ? gate.wayOut : '',
    applied: gate.state === 'reconciled' ? gate.applied : 0,
    epochs,
  };
};

const lossesReply = ({ hash, scopes, missingEvents, doubt }: LossReport): LossesReply => ({
  hash,
  scopes: Object.entries(scopes).map(([stream, count]) => ({ stream, count })),
  missing: missingEvents ?? null,
  doubt: doubt ?? '',
});

/** vault.proto, answered by the keeper. */
export const vaultService = (keeper: Keeper, calls: Calls): UntypedServiceImplementation =>
  methods(keeper, calls, answering(calls));

const methods = (keeper: Keeper, calls: Calls, unary: ReturnType<typeof answering>): UntypedServiceImplementation => ({
  Hold: hold(keeper, calls),
  Mint: unary((request: MintRequest) => mint(keeper, request)),
  Open: unary((request: OpenRequest) => open(keeper, request)),
  Backup: backup(keeper, calls),
  Restore: restore(keeper, calls),
  Status: unary(() => status(keeper)),
  Standing: unary(async (): Promise<StandingReply> => {
    const { checkpoint = null, ...standing } = await keeper.standing();
    return { ...standing, checkpoint };
  }),
  Witness: unary(async (checkpoint: WitnessedCheckpoint) => {
    await keeper.witness(checkpoint);
    return {};
  }),
  ScopesOf: unary(async (owner: OwnerRef) => ({ scopes: await keeper.scopesOf(ownerOf(owner)) })),
  Fence: unary(async ({ orderId, owner, kind, except }: FenceRequest) => {
    assertOrder(orderId, kind);
    await keeper.fence({ orderId, owner: ownerOf(owner), kind, except });
    return {};
  }),
  Release: unary(async ({ owner, orderId }: { owner: OwnerRef; orderId: string }) => {
    await keeper.release(ownerOf(owner), orderId);
    return {};
  }),
  Shred: unary(
    ({ orderId, owner, scopeIds, kind }: { orderId: string; owner: OwnerRef; scopeIds: ScopeId[]; kind: string }) => {
      assertOrder(orderId, kind);
      if (!scopeIds.every(isId)) throw new MakulerError('invalid-input');
      return keeper.shred({ orderId, owner: ownerOf(owner), scopeIds, kind });
    },
  ),
  ReceiptOf: unary(async ({ orderId }: { orderId: string }) => ({
    receipt: (await keeper.receiptOf(orderId)) ?? null,
  })),
  Losses: unary(async () => lossesReply(await keeper.recovery.losses())),
  AcceptLosses: unary(async ({ hash }: { hash: string }) => lossesReply(await keeper.recovery.acceptLosses(hash))),
  Reapplied: unary(async (): Promise<ReappliedReply> => {
    const { reconciliations, owners } = await keeper.recovery.reapplied();
    const counts = (expired: Readonly<Record<string, number>>) =>
      Object.entries(expired).map(([category, count]) => ({ category, count }));
    return { reconciliations, owners: owners.map((one) => ({ ...one, expired: counts(one.expired) })) };
  }),
  Recorded: unary(async ({ reconciliations, owners }: { reconciliations: string[]; owners: OwnerRef[] }) => {
    if (!reconciliations.every((id) => UUID.test(id))) throw new MakulerError('invalid-input');
    await keeper.recovery.recorded({ reconciliations, owners: owners.map(ownerOf) });
    return {};
  }),
  CloseForEver: unary(async ({ owner, orderId }: { owner: OwnerRef; orderId: string }) => {
    if (!UUID.test(orderId)) throw new MakulerError('invalid-input');
    await keeper.closeForEver(ownerOf(owner), orderId);
    return {};
  }),
  SealEpoch: unary(async ({ force, at }: { force: boolean; at: string }): Promise<SealReply> => {
    const { destroyAt = '', ...report } = await keeper.sealEpoch(force, instantOf(at));
    return { ...report, destroyAt };
  }),
  DestroyRoots: unary(async ({ at }: { at: string }) => keeper.destroyRoots(instantOf(at))),
  Mirrors: unary(async (): Promise<MirrorsReply> => {
    const mirrors = await keeper.mirrors();
    return {
      mirrors: mirrors.map(({ id = '', reason = '', message = '', ...mirror }) => ({ ...mirror, id, reason, message })),
    };
  }),
  AddMirror: unary(async ({ place }: { place: string }) => ({ id: await keeper.addMirror(place) })),
  RetireMirror: unary(async ({ id }: { id: string }) => {
    await keeper.retireMirror(id);
    return {};
  }),
  RepairMirror: unary(async ({ id }: { id: string }) => {
    await keeper.repairMirror(id);
    return {};
  }),
  Epochs: unary(() => keeper.epochs()),
  Clearing: unary(async ({ orderId, knownEpoch }: { orderId: string; knownEpoch: number }): Promise<ClearingReply> => {
    if (!UUID.test(orderId)) throw new MakulerError('invalid-input');
    const clearing = await keeper.clearing(orderId, knownEpoch);
    return { clearing: clearing ? { ...clearing, clearedAt: clearing.clearedAt ?? '' } : null };
  }),
});

/** `undefined` of a caller that says nothing of its clock. */
const instantOf = (at: string): Date | undefined => {
  const instant = new Date(at);
  if (at !== '' && Number.isNaN(instant.getTime())) throw new MakulerError('invalid-input');
  return at === '' ? undefined : instant;
};

interface FenceRequest {
  readonly orderId: string;
  readonly owner: OwnerRef;
  readonly kind: string;
  readonly except: readonly { readonly category: string; readonly partition: string }[];
}

function assertOrder(orderId: string, kind: string): asserts kind is ShredOrder['kind'] {
  if (!UUID.test(orderId) || (kind !== 'erasure' && kind !== 'expiry')) throw new MakulerError('invalid-input');
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
