// The client: authentication, the offline queue, retries, and live updates on a socket or over HTTP.
import { ApolloClient, ApolloLink, HttpLink } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { Queue, type Session } from 'landfall-session';
import { from, of, switchMap } from 'rxjs';

import { perform } from './actions.js';
import { makeCache } from './cache.js';
import { queued } from './queue.js';

export interface Landfall {
  client: ApolloClient;
  queue: Queue;
  /** Perform again what was not answered before the program ended, in its order. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface Options {
  /** `socket`: graphql-transport-ws; `http`: Apollo's multipart protocol, where sockets are blocked. */
  live?: 'socket' | 'http';
}

export function makeClient(session: Session, { live = 'socket' }: Options = {}): Landfall {
  const queue = new Queue(session.store);
  const left = queue.saved();
  const socket = createClient({
    url: session.url.replace(/^http/, 'ws'),
    lazy: true,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    // Asked for at every connection, so that a reconnect never carries an old token.
    connectionParams: async () => ({ accessToken: await session.token() }),
  });
  const http = ApolloLink.from([
    new RetryLink({ attempts: { max: 3, retryIf: (_, { operationType }) => operationType === OperationTypeNode.QUERY } }),
    authenticated(session),
    new HttpLink({ uri: session.url, fetch: session.fetch }),
  ]);
  const network = ApolloLink.split(
    ({ operationType }) => live === 'socket' && operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    http,
  );
  const client = new ApolloClient({ cache: makeCache(), link: ApolloLink.from([queued(queue), network]) });
  return {
    client,
    queue,
    async resume() {
      await Promise.all(left.map(({ name, variables }) => perform(client, name, variables.input)));
    },
    async stop() {
      queue.stop();
      client.stop();
      await socket.dispose();
    },
  };
}

/** Sends the token; once more with a new one when the server says that this one has expired. */
function authenticated(session: Session): ApolloLink {
  const header = new SetContextLink(async ({ headers }) => {
    const token = await session.token();
    return { headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) } };
  });
  const renew = new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      switchMap((result) =>
        expired(result) ? from(session.renewed()).pipe(switchMap(() => forward(operation))) : of(result),
      ),
    ),
  );
  return ApolloLink.from([renew, header]);
}

function expired(result: ApolloLink.Result): boolean {
  return result.errors?.some(({ extensions }) => extensions?.reason === 'TOKEN_EXPIRED') ?? false;
}
