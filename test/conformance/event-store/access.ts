import {
  AccessDeniedError,
  persistentSubscriptionToStreamSettingsFromDefaults as settings,
  UnknownError,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import {
  anEvent,
  clientOf,
  newStream,
  PATHS,
  refusalOf,
  take,
  via,
  type Expectations,
  type Server,
} from './connection.js';

/** Who gets in, and what is refused with a sentence. Only our node: others are configured in other ways. */
export const describeAccess = (server: () => Server, client: () => EventStoreDBClient, { own }: Expectations): void =>
  (own ? describe : describe.skip)('our own node', () => {
    describe('refuses', () => {
      const wrong = { username: 'makuler', password: 'wrong' };
      it.each([
        ['nobody', null],
        ['a wrong password', wrong],
        ['another user', { username: 'admin', password: 'changeit' }],
      ])('%s: to append, to read, to subscribe', async (_, credentials) => {
        const stranger = clientOf(server(), '', credentials);
        expect(await refusalOf(stranger.appendToStream(newStream(), anEvent()))).toBeInstanceOf(AccessDeniedError);
        expect(await refusalOf(take(stranger.readAll()))).toBeInstanceOf(AccessDeniedError);
        expect(await refusalOf(take(stranger.subscribeToAll()))).toBeInstanceOf(AccessDeniedError);
        await stranger.dispose();
      });
      it('a wrong password given with one call', async () =>
        expect(await refusalOf(client().appendToStream(newStream(), anEvent(), { credentials: wrong }))).toBeInstanceOf(
          AccessDeniedError,
        ));
      it('a client that does not trust its certificate', async () => {
        const server_ = { ...server(), connectionString: server().connectionString.replace(/\?.*/, '') };
        const stranger = clientOf(server_, 'keepAliveInterval=-1');
        expect(await refusalOf(stranger.appendToStream(newStream(), anEvent()))).toMatchObject({ code: 14 });
        await stranger.dispose();
      });
    });

    describe('says that it does not do', () => {
      const sentence = async (promise: Promise<unknown>, text: string) => {
        const error = await refusalOf(promise);
        expect(error).toBeInstanceOf(UnknownError);
        expect(error.message).toContain(text);
      };
      let stream: string;
      beforeEach(async () => {
        stream = newStream();
        await client().appendToStream(stream, anEvent());
      });

      it('deleting', () => sentence(client().deleteStream(stream), 'keeps every event'));
      it('tombstones', () => sentence(client().tombstoneStream(stream), 'keeps every event'));
      it('persistent subscriptions', async () => {
        const text = 'no persistent subscriptions';
        await sentence(client().createPersistentSubscriptionToStream(stream, 'g', settings()), text);
        await sentence(client().updatePersistentSubscriptionToStream(stream, 'g', settings()), text);
        await sentence(client().deletePersistentSubscriptionToStream(stream, 'g'), text);
        await sentence(client().listAllPersistentSubscriptions(), text);
        await sentence(client().getPersistentSubscriptionToStreamInfo(stream, 'g'), text);
        await sentence(client().replayParkedMessagesToStream(stream, 'g'), text);
        await sentence(client().restartPersistentSubscriptionSubsystem(), text);
        await sentence(take(client().subscribeToPersistentSubscriptionToStream(stream, 'g')), text);
      });
      it('projections', () => sentence(client().createProjection('p', 'fromAll()'), 'no projections'));
      it('links, and reads as if there were none', async () => {
        await sentence(client().appendToStream(stream, anEvent('$>'), via('Append', server())), 'no links');
        expect(await refusalOf(client().appendToStream(stream, anEvent('$>')))).toBeInstanceOf(UnknownError);
        expect(await take(client().readStream(stream, { resolveLinkTos: true }))).toHaveLength(1);
      });
      it.each([{ maxCount: 1 }, { maxAge: 1 }, { truncateBefore: 1 }, { acl: { readRoles: ['$admins'] } }])(
        'metadata that acts on a stream: %j',
        async (metadata) => {
          await sentence(client().setStreamMetadata(stream, metadata, via('Append', server())), 'not built');
          expect(await refusalOf(client().setStreamMetadata(stream, metadata))).toBeInstanceOf(UnknownError);
          expect(await take(client().readStream(stream))).toHaveLength(1);
        },
      );
    });

    it.each(PATHS)('writes nothing to $all by %s', async (path) => {
      const error = await refusalOf(client().appendToStream('$all', anEvent(), via(path, server())));
      expect(error).toBeInstanceOf(AccessDeniedError);
    });

    it.each([
      ['no name', ''],
      ['a name that is too long', 'x'.repeat(1_025)],
      ['a name with a zero byte', 'x\0y'],
    ])('refuses a stream with %s, and goes on', async (_, name) => {
      for (const path of PATHS)
        expect(await refusalOf(client().appendToStream(name, anEvent(), via(path, server())))).toBeInstanceOf(
          UnknownError,
        );
      expect(await client().appendToStream(newStream(), anEvent())).toMatchObject({ success: true });
    });

    it('takes the longest name', async () => {
      const name = newStream().padEnd(1_024, '∀'.repeat(10)).slice(0, 300).padEnd(400, 'x');
      await client().appendToStream(name, anEvent());
      expect(await take(client().readStream(name))).toHaveLength(1);
    });
  });
