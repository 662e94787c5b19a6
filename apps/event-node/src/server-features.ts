import type grpc from '@grpc/grpc-js';
import persistent from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type shared from '@eventstore/db-client/generated/shared_pb.js';

/** The server whose behaviour was measured and is followed here. The client's feature switches read it as year.month.patch. */
const COMPATIBLE_VERSION = '24.6.0';

const STREAMS = 'event_store.client.streams.streams';
const PERSISTENT = 'event_store.client.persistent_subscriptions.persistentsubscriptions';

const supported = (service: string, method: string, words: string[]): features.SupportedMethod => {
  const entry = new features.SupportedMethod();
  entry.setServiceName(service);
  entry.setMethodName(method.toLowerCase());
  entry.setFeaturesList(words);
  return entry;
};

/** What the client asks first. It chooses BatchAppend because it stands here. */
export const supportedMethods = (): features.SupportedMethods => {
  const methods = new features.SupportedMethods();
  methods.setEventStoreServerVersion(COMPATIBLE_VERSION);
  methods.setMethodsList([
    supported(STREAMS, 'read', ['position', 'events']),
    supported(STREAMS, 'append', []),
    supported(STREAMS, 'batchappend', ['deadline_duration']),
    // Not built, and named all the same: for what is missing here the client turns to HTTP/1.1 on this port and gets no answer at all.
    ...Object.keys(persistent.PersistentSubscriptionsService).map((name) =>
      supported(PERSISTENT, name, ['stream', 'all']),
    ),
  ]);
  return methods;
};

/** The handler of `ServerFeatures.GetSupportedMethods`. */
export const getSupportedMethods: grpc.handleUnaryCall<shared.Empty, features.SupportedMethods> = (_, callback) =>
  callback(null, supportedMethods());
