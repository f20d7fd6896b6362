// The client: authentication, the offline queue, retries, and live updates on a socket or over HTTP.
import { ApolloClient, ApolloLink, HttpLink } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import {
  generatePersistedQueryIdsFromManifest,
  type PersistedQueryManifestForGeneratingPersistedQueryIds as Manifest,
} from '@apollo/persisted-query-lists';
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
  /** What `landfall operations add` was given: then no document is ever sent, not even once. */
  manifest?: Manifest;
  /** False: documents are sent whole, each time. */
  persisted?: boolean;
}

export function makeClient(session: Session, { live = 'socket', manifest, persisted = true }: Options = {}): Landfall {
  // Where only registered documents run, a flush of several is one that nobody has registered.
  const queue = new Queue(session, manifest ? { most: 1 } : {});
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
    ...(persisted ? [named(manifest)] : []),
    new HttpLink({ uri: session.url, fetch: session.fetch }),
  ]);
  const network = ApolloLink.split(
    ({ operationType }) => live === 'socket' && operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    http,
  );
  const client = new ApolloClient({ cache: makeCache(), link: ApolloLink.from([queued(queue, session), network]) });
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

/** Documents go by their hash, queries by GET; whole only where the server does not know them yet. */
function named(manifest: Manifest | undefined): ApolloLink {
  const ids = manifest ? generatePersistedQueryIdsFromManifest({ loadManifest: () => manifest }) : { sha256 };
  return new PersistedQueryLink({ ...ids, useGETForHashedQueries: true });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Sends the token; once more with a new one when the server says that this one has expired. */
function authenticated(session: Session): ApolloLink {
  const header = new SetContextLink(async ({ headers, as }) => {
    const token = await session.tokenFor(as);
    return { headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) } };
  });
  const renew = new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      switchMap((result) =>
        expired(result) ? from(session.renewedFor(operation.getContext().as)).pipe(switchMap(() => forward(operation))) : of(result),
      ),
    ),
  );
  return ApolloLink.from([renew, header]);
}

function expired(result: ApolloLink.Result): boolean {
  return result.errors?.some(({ extensions }) => extensions?.reason === 'TOKEN_EXPIRED') ?? false;
}
