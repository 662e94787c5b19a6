import type grpc from '@grpc/grpc-js';
import { unimplemented } from './protocol/statuses.js';

type Handler = grpc.UntypedServiceImplementation[string];

/** A handler that refuses, in the form that the kind of method needs. */
const refusing = (method: grpc.MethodDefinition<unknown, unknown>, sentence: string): Handler => {
  if (method.responseStream)
    return (call: { emit(event: 'error', error: Error): boolean }) => void call.emit('error', unimplemented(sentence));
  return (_: unknown, callback: (error: Error) => void) => callback(unimplemented(sentence));
};

/** Handlers for methods that the protocol has and this node does not: each answers UNIMPLEMENTED, with the sentence. */
export const notBuilt = (service: grpc.ServiceDefinition, sentence: string): grpc.UntypedServiceImplementation =>
  Object.fromEntries(Object.entries(service).map(([name, method]) => [name, refusing(method, sentence)]));
