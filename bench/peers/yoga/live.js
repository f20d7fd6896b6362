// Subscriptions on graphql-yoga with graphql-ws, as the documentation of both shows it: what `bench/live.py`
// measures Landfall beside. Writers publish on Redis; each process hands their events to its subscribers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga, filter, pipe } from 'graphql-yoga';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';
import { unauthenticated, viewerOf } from 'bench-shared/access';
import { settings } from 'bench-shared/settings';

const typeDefs = readFileSync(new URL('./live.graphql', import.meta.url), 'utf8');
const pubSub = createPubSub();
const redis = await createClient({ url: settings.redisUrl }).connect();
await redis.subscribe('bench:post', (message) => {
  const event = JSON.parse(message);
  pubSub.publish('post', event.postId, event);
});

const resolvers = {
  PostEvent: { __resolveType: (event) => event.type },
  Subscription: {
    postEvents: {
      // Who and the author are hidden from each other is asked of each subscriber, as in Landfall; here the
      // writer sends it along.
      subscribe: (_, { postId }, { viewer }) =>
        pipe(
          pubSub.subscribe('post', postId),
          filter((event) => !event.hiddenFrom.includes(viewer.userId)),
        ),
      resolve: (event) => event,
    },
  },
  Query: { ready: () => true },
};

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ viewer }) => ({ viewer }),
  landingPage: false,
  graphiql: false,
  logging: false,
  cors: false,
});

const server = createServer(yoga);
useServer(
  {
    execute: (args) => args.execute(args),
    subscribe: (args) => args.subscribe(args),
    onConnect: async ({ connectionParams, extra }) => {
      extra.viewer = await viewerOf(`Bearer ${connectionParams?.accessToken}`);
      if (extra.viewer === null) throw unauthenticated();
    },
    onSubscribe: async (ctx, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...ctx,
        viewer: ctx.extra.viewer,
        req: ctx.extra.request,
        socket: ctx.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        execute,
        subscribe,
      };
      const errors = validate(args.schema, args.document);
      return errors.length ? errors : args;
    },
  },
  new WebSocketServer({ server, path: '/graphql' }),
);
server.listen(settings.port, '127.0.0.1', 4096);
