import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { until } from 'landfall-session/testing';

import { DeltaQueryDocument } from '../src/generated/graphql.js';
import { act, catchUp, follow, followChanges, mint, operations, perform } from '../src/index.js';
import { Phone } from './phone.js';

let ada: Phone;
let grace: Phone;

before(async () => {
  ada = await Phone.of(0);
  grace = await Phone.of(1);
});
after(async () => {
  await ada.app.stop();
  await grace.app.stop();
});

const post = (text: string) => act({ id: mint('post'), text, visibility: 'PUBLIC' as const });

async function published(phone: Phone, text: string): Promise<string> {
  const input = post(text);
  assert.deepEqual(await perform(phone.client, 'CreatePost', input), []);
  return input.id;
}

test('relayStylePagination joins pages without a gap or a repetition', async () => {
  for (let number = 0; number < 12; number += 1) await published(ada, `Paged ${number}`);
  const options = { query: operations.Feed, variables: { first: 5 } };
  await ada.client.query({ ...options, fetchPolicy: 'network-only' });
  const watched = ada.client.watchQuery(options);
  const page = () => ada.client.cache.readQuery(options)!.viewer!.feed;
  while (page().pageInfo.hasNextPage) {
    await watched.fetchMore({ variables: { after: page().pageInfo.endCursor } });
  }
  const texts = page().edges.map(({ node }) => node.text);
  assert.deepEqual(
    texts.filter((text) => text?.startsWith('Paged')),
    Array.from({ length: 12 }, (_, number) => `Paged ${11 - number}`),
  );
});

test('relayStylePagination joins pages of a chat, read backwards', async () => {
  const id = mint('chat');
  const opened = await ada.client.mutate({ mutation: operations.CreateChat, variables: { input: act({ id, userId: grace.session.userId! }) } });
  assert.deepEqual(opened.data!.createChat!.errors, []);
  for (let number = 0; number < 12; number += 1) {
    const said = { id: mint('message'), chatId: id, text: `Said ${number}`, sentAt: new Date().toISOString() };
    assert.deepEqual(await perform(ada.client, 'SendMessage', act(said)), []);
  }
  const options = { query: operations.ChatThread, variables: { id, last: 5 } };
  await grace.client.query(options);
  const watched = grace.client.watchQuery(options);
  const page = () => grace.client.cache.readQuery(options)!.chat!.messages;
  while (page().pageInfo.hasPreviousPage) {
    await watched.fetchMore({ variables: { before: page().pageInfo.startCursor } });
  }
  assert.deepEqual(page().edges.map(({ node }) => node.text), Array.from({ length: 12 }, (_, number) => `Said ${number}`));
});

test('relayStylePagination joins pages of the catalog', async () => {
  const options = { query: operations.Products, variables: { query: 'glycinate', first: 5 } };
  await ada.client.query(options);
  const watched = ada.client.watchQuery(options);
  const page = () => ada.client.cache.readQuery(options)!.searchProducts;
  while (page().pageInfo.hasNextPage) await watched.fetchMore({ variables: { after: page().pageInfo.endCursor } });
  const ids = page().edges.map(({ node }) => node.id);
  assert.deepEqual([new Set(ids).size, ids.length], [page().totalCount, page().totalCount]);
  assert.ok(ids.length >= 12);
});

test('a reaction shows at once and is confirmed without another request', async () => {
  const id = await published(ada, 'React to this');
  await ada.client.query({ query: operations.PostWithComments, variables: { id } });
  const seen: (string | null | undefined)[] = [];
  const watching = ada.client
    .watchQuery({ query: operations.PostWithComments, variables: { id }, fetchPolicy: 'cache-only' })
    .subscribe(({ data }) => seen.push(data?.post?.reactionSummary?.viewerReaction));
  const before = ada.network.requests;
  const done = perform(ada.client, 'SetReaction', act({ subjectId: id, kind: 'LOVE' as const }));
  await until(() => seen.includes('LOVE'), 'the optimistic reaction');
  assert.equal(ada.network.requests - before, 0);
  assert.deepEqual(await done, []);
  const summary = ada.cached(`Post:${id}`).reactionSummary;
  assert.deepEqual([summary.count, summary.love, seen.at(-1)], [1, 1, 'LOVE']);
  assert.equal(ada.network.requests - before, 1);
  watching.unsubscribe();
});

test('what the server refuses is rolled back', async () => {
  const id = await published(grace, 'Soon gone');
  await ada.client.query({ query: operations.PostWithComments, variables: { id } });
  assert.deepEqual(await perform(grace.client, 'DeletePost', act({ postId: id })), []);
  const reaction = () => ada.cached(`Post:${id}`).reactionSummary;
  const done = perform(ada.client, 'SetReaction', act({ subjectId: id, kind: 'LIKE' as const }));
  await until(() => reaction().count === 1, 'the optimistic reaction');
  const [refusal] = await done;
  assert.deepEqual([refusal!.code, reaction().count], ['NOT_FOUND', 0]);
});

test('a queue that survives a restart lands once, in order, past a refusal', async () => {
  const phone = await Phone.of(0);
  await phone.feed();
  const gone = await published(grace, 'Gone before the queue lands');
  await phone.client.query({ query: operations.PostWithComments, variables: { id: gone } });
  await perform(grace.client, 'DeletePost', act({ postId: gone }));

  phone.network.online = false;
  const first = post('Written on a plane');
  void perform(phone.client, 'CreatePost', first);
  void perform(phone.client, 'CreateComment', act({ id: mint('comment'), postId: first.id, text: 'and commented' }));
  void perform(phone.client, 'SetReaction', act({ subjectId: gone, kind: 'LIKE' as const }));
  void perform(phone.client, 'CreatePost', post('Written after that'));
  await until(() => phone.app.queue.length === 4, 'the queue');

  await phone.restart();
  await phone.client.query({ query: operations.Me }).catch(() => undefined);
  const landing = phone.app.resume();
  await until(() => phone.app.queue.length === 4, 'the queue after the restart');
  // The first answer is lost, so that the server is asked again.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.queue.flush();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  phone.app.queue.flush();
  await landing;

  assert.equal(phone.app.queue.saved().length, 0);
  const texts = (await phone.feed()).filter((text) => text.startsWith('Written'));
  assert.deepEqual(texts, ['Written after that', 'Written on a plane']);
  const { data } = await phone.client.query({ query: operations.PostWithComments, variables: { id: first.id }, fetchPolicy: 'network-only' });
  assert.deepEqual(data!.post!.comments.edges.map(({ node }) => node.text), ['and commented']);
  await phone.app.stop();
});

for (const live of ['socket', 'http'] as const) {
  test(`an open post is live over ${live}`, async () => {
    const phone = await Phone.of(1, { live });
    const id = await published(ada, `Live over ${live}`);
    await phone.client.query({ query: operations.PostWithComments, variables: { id } });
    const events: string[] = [];
    const stop = follow(phone.client, id, { onEvent: (event) => events.push(event.__typename) });
    // A stream says nothing when it begins: cause events until the first one comes.
    for (let tries = 0; tries < 40 && !events.length; tries += 1) {
      await perform(ada.client, 'CreateComment', act({ id: mint('comment'), postId: id, text: 'Live' }));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(events[0], 'CommentCreated');
    const { post } = phone.client.cache.readQuery({ query: operations.PostWithComments, variables: { id } })!;
    assert.equal(post!.comments.edges.at(-1)!.node.text, 'Live');
    stop();
    await phone.app.stop();
  });
}

test('what changed while away comes with one question', async () => {
  const phone = await Phone.of(0);
  await catchUp(phone.client, phone.store);
  const kept = await published(ada, 'Kept');
  const gone = await published(ada, 'Not kept');
  assert.ok((await catchUp(phone.client, phone.store)).changed >= 2);
  assert.ok(phone.cached(`Post:${gone}`));
  await perform(ada.client, 'DeletePost', act({ postId: gone }));
  assert.equal((await catchUp(phone.client, phone.store)).deleted, 1);
  assert.deepEqual([phone.cached(`Post:${kept}`)?.text, phone.cached(`Post:${gone}`)], ['Kept', undefined]);
  await phone.app.stop();
});

test('the delta document brings every kind of entity, each whole', async () => {
  const phone = await Phone.of(0);
  const id = await published(ada, 'Whole');
  assert.deepEqual(await perform(ada.client, 'CreateComment', act({ id: mint('comment'), postId: id, text: 'As well' })), []);
  const types = new Set<string>();
  let since: any = null;
  for (let more = true; more;) {
    const answer = await phone.client.query({ query: DeltaQueryDocument, variables: { since }, fetchPolicy: 'network-only' });
    const { nodes, token, hasMore } = answer.data!.viewer!.changes;
    nodes.forEach(({ __typename }) => types.add(__typename));
    [since, more] = [token, hasMore];
  }
  for (const type of ['Chat', 'Comment', 'Follow', 'Message', 'Post', 'Session', 'User'] as const) assert.ok(types.has(type), type);
  // In the cache `status` is the post's own; only the answer has it under its alias.
  const { status, pinned, reactionSummary } = phone.cached(`Post:${id}`);
  assert.deepEqual([status, pinned, reactionSummary.count], ['PUBLISHED', false, 0]);
  await phone.app.stop();
});

test('changes are live, and deletions name their type', async () => {
  const phone = await Phone.of(0);
  await catchUp(phone.client, phone.store);
  const types: string[] = [];
  const stop = followChanges(phone.client, phone.store, (type) => types.push(type));
  const id = await published(ada, 'Live everywhere');
  await until(() => phone.cached(`Post:${id}`)?.text === 'Live everywhere', 'the post');
  assert.ok(types.includes('Post'));
  assert.deepEqual(await perform(ada.client, 'DeletePost', act({ postId: id })), []);
  await until(() => phone.cached(`Post:${id}`) === undefined, 'the deletion');
  stop();
  await phone.app.stop();
});

test('an expired access token is renewed and the operation goes on', async () => {
  const phone = await Phone.of(0);
  const saved = JSON.parse(phone.store.getItem('landfall.session')!);
  saved.tokens.accessTokenExpiresAt = new Date(Date.now() + 5_000).toISOString();
  phone.store.setItem('landfall.session', JSON.stringify(saved));
  const results = await Promise.all([phone.feed(), phone.feed(), phone.feed()]);
  assert.equal(results.length, 3);
  assert.notEqual(JSON.parse(phone.store.getItem('landfall.session')!).tokens.accessToken, saved.tokens.accessToken);
  await phone.app.stop();
});

const texts = (sent: Phone['network']['sent']) =>
  sent.filter(({ url, body }) => new URL(url).searchParams.has('query') || body.includes('"query":'));

test('a document is sent once, and goes by its hash from then on: queries by GET', async () => {
  const phone = await Phone.of(0);
  await phone.feed();
  const before = phone.network.sent.length;
  await phone.feed();
  await published(phone, 'By its hash');
  await published(phone, 'By its hash again');
  const sent = phone.network.sent.slice(before);
  const { searchParams } = new URL(sent[0]!.url);
  assert.equal(sent[0]!.method, 'GET');
  assert.match(JSON.parse(searchParams.get('extensions')!).persistedQuery.sha256Hash, /^[0-9a-f]{64}$/);
  assert.equal(sent.at(-1)!.method, 'POST');
  assert.deepEqual(texts(sent.slice(0, 1).concat(sent.slice(-1))), []);
  await phone.app.stop();
});

test('documents of the manifest that Apollo made are never sent', async () => {
  const manifest = JSON.parse(readFileSync('persisted-query-manifest.json', 'utf8'));
  const phone = await Phone.of(0, { manifest });
  const id = await published(phone, 'Never sent');
  await phone.client.query({ query: operations.PostWithComments, variables: { id } });
  await phone.client.query({ query: operations.Products });
  const sent = texts(phone.network.sent).map(({ body }) => body.slice(0, 25));
  assert.deepEqual(sent, ['{"query":"mutation SignIn']);
  await phone.app.stop();
});
