// Relay's environment for Landfall: a network that names its documents, a queue, and live updates on a socket.
import { createClient } from 'graphql-ws';
import { answered, isTransient, Queue, type Queued, type Session, TryAgain } from 'landfall-session';
import {
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  type RequestParameters,
  Store,
  type Variables,
} from 'relay-runtime';

export interface Landfall {
  environment: Environment;
  queue: Queue;
  stop(): Promise<void>;
}

export function makeClient(session: Session): Landfall {
  const queue = new Queue(session.store);
  const socket = createClient({
    url: session.url.replace(/^http/, 'ws'),
    lazy: true,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    // Asked for at every connection, so that a reconnect never carries an old token.
    connectionParams: async () => ({ accessToken: await session.token() }),
  });
  const network = Network.create(
    (request, variables) =>
      request.operationKind === 'mutation'
        ? queue.run({ name: request.name, variables: variables as Queued['variables'] }, () => post(session, request, variables))
        : post(session, request, variables),
    (request, variables) =>
      Observable.create((sink) =>
        // The socket's protocol wants a `query`, be it empty.
        socket.subscribe({ query: '', variables, extensions: { documentId: request.id } }, sink as never),
      ),
  );
  const store = new Store(new RecordSource(), { gcReleaseBufferSize: 20 });
  const environment = new Environment({ network, store, missingFieldHandlers: [found] });
  return {
    environment,
    queue,
    async stop() {
      queue.stop();
      await socket.dispose();
    },
  };
}

/** `post(id:)`, `chat(id:)` and the like: what the store has need not be asked for. */
const found = {
  kind: 'linked',
  handle: (field: { name: string }, parent: { getType(): string } | null, args: { id?: unknown }) =>
    parent?.getType() === '__Root' && ['node', 'post', 'chat', 'product', 'user'].includes(field.name) && args.id
      ? String(args.id)
      : undefined,
} as never;

/** The document is known to the server by its hash; once more with a new token when it has expired. */
async function post(session: Session, request: RequestParameters, variables: Variables): Promise<GraphQLResponse> {
  const answer = await send(session, request, variables, await session.token().catch(offline));
  const expired = answer.errors?.some(({ extensions }: any) => extensions?.reason === 'TOKEN_EXPIRED');
  const last = expired ? await send(session, request, variables, await session.renewed().catch(offline)) : answer;
  answered(last.errors);
  return last as GraphQLResponse;
}

async function send(session: Session, request: RequestParameters, variables: Variables, token: string | null): Promise<any> {
  const response = await session
    .fetch(session.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ documentId: request.id, variables }),
    })
    .catch(offline);
  if (isTransient(response.status)) throw new TryAgain();
  return response.json().catch(offline);
}

function offline(error: unknown): never {
  throw error instanceof TypeError ? new TryAgain() : error;
}
