import './node20.js';
import { createServer } from 'node:http';
import { makeGrafastSchema } from 'grafast';
import { grafserv } from 'grafserv/node';
import { viewerOf } from 'bench-shared/access';
import { settings, typeDefs } from 'bench-shared/settings';
import { objects, scalars } from './plans.js';

const serv = grafserv({
  schema: makeGrafastSchema({ typeDefs, objects, scalars }),
  preset: {
    grafast: {
      async context({ node: { req } }) {
        return { viewer: await viewerOf(req.headers.authorization) };
      },
    },
    grafserv: {
      graphiql: false,
      // The answer is written as text at once, never made as objects.
      outputDataAsString: true,
    },
  },
});

const server = createServer();
await serv.addTo(server);
server.listen(settings.port, '127.0.0.1');
