// The client: an offline cache, the queue, authentication, and live updates on a socket.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { type CacheExchangeOpts, offlineExchange } from '@urql/exchange-graphcache';
import { createClient } from 'graphql-ws';
import { Queue, type Session } from 'landfall-session';

import { authenticated } from './authenticated.js';
import { isOffline, queued } from './queue.js';
import { makeStorage } from './storage.js';

export interface Landfall {
  client: Client;
  queue: Queue;
  /** The device says that it has a connection again. */
  online(): void;
  stop(): Promise<void>;
}

/** `cacheOptions` is what a program's cache knows of its types, and expects of its mutations. */
export function makeClient(session: Session, cacheOptions: CacheExchangeOpts): Landfall {
  const queue = new Queue(session);
  const storage = makeStorage(session, queue);
  const socket = createClient({
    url: session.url.replace(/^http/, 'ws'),
    lazy: true,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    // Asked for at every connection, so that a reconnect never carries an old token.
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
