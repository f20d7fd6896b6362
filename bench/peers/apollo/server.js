import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { contextFor, resolvers } from 'bench-shared/resolvers';
import { settings, typeDefs } from 'bench-shared/settings';

const server = new ApolloServer({
  typeDefs,
  resolvers,
  introspection: false,
  csrfPrevention: false,
  plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginCacheControlDisabled()],
});

await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: settings.port },
  context: ({ req }) => contextFor(req.headers.authorization),
});
