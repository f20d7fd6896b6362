// The client of the inbox: an offline cache, the shared queue, authentication, and banners on a socket.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { offlineExchange } from '@urql/exchange-graphcache';
import { createClient } from 'graphql-ws';
import { Queue, type Session } from 'landfall-session';
import { authenticated } from 'landfall-urql/authenticated';
import { isOffline, queued } from 'landfall-urql/queue';
import { makeStorage } from 'landfall-urql/storage';

import { cacheOptions } from './cache.js';

export interface InboxApp {
  client: Client;
  queue: Queue;
  /** The device says that it has a connection again. */
  online(): void;
  stop(): Promise<void>;
}

export function makeClient(session: Session): InboxApp {
  const queue = new Queue(session);
  const storage = makeStorage(session, queue);
  const socket = createClient({
    url: session.url.replace(/^http/, 'ws'),
    lazy: true,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    connectionParams: async () => ({ accessToken: await session.token() }),
  });
  const client = new Client({
    url: session.url,
    fetch: (url, init) => authenticated(session, session.userId)(url, init),
    preferGetMethod: false,
    exchanges: [
      offlineExchange({ ...cacheOptions, storage, isOfflineError: isOffline }),
      queued(queue, session, (userId) => authenticated(session, userId)),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink as never),
          }),
        }),
      }),
    ],
  });
  return {
    client,
    queue,
    online() {
      queue.flush();
      storage.online();
    },
    async stop() {
      queue.stop();
      await socket.dispose();
    },
  };
}
