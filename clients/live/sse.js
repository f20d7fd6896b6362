// As watch.js, over graphql-sse: one HTTP answer for each subscription, and no socket anywhere.
//
//   LANDFALL_URL=http://127.0.0.1:8000/graphql LANDFALL_TOKEN=... node sse.js FIELD DOCUMENT [VARIABLES]
//
// For networks whose proxies refuse sockets. A stream is cut when its session or token ends, and when the server
// restarts; `headers` is asked again for each attempt, so that is where a fresh token comes from.
import { createClient } from 'graphql-sse';

const [field, query, given = '{}'] = process.argv.slice(2);
const told = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const client = createClient({
  url: process.env.LANDFALL_URL,
  headers: () => ({ authorization: `Bearer ${process.env.LANDFALL_TOKEN}` }),
  // A phone does not give up; it waits longer and longer, and never long.
  retryAttempts: Infinity,
  retry: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** retries, 500))),
  on: {
    connecting: (again) => again && told({ stream: 'cut' }),
    connected: () => told({ stream: 'connected' }),
  },
});

// It is written anew for each attempt: moving `after` in it resumes the stream where it was cut off.
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

process.stdin.resume().on('end', () => {
  client.dispose();
  process.exit();
});
