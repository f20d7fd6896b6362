// As watch.js, over graphql-sse: one HTTP answer for each subscription, and no socket anywhere.
//
//   LANDFALL_URL=http://127.0.0.1:8000/graphql LANDFALL_TOKEN=... node sse.js FIELD DOCUMENT [VARIABLES]
//
// For networks whose proxies refuse sockets. A stream is cut when its session or token ends, and when the server
// restarts; `headers` is asked again for each attempt, so that is where a fresh token comes from.
import { createClient } from 'graphql-sse';

import { follow, patience, told } from './follow.js';

follow(
  createClient({
    url: process.env.LANDFALL_URL,
    headers: () => ({ authorization: `Bearer ${process.env.LANDFALL_TOKEN}` }),
    retryAttempts: Infinity,
    retry: patience,
    on: {
      connecting: (again) => again && told({ stream: 'cut' }),
      connected: () => told({ stream: 'connected' }),
    },
  }),
);
