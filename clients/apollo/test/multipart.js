// Apollo Client's own reader of multipart subscriptions, over bytes that a server has sent: what it makes of them,
// cut into pieces as a network may cut them. Reads {contentType, bytes, cuts} from the standard input.
import { text } from 'node:stream/consumers';

import { readMultipartBody } from '../../node_modules/@apollo/client/link/http/parseAndCheckHttpResponse.js';

const { contentType, bytes, cuts } = JSON.parse(await text(process.stdin));
const whole = Buffer.from(bytes, 'base64');

async function read(pieces) {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const payloads = [];
  let error = null;
  try {
    await readMultipartBody(new Response(body, { headers: { 'Content-Type': contentType } }), (next) => payloads.push(next));
  } catch (thrown) {
    error = thrown.message;
  }
  return { payloads, error };
}

function pieces(positions) {
  return [0, ...positions].map((from, at) => whole.subarray(from, positions[at] ?? whole.length));
}

// One line for each different outcome: they should be all the same.
const outcomes = new Set();
for (const positions of cuts) outcomes.add(JSON.stringify(await read(pieces(positions))));
for (const outcome of outcomes) console.log(outcome);
