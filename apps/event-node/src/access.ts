import { createHash, timingSafeEqual } from 'node:crypto';
import grpc from '@grpc/grpc-js';

/** The one user of the node. */
export const USER = 'makuler';

/** The client calls these before it sends any credentials. They tell nothing about the log. */
const ANONYMOUS = [
  '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
  '/event_store.client.gossip.Gossip/Read',
];

// Hashes have one length, so comparing them takes the same time for every wrong password, however long.
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Lets a call through with the node's user and password (HTTP Basic, RFC 7617), and ends it with UNAUTHENTICATED otherwise. */
export const authenticating = (password: string): grpc.ServerInterceptor => {
  const wanted = digest(`Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`);
  return (method, call) =>
    new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, proceed) {
            const sent = digest(String(metadata.get('authorization')[0] ?? ''));
            // The password stays out of what handlers see, and so out of whatever they might report.
            metadata.remove('authorization');
            if (timingSafeEqual(sent, wanted) || ANONYMOUS.includes(method.path)) proceed(metadata);
            else
              call.sendStatus({ code: grpc.status.UNAUTHENTICATED, details: 'User or password is wrong, or missing.' });
          },
        }),
    });
};
