// Relay's environment for Landfall: a network that names its documents, a queue, and live updates on a socket.
import { createClient } from 'graphql-ws';
import { type Answer, Queue, type Queued, type Session } from 'landfall-session';
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
  const queue = new Queue(session);
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
        ? (queue.run(entry(request, variables), () => post(session, request, variables)) as Promise<GraphQLResponse>)
        : (post(session, request, variables) as Promise<GraphQLResponse>),
    (request, variables) =>
      Observable.create((sink) =>
        // The socket's protocol wants a `query`, be it empty.
        socket.subscribe({ query: '', variables, extensions: { documentId: request.id } }, sink as never),
      ),
  );
  const store = new Store(new RecordSource(), { gcReleaseBufferSize: 20 });
  const environment = new Environment({ network, store, getDataID: idOf, missingFieldHandlers: [found] });
  return {
    environment,
    queue,
    async stop() {
      queue.stop();
      await socket.dispose();
    },
  };
}

/** What the store keeps a thing under. A tombstone has the id of the node it is of, and is not that node. */
function idOf({ id }: { id?: unknown }, typename: string): string | null {
  return typename === 'DeletedNode' || typeof id !== 'string' ? null : id;
}

/** `post(id:)`, `chat(id:)` and the like: what the store has need not be asked for. */
const found = {
  kind: 'linked',
  handle: (field: { name: string }, parent: { getType(): string } | null, args: { id?: unknown }) =>
    parent?.getType() === '__Root' && ['node', 'post', 'chat', 'product', 'user'].includes(field.name) && args.id
      ? String(args.id)
      : undefined,
} as never;

/** With its text, which a flush of several is made of. */
function entry({ name, text }: RequestParameters, variables: Variables): Queued {
  return { name, query: text, variables: { input: variables.input } };
}

/** By itself, a document is known to the server by its hash. */
function post(session: Session, request: RequestParameters, variables: Variables): Promise<Answer> {
  return session.post({ documentId: request.id, variables });
}
