// Watches a subscription over graphql-ws and prints each event as a line of JSON; goes on through every cut.
//
//   LANDFALL_URL=ws://127.0.0.1:8000/graphql LANDFALL_TOKEN=... node watch.js FIELD DOCUMENT [VARIABLES]
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { follow, patience, told } from './follow.js';

follow(
  createClient({
    url: process.env.LANDFALL_URL,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: patience,
    connectionParams: () => ({ accessToken: process.env.LANDFALL_TOKEN }),
    on: {
      connected: () => told({ socket: 'connected' }),
      closed: (event) => told({ socket: 'closed', code: event.code }),
    },
  }),
);
