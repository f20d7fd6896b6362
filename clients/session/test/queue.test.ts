import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { act, type Answer, mint, Queue, SignedOut } from '../src/index.js';
import { Device, until } from '../src/testing.js';

const ERRORS = 'errors { kind code message retryable retryAfterSeconds }';
const POST = `mutation Post($input: CreatePostInput!) { createPost(input: $input) { ...Made ${ERRORS} } }
  fragment Made on CreatePostPayload { post { id text author { name } } }`;
const COMMENT = `mutation Comment($input: CreateCommentInput!) { createComment(input: $input) { comment { id } ${ERRORS} } }`;
const MARK = `mutation Mark($input: SetReactionInput!) { setReaction(input: $input) { subject { ... on Post { reactionSummary { count } } } ${ERRORS} } }`;
const UPLOAD = `mutation Upload($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } ${ERRORS} } }`;
const TEXTS = `query($id: ID!) { user(id: $id) { posts(first: 50) { edges { node { id text } } } } }`;

/** Real timers would wait for minutes: here they pass two hundred times faster, on the server as well. */
const quick = { after: (wait: number, call: () => void) => setTimeout(call, wait / 200) };

const queues: Queue[] = [];
afterEach(() => queues.splice(0).forEach((queue) => queue.stop()));

function queueOf(device: Device, options = {}): Queue {
  const queue = new Queue(device.session, options);
  queues.push(queue);
  return queue;
}

async function phone(person: number): Promise<Device> {
  const device = new Device();
  await device.signIn(person);
  return device;
}

/** Queued as a client does it. */
function perform(device: Device, queue: Queue, query: string, input: object): Promise<Answer> {
  const entry = { name: 'Act', query, variables: { input: act(input) } };
  return queue.run(entry, () => device.session.post({ query, variables: entry.variables }));
}

async function texts(device: Device): Promise<string[]> {
  const { data } = await device.session.post({ query: TEXTS, variables: { id: device.session.userId } });
  return data!.user.posts.edges.map(({ node }: any) => node.text).reverse();
}

const codes = ({ data }: Answer): string[] => Object.values(data!).flatMap(({ errors }: any) => errors.map(({ code }: any) => code));

function flushes(device: Device): number[] {
  const bodies = device.network.sent.map(({ body }) => JSON.parse(body).query as string);
  return bodies.filter((query) => query.startsWith('mutation Flush')).map((query) => query.match(/act_\d+:/g)!.length);
}

test('forty acts of a tunnel were forty requests: they are one', async () => {
  const ada = await phone(0);
  const queue = queueOf(ada);
  const id = mint('post');
  await perform(ada, queue, POST, { id, text: 'Before the tunnel' });
  ada.network.online = false;
  const made = Array.from({ length: 40 }, (_, number) =>
    perform(ada, queue, COMMENT, { id: mint('comment'), postId: id, text: `Said ${number}` }),
  );
  await until(() => queue.length === 40, 'the queue');
  ada.network.online = true;
  const before = ada.network.requests;
  queue.flush();
  const answers = await Promise.all(made);
  assert.deepEqual(answers.flatMap(codes), []);
  assert.equal(answers[7]!.data!.createComment.comment.id.startsWith('comment_'), true);
  // The first was tried alone when there was no connection, and is tried alone no more.
  assert.deepEqual([ada.network.requests - before, flushes(ada)], [1, [40]]);
  const asked = `query($id: ID!) { post(id: $id) { comments(first: 50) { edges { node { text } } } } }`;
  const { data } = await ada.session.post({ query: asked, variables: { id } });
  const said = data!.post.comments.edges.map(({ node }: any) => node.text).sort();
  assert.deepEqual(said, Array.from({ length: 40 }, (_, number) => `Said ${number}`).sort());
});

test('of forty posts made offline thirty landed: all do, with what is said on them', async () => {
  const ada = await phone(1);
  const queue = queueOf(ada, quick);
  ada.network.online = false;
  const wanted = Array.from({ length: 40 }, (_, number) => `Post ${String(number).padStart(2, '0')}`);
  const done = wanted.flatMap((text) => {
    const id = mint('post');
    return [
      perform(ada, queue, POST, { id, text }),
      perform(ada, queue, COMMENT, { id: mint('comment'), postId: id, text: 'First' }),
    ];
  });
  ada.network.online = true;
  queue.flush();
  assert.deepEqual((await Promise.all(done)).flatMap(codes), []);
  assert.deepEqual(await texts(ada), wanted);
  assert.equal(queue.length, 0);
});

test('what one account queued was sent as the next: it waits for its owner', async () => {
  const ada = await phone(2);
  const queue = queueOf(ada);
  ada.network.online = false;
  void perform(ada, queue, POST, { id: mint('post'), text: 'By the first' }).catch(() => undefined);
  void perform(ada, queue, POST, { id: mint('post'), text: 'By the first, too' }).catch(() => undefined);
  await until(() => queue.length === 2, 'the queue');
  const first = ada.session.userId;
  await ada.session.signOut();
  queue.stop();

  ada.network.online = true;
  await ada.signIn(3);
  const next = queueOf(ada);
  assert.deepEqual([next.length, next.saved()], [0, []]);
  await perform(ada, next, POST, { id: mint('post'), text: 'By the second' });
  next.flush();
  assert.deepEqual(await texts(ada), ['By the second']);
  await ada.session.signOut();
  next.stop();

  await ada.signIn(2);
  assert.equal(ada.session.userId, first);
  const again = queueOf(ada);
  assert.equal(again.length, 2);
  again.flush();
  await until(() => again.length === 0, 'the landing');
  assert.deepEqual(await texts(ada), ['By the first', 'By the first, too']);
});

test('what is under way when another signs in is not sent with their token', async () => {
  const device = await phone(2);
  const before = device.session.post({ query: '{ viewer { user { id } } }' }).catch((error: unknown) => error);
  await device.session.signOut();
  await device.signIn(3);
  const owner = device.session.userId;
  await assert.rejects(device.session.post({ query: '{ __typename }' }, 'user_of_before'), SignedOut);
  const answer = await before;
  assert.ok(answer instanceof SignedOut || (answer as Answer).data!.viewer.user.id !== owner);
});

test('what another act must cure is kept, and stops nothing but what names it', async () => {
  const ada = await phone(3);
  const queue = queueOf(ada);
  const upload = mint('upload');
  const file = { id: upload, purpose: 'POST_MEDIA', fileName: 'a.jpg', mimeType: 'image/jpeg', sizeBytes: 100 };
  await perform(ada, queue, UPLOAD, file);
  const waiting = mint('post');
  // A post may be made before its files have come; what is said on it waits with it.
  await perform(ada, queue, POST, { id: waiting, text: 'With a picture', uploadIds: [upload] });
  ada.network.online = false;
  const comment = mint('comment');
  void perform(ada, queue, COMMENT, { id: comment, postId: waiting, text: 'Soon' }).catch(() => undefined);
  void perform(ada, queue, MARK, { subjectId: comment, kind: 'LIKE' }).catch(() => undefined);
  const free = perform(ada, queue, POST, { id: mint('post'), text: 'Needs nothing' });
  ada.network.online = true;
  queue.flush();
  assert.deepEqual(codes(await free), []);
  await until(() => queue.length === 2, 'what is left');
  assert.deepEqual(queue.saved().map(({ variables }) => variables.input.id ?? null), [comment, null]);
  queue.discard();
  assert.equal(queue.length, 0);
});

test('what is refused for good is handed over and stops nothing, after a restart too', async () => {
  const ada = await phone(0);
  const queue = queueOf(ada);
  ada.network.online = false;
  const gone = mint('post');
  void perform(ada, queue, COMMENT, { id: mint('comment'), postId: gone, text: 'To nobody' }).catch(() => undefined);
  void perform(ada, queue, POST, { id: mint('post'), text: 'After a refusal' }).catch(() => undefined);
  void perform(ada, queue, 'mutation Old($input: OldInput!) { old(input: $input) { errors { code } } }', {}).catch(() => undefined);
  void perform(ada, queue, POST, { id: mint('post'), text: 'After what nobody can read' }).catch(() => undefined);
  await until(() => queue.length === 4, 'the queue');
  queue.stop();

  ada.network.online = true;
  const restarted = queueOf(ada);
  const told: string[][] = [];
  restarted.onRefused((_, errors) => told.push(errors.map(({ code }) => code)));
  restarted.flush();
  await until(() => restarted.length === 0, 'the landing');
  assert.deepEqual(told.map(([code]) => code), ['NOT_FOUND', 'BAD_USER_INPUT']);
  assert.deepEqual((await texts(ada)).slice(-2), ['After a refusal', 'After what nobody can read']);
});

test('two tabs of one browser wrote over each other\'s list: nothing is lost, and nothing sent by both', async () => {
  const ada = await phone(0);
  ada.network.online = false;
  const [one, two] = [queueOf(ada), queueOf(ada)];
  const wanted = ['In the first tab', 'In the second tab', 'In the first tab again'];
  for (const [number, queue] of [one, two, one].entries()) {
    void perform(ada, queue, POST, { id: mint('post'), text: wanted[number] }).catch(() => undefined);
  }
  const kept = (queue: Queue): unknown[] => queue.saved().map(({ variables }) => (variables.input as any).text);
  assert.deepEqual([kept(one), kept(two), one.length, two.length], [wanted, wanted, 2, 1]);
  one.stop();
  two.stop();

  // The browser is started again, with two tabs that find all of it.
  const [first, second] = [queueOf(ada), queueOf(ada)];
  assert.deepEqual([first.length, second.length], [3, 3]);
  ada.network.online = true;
  first.flush();
  await until(() => first.length === 0, 'the landing');
  assert.deepEqual((await texts(ada)).slice(-3), wanted);
  const before = ada.network.requests;
  assert.deepEqual(codes(await perform(ada, second, POST, { id: mint('post'), text: 'Later' })), []);
  assert.deepEqual([second.length, kept(second), ada.network.requests - before], [0, [], 1]);
  assert.equal((await texts(ada)).at(-1), 'Later');
});

test('a server that names a time is not asked before', async () => {
  const ada = await phone(0);
  const waits: number[] = [];
  const queue = queueOf(ada, { after: (wait: number, call: () => void) => (waits.push(wait), setTimeout(call, 200)) });
  ada.network.instead = new Response('busy', { status: 503, headers: { 'Retry-After': '7' } });
  const done = perform(ada, queue, POST, { id: mint('post'), text: 'Patience' });
  await until(() => waits.length === 1, 'the wait');
  const before = ada.network.requests;
  queue.flush();
  assert.deepEqual([waits, ada.network.requests], [[7000], before]);
  assert.deepEqual(codes(await done), []);
});

test('signing out ends the session on the server, as soon as there is a connection', async () => {
  const ada = await phone(0);
  const token = (await ada.session.token())!;
  const alive = async (): Promise<boolean> => {
    const response = await fetch(ada.session.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ viewer { user { id } } }' }),
    });
    return ((await response.json()) as Answer).data?.viewer != null;
  };
  assert.equal(await alive(), true);
  ada.network.online = false;
  await ada.session.signOut();
  assert.deepEqual([ada.session.userId, await alive()], [null, true]);
  ada.network.online = true;
  queueOf(ada).flush();
  let ended = false;
  await until(() => (void alive().then((still) => (ended = !still)), ended), 'the end of the session');
});
