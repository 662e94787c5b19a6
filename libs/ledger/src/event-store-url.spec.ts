import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidSetting } from '#kernel';
import { EventStoreDb } from './event-store-db.js';
import { parseEventStoreUrl } from './event-store-url.js';

const directory = mkdtempSync(join(tmpdir(), 'makuler-event-store-url-'));
const pem = join(directory, 'ca.crt');
writeFileSync(pem, '');
afterAll(() => rmSync(directory, { recursive: true }));

const CA = encodeURIComponent(pem);

describe('the address of the event store', () => {
  it.each([
    ['esdb://localhost'],
    ['esdb://127.0.0.1:2113?tls=false'],
    ['esdb://admin:ch%40nge%3Ait@kurrentdb:2113'],
    [`esdb://admin:changeit@kurrentdb:2113?tls=true&tlsCAFile=${CA}`],
    [`esdb://admin:changeit@a.example:2113,b.example:2113,c.example?tlsCAFile=${CA}&keepAliveInterval=10000`],
    ['esdb+discover://admin:changeit@events.example:2113?nodePreference=leader&maxDiscoverAttempts=5'],
    [`esdb://localhost?userCertFile=${CA}&userKeyFile=${CA}`],
    ['esdb://localhost?TLS=false&default_deadline=5000'],
  ])('goes to the client as it is: %s', (address) => {
    expect(parseEventStoreUrl(address)).toBe(address);
  });

  it.each([
    ['kurrentdb://admin:x@a:2113', 'esdb://admin:x@a:2113'],
    ['kurrentdb+discover://events.example', 'esdb+discover://events.example'],
    ['esdb://a:2113/?tls=false', 'esdb://a:2113?tls=false'],
  ])('may be written in a newer way: %s', (address, understood) => {
    expect(parseEventStoreUrl(address)).toBe(understood);
  });

  it.each([
    ['another scheme', 'https://makuler:h3mmelig@a:2113'],
    ['no host', 'esdb://makuler:h3mmelig@'],
    ['a port that is none', 'esdb://makuler:h3mmelig@a:65536'],
    ['a colon in the password', 'esdb://makuler:h3mm:elig@a'],
    ['a user without a password', 'esdb://h3mmelig@a'],
    ['a % that stands for nothing', 'esdb://makuler:h3mmelig%@a'],
    ['several names to discover', 'esdb+discover://makuler:h3mmelig@a,b'],
    ['an option that the client would leave out', 'esdb://makuler:h3mmelig@a?tlsCa=/x'],
    ['an option without a value', 'esdb://makuler:h3mmelig@a?tls'],
    ['an option twice', 'esdb://makuler:h3mmelig@a?tls=true&TLS=true'],
    ['a flag that is none', 'esdb://makuler:h3mmelig@a?tls=yes'],
    ['a number that is none', 'esdb://makuler:h3mmelig@a?gossipTimeout=soon'],
    ['certificates that are not checked', 'esdb://makuler:h3mmelig@a?tlsVerifyCert=false'],
    ['a file that is not there', 'esdb://makuler:h3mmelig@a?tlsCAFile=/nowhere/ca.crt'],
    ['half a certificate', `esdb://makuler:h3mmelig@a?userCertFile=${CA}`],
    ['a password that would not be sent', 'esdb://makuler:h3mmelig@a?tls=false'],
    ['a node that is behind', 'esdb://makuler:h3mmelig@a,b,c?nodePreference=follower'],
    ['refused appends that do not throw', 'esdb://makuler:h3mmelig@a?throwOnAppendFailure=false'],
  ])('is refused with %s, and what is said holds nothing of it', (_, address) => {
    const refused = [parseEventStoreUrl, (url: string) => new EventStoreDb(url)].map((read) => {
      try {
        read(address);
      } catch (error) {
        return error as Error;
      }
      return undefined;
    });
    for (const error of refused) {
      expect(error).toBeInstanceOf(InvalidSetting);
      expect(`${error?.stack} ${JSON.stringify(error)}`).not.toMatch(/h3mm|nowhere/);
    }
  });
});
