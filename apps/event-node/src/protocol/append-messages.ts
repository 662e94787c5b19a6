import { bytesFieldSize, eachField, varintSize, WireError, WireWriter } from './wire.js';

/** An event as it came, not yet checked: what is missing is `undefined`. */
export interface Proposal {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

export interface AppendOptions {
  /** The bytes of the StreamIdentifier message, echoed as they are. */
  readonly identifier: Buffer;
  /** Bytes of the name. */
  readonly stream: Buffer;
  readonly expected: bigint | 'any' | 'no_stream' | 'stream_exists' | undefined;
  /** Milliseconds left when the message was read; `undefined` when no deadline was sent. */
  readonly remainingMs: number | undefined;
}

/** A message of `Streams.Append`: the options first, then one event each. */
export interface AppendPart {
  readonly options: AppendOptions | undefined;
  readonly proposals: readonly Proposal[];
}

/** A message of `Streams.BatchAppend`: parts of several appends may come in turn. */
export interface BatchAppendPart extends AppendPart {
  /** The bytes of the UUID message: names the append, echoed as they are. */
  readonly correlation: Buffer;
  readonly isFinal: boolean;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** AppendReq of streams.proto. */
export const decodeAppendPart = (message: Buffer): AppendPart => {
  let options: AppendOptions | undefined;
  const proposals: Proposal[] = [];
  eachField(message, (field, bytes) => {
    if (field === 1) options = decodeOptions(bytes);
    else if (field === 2) proposals.push(decodeProposal(bytes));
  });
  return { options, proposals };
};

/** BatchAppendReq of streams.proto. */
export const decodeBatchAppendPart = (message: Buffer): BatchAppendPart => {
  let [correlation, isFinal] = [NOTHING, false];
  let options: AppendOptions | undefined;
  const proposals: Proposal[] = [];
  eachField(message, (field, bytes, value) => {
    if (field === 1) correlation = bytes;
    else if (field === 2) options = decodeOptions(bytes);
    else if (field === 3) proposals.push(decodeProposal(bytes));
    else if (field === 4) isFinal = value !== 0n;
  });
  return { correlation, options, proposals, isFinal };
};

/** The options of both messages: the first five fields are the same, Append has no deadline in them. */
const decodeOptions = (message: Buffer): AppendOptions => {
  let [identifier, stream] = [NOTHING, NOTHING];
  let expected: AppendOptions['expected'];
  let remainingMs: number | undefined;
  eachField(message, (field, bytes, value) => {
    if (field === 1) {
      identifier = bytes;
      eachField(bytes, (inner, name) => {
        if (inner === 3) stream = name;
      });
    } else if (field === 2) expected = value;
    else if (field === 3) expected = 'no_stream';
    else if (field === 4) expected = 'any';
    else if (field === 5) expected = 'stream_exists';
    // The instant by the client's clock (6.2.1 sends this one), or the time that is left (newer clients).
    else if (field === 6) remainingMs = decodeMilliseconds(bytes) - Date.now();
    else if (field === 9) remainingMs = decodeMilliseconds(bytes);
  });
  return { identifier, stream, expected, remainingMs };
};

/** google.protobuf.Timestamp and Duration: seconds and nanoseconds. */
const decodeMilliseconds = (message: Buffer): number => {
  let milliseconds = 0;
  eachField(message, (field, _, value) => {
    const signed = Number(BigInt.asIntN(64, value));
    if (field === 1) milliseconds += signed * 1_000;
    else if (field === 2) milliseconds += signed / 1_000_000;
  });
  return milliseconds;
};

const decodeProposal = (message: Buffer): Proposal => {
  let id: string | undefined;
  let [data, metadata] = [NOTHING, NOTHING];
  const properties = new Map<string, string>();
  eachField(message, (field, bytes) => {
    if (field === 1) id = decodeUuid(bytes);
    else if (field === 2) {
      let [key, value] = ['', ''];
      eachField(bytes, (inner, text) => {
        if (inner === 1) key = text.toString('utf8');
        else if (inner === 2) value = text.toString('utf8');
      });
      properties.set(key, value);
    } else if (field === 3) metadata = bytes;
    else if (field === 4) data = bytes;
  });
  return { id, type: properties.get('type'), contentType: properties.get('content-type'), data, metadata };
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Lower-case text of a UUID in either form, `undefined` when it is none. */
const decodeUuid = (message: Buffer): string | undefined => {
  let text: string | undefined;
  eachField(message, (field, bytes) => {
    if (field === 1) text = uuidOfHalves(bytes);
    else if (field === 2) text = bytes.toString('latin1').toLowerCase();
  });
  return text !== undefined && UUID.test(text) ? text : undefined;
};

const uuidOfHalves = (message: Buffer): string => {
  const halves = [0n, 0n];
  eachField(message, (field, _, value) => {
    if (field === 1 || field === 2) halves[field - 1] = value;
    else throw new WireError('A UUID has two halves.');
  });
  const hex = halves.map((half) => half.toString(16).padStart(16, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** The successful BatchAppendResp; `revision` -1 stands for a stream that is still absent. */
export const encodeBatchSuccess = (
  correlation: Buffer,
  identifier: Buffer,
  revision: number,
  position: number,
): Buffer => {
  const revisionSize = revision < 0 ? 2 : 1 + varintSize(revision);
  const positionSize = 2 * (1 + varintSize(position));
  const successSize = revisionSize + bytesFieldSize(positionSize);
  const out = new WireWriter(
    bytesFieldSize(correlation.length) + bytesFieldSize(successSize) + bytesFieldSize(identifier.length),
  );
  out.bytes(1, correlation);
  out.open(3, successSize);
  if (revision < 0) out.open(2, 0);
  else out.number(1, revision);
  out.open(3, positionSize);
  out.number(1, position);
  out.number(2, position);
  out.bytes(4, identifier);
  return out.buffer;
};
