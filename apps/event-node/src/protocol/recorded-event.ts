import type { StoredEvent } from '../store/event.js';
import { bytesFieldSize, varintSize, WireWriter } from './wire.js';

const UUID_LENGTH = 36;
/** `UUID { string string = 2 }`, the form that the client asks for and real servers send. */
const UUID_SIZE = bytesFieldSize(UUID_LENGTH);
const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';

/** Size of an entry of the metadata map: a nested message with the key in field 1 and the value in field 2. */
const entrySize = (key: string, valueLength: number): number =>
  bytesFieldSize(key.length) + bytesFieldSize(valueLength);

// Live events go to every subscriber, and encoding is most of what a delivery costs: done once, kept as long as the event.
const encoded = new WeakMap<StoredEvent, Buffer>();

/** `ReadResp { event: ReadEvent { event: RecordedEvent, commit_position } }` of streams.proto. */
export const encodeReadEvent = (event: StoredEvent): Buffer => {
  const known = encoded.get(event);
  if (known) return known;
  const message = encode(event);
  encoded.set(event, message);
  return message;
};

const encode = (event: StoredEvent): Buffer => {
  const stream = Buffer.from(event.stream);
  const type = Buffer.from(event.type);
  const contentType = event.json ? JSON_TYPE : BYTES_TYPE;
  // .NET ticks of 100 ns, but since the Unix epoch.
  const created = `${event.created}0000`;
  const identifierSize = bytesFieldSize(stream.length);
  const typeSize = entrySize('type', type.length);
  const contentTypeSize = entrySize('content-type', contentType.length);
  const createdSize = entrySize('created', created.length);
  const positionSize = 1 + varintSize(event.position);
  const recordSize =
    bytesFieldSize(UUID_SIZE) +
    bytesFieldSize(identifierSize) +
    (1 + varintSize(event.revision)) +
    2 * positionSize +
    bytesFieldSize(typeSize) +
    bytesFieldSize(contentTypeSize) +
    bytesFieldSize(createdSize) +
    bytesFieldSize(event.metadata.length) +
    bytesFieldSize(event.data.length);
  const readEventSize = bytesFieldSize(recordSize) + positionSize;

  const out = new WireWriter(bytesFieldSize(readEventSize), { kept: true });
  out.open(1, readEventSize); // ReadResp.event
  out.open(1, recordSize); // ReadEvent.event
  out.open(1, UUID_SIZE); // RecordedEvent.id
  out.ascii(2, event.id);
  out.open(2, identifierSize); // stream_identifier
  out.bytes(3, stream);
  out.number(3, event.revision);
  out.number(4, event.position); // prepare_position
  out.number(5, event.position); // commit_position
  out.open(6, typeSize); // metadata
  out.ascii(1, 'type');
  out.bytes(2, type);
  out.open(6, contentTypeSize);
  out.ascii(1, 'content-type');
  out.ascii(2, contentType);
  out.open(6, createdSize);
  out.ascii(1, 'created');
  out.ascii(2, created);
  out.bytes(7, event.metadata);
  out.bytes(8, event.data);
  out.number(3, event.position); // ReadEvent.commit_position
  return out.buffer;
};
