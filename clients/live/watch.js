// Watches a subscription over graphql-ws and prints each event as a line of JSON; goes on through every cut.
//
//   LANDFALL_URL=ws://127.0.0.1:8000/graphql LANDFALL_TOKEN=... node watch.js FIELD DOCUMENT [VARIABLES]
//
// What makes it lossless: `after` is the `eventId` of the last event, so that a connection made anew begins there.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [field, query, given = '{}'] = process.argv.slice(2);
const told = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const client = createClient({
  url: process.env.LANDFALL_URL,
  webSocketImpl: WebSocket,
  lazy: false,
  // A phone does not give up; it waits longer and longer, and never long.
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** retries, 500))),
  connectionParams: () => ({ accessToken: process.env.LANDFALL_TOKEN }),
  on: {
    connected: () => told({ socket: 'connected' }),
    closed: (event) => told({ socket: 'closed', code: event.code }),
  },
});

// The same object is sent again when the socket is opened again: moving `after` in it resumes the stream.
const payload = { query, variables: JSON.parse(given) };

client.subscribe(payload, {
  next({ data, errors }) {
    if (errors) return told({ errors });
    payload.variables.after = data[field].eventId;
    told(data[field]);
  },
  error: (error) => {
    told({ failed: String(error?.message ?? error) });
    process.exitCode = 1;
  },
  complete: () => told({ complete: true }),
});

process.stdin.resume().on('end', async () => {
  await client.dispose();
  process.exit();
});
