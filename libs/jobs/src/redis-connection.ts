import { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from './redis-address.js';

/**
 * A client that connects when it is told to, and then for as often as it takes: BullMQ asks for that, so that workers wait
 * for as long as Redis is away.
 */
export const redisAt = (address: RedisAddress): Redis | Cluster => {
  const { credentials, tls } = address;
  const options = { ...credentials, ...(tls && { tls }), maxRetriesPerRequest: null, lazyConnect: true };
  switch (address.kind) {
    case 'server':
      return new Redis({ ...address.at, db: address.database, ...options });
    case 'sentinel':
      return new Redis({ ...options, ...sentinelOptions(address), db: address.database });
    case 'cluster':
      return new Cluster([...address.seeds], {
        lazyConnect: true,
        redisOptions: options,
        // Certificates are for names; ioredis would look up the address of each and connect to that.
        ...(tls && { dnsLookup: (name, done) => done(null, name) }),
      });
  }
};

const sentinelOptions = ({
  sentinels,
  group,
  sentinelCredentials: { username, password },
  tls,
}: RedisAddress & { readonly kind: 'sentinel' }) => ({
  name: group,
  sentinels: sentinels.map((sentinel) => ({ ...sentinel })),
  ...(username === undefined ? {} : { sentinelUsername: username }),
  ...(password === undefined ? {} : { sentinelPassword: password }),
  // Without the flag the primary itself would be spoken to in clear, its password too.
  ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
});
