import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { contextFor, resolvers } from 'bench-shared/resolvers';
import { settings, typeDefs } from 'bench-shared/settings';

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ req }) => contextFor(req.headers.authorization),
  landingPage: false,
  graphiql: false,
  logging: false,
  cors: false,
  multipart: false,
});

createServer(yoga).listen(settings.port, '127.0.0.1');
