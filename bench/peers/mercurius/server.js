import Fastify from 'fastify';
import mercurius from 'mercurius';
import { contextFor, resolvers } from 'bench-shared/resolvers';
import { settings, typeDefs } from 'bench-shared/settings';

const app = Fastify({ logger: false });

await app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  context: (request) => contextFor(request.headers.authorization),
  // Compile an operation when it is seen for the first time.
  jit: 1,
  graphiql: false,
});

await app.listen({ host: '127.0.0.1', port: settings.port });
