import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { until } from 'landfall-session/testing';
import { pipe, subscribe } from 'wonka';

import { DeltaQueryDocument } from '../src/generated/graphql.js';
import { catchUp, follow, mint, operations } from '../src/index.js';
import { Phone } from './phone.js';

const { ChatThread, CreateComment, CreatePost, DeletePost, Feed, CreateChat, PostWithComments, Products, SendMessage, SetReaction } =
  operations;

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

async function published(phone: Phone, text: string): Promise<string> {
  const id = mint('post');
  assert.deepEqual(await phone.perform(CreatePost, { id, text, visibility: 'PUBLIC' }), []);
  return id;
}

async function opened(phone: Phone, other: Phone): Promise<string> {
  const id = mint('chat');
  assert.deepEqual(await phone.perform(CreateChat, { id, userId: other.session.userId! }), []);
  return id;
}

const numbered = (word: string, count: number) => Array.from({ length: count }, (_, number) => `${word} ${number}`);

test('relayPagination joins pages of the feed', async () => {
  const phone = await Phone.of(2);
  // Others post too.
  const word = mint('word');
  for (const text of numbered(word, 12)) await published(phone, text);
  let after: string | null = null;
  for (let more = true; more; ) {
    const page: any = await phone.ask(Feed, { first: 5, after });
    ({ hasNextPage: more, endCursor: after } = page.viewer!.feed.pageInfo);
  }
  const { edges } = phone.shown(Feed, { first: 5, after: null })!.viewer!.feed;
  const texts = edges.map(({ node }) => node.text).filter((text) => text?.startsWith(word));
  assert.deepEqual(texts, numbered(word, 12).reverse());
  await phone.app.stop();
});

test('relayPagination joins pages of a chat, read backwards', async () => {
  const id = await opened(ada, grace);
  for (const text of numbered('Said', 12)) {
    assert.deepEqual(await ada.perform(SendMessage, { id: mint('message'), chatId: id, text, sentAt: new Date().toISOString() }), []);
  }
  let before: string | null = null;
  for (let more = true; more; ) {
    const page: any = await grace.ask(ChatThread, { id, last: 5, before });
    ({ hasPreviousPage: more, startCursor: before } = page.chat.messages.pageInfo);
  }
  const { edges } = grace.shown(ChatThread, { id, last: 5, before: null })!.chat!.messages;
  assert.deepEqual(edges.map(({ node }) => node.text), numbered('Said', 12));
});

test('relayPagination joins pages of the catalog', async () => {
  let after: string | null = null;
  for (let more = true; more; ) {
    const page: any = await ada.ask(Products, { query: 'glycinate', first: 5, after });
    ({ hasNextPage: more, endCursor: after } = page.searchProducts.pageInfo);
  }
  const { edges, totalCount } = ada.shown(Products, { query: 'glycinate', first: 5, after: null })!.searchProducts;
  assert.deepEqual([new Set(edges.map(({ node }) => node.id)).size, edges.length], [totalCount, totalCount]);
  assert.ok(totalCount! >= 12);
});

test('a reaction shows at once and is confirmed without another request', async () => {
  const id = await published(ada, 'React to this');
  await ada.ask(PostWithComments, { id });
  const seen: (string | null | undefined)[] = [];
  const watching = pipe(
    ada.client.query(PostWithComments, { id }),
    subscribe(({ data }) => seen.push(data?.post?.reactionSummary.viewerReaction)),
  );
  const before = ada.network.requests;
  ada.network.online = false;
  const done = ada.perform(SetReaction, { subjectId: id, kind: 'LOVE' });
  await until(() => seen.at(-1) === 'LOVE', 'the optimistic reaction');
  assert.equal(ada.network.requests - before, 0);
  ada.network.online = true;
  ada.app.online();
  assert.deepEqual(await done, []);
  const summary = ada.shown(PostWithComments, { id })!.post!.reactionSummary;
  assert.deepEqual([summary.count, summary.love, seen.at(-1)], [1, 1, 'LOVE']);
  assert.equal(ada.network.requests - before, 1);
  watching.unsubscribe();
});

test('lists gain what was made and lose what was deleted, without another request', async () => {
  await ada.ask(Feed, {});
  const top = () => ada.shown(Feed, {})!.viewer!.feed.edges[0]!.node;
  const before = ada.network.requests;
  const id = await published(ada, 'On top');
  await ada.ask(PostWithComments, { id });
  assert.deepEqual(await ada.perform(CreateComment, { id: mint('comment'), postId: id, text: 'First' }), []);
  const { post } = ada.shown(PostWithComments, { id })!;
  assert.deepEqual([top().text, post!.commentCount, post!.comments.edges[0]!.node.text], ['On top', 1, 'First']);
  assert.equal(ada.network.requests - before, 3);
});

test('what the server refuses is rolled back', async () => {
  const id = await published(grace, 'Soon gone');
  await ada.ask(PostWithComments, { id });
  assert.deepEqual(await grace.perform(DeletePost, { postId: id }), []);
  const total = () => ada.shown(PostWithComments, { id })?.post?.reactionSummary.count;
  const done = ada.perform(SetReaction, { subjectId: id, kind: 'LIKE' });
  await until(() => total() === 1, 'the optimistic reaction');
  const [refusal] = await done;
  assert.deepEqual([refusal!.code, total()], ['NOT_FOUND', 0]);
});

test('a queue that survives a restart lands once, in order, past a refusal', async () => {
  const phone = await Phone.of(3);
  await phone.ask(Feed, {});
  const gone = await published(grace, 'Gone before the queue lands');
  await phone.ask(PostWithComments, { id: gone });
  await grace.perform(DeletePost, { postId: gone });

  phone.network.online = false;
  const first = mint('post');
  void phone.perform(CreatePost, { id: first, text: 'Written on a plane', visibility: 'PUBLIC' });
  void phone.perform(CreateComment, { id: mint('comment'), postId: first, text: 'and commented' });
  void phone.perform(SetReaction, { subjectId: gone, kind: 'LIKE' });
  void phone.perform(CreatePost, { id: mint('post'), text: 'Written after that', visibility: 'PUBLIC' });
  await until(() => phone.app.queue.length === 4, 'the queue');

  await phone.restart();
  const texts = () => phone.shown(Feed, {})?.viewer?.feed.edges.map(({ node }) => node.text) ?? [];
  // Off the storage, with what is expected of the queue on top.
  await until(() => texts().includes('Written on a plane'), 'the feed after the restart');
  assert.equal(phone.app.queue.length, 4);
  // The first answer is lost, so that the server is asked again.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.online();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await until(() => (phone.app.queue.flush(), phone.app.queue.length === 0), 'the landing');

  assert.deepEqual(phone.app.queue.saved(), []);
  const { viewer } = await phone.ask(Feed, {});
  assert.deepEqual(viewer!.feed.edges.map(({ node }) => node.text).slice(0, 2), ['Written after that', 'Written on a plane']);
  const { post } = await phone.ask(PostWithComments, { id: first });
  assert.deepEqual(post!.comments.edges.map(({ node }) => node.text), ['and commented']);
  await phone.app.stop();
});

test('without a connection the cache answers, after a restart too', async () => {
  const phone = await Phone.of(0);
  const id = await published(phone, 'Kept for the tunnel');
  await phone.ask(PostWithComments, { id });
  phone.network.online = false;
  await phone.restart();
  const { data } = await phone.client.query(PostWithComments, { id }).toPromise();
  assert.equal(data!.post!.text, 'Kept for the tunnel');
  await phone.app.stop();
});

test('an open post is live over a socket', async () => {
  const id = await published(ada, 'Live');
  await grace.ask(PostWithComments, { id });
  const events: string[] = [];
  const stop = follow(grace.client, id, { onEvent: (event) => events.push(event.__typename) });
  // A stream says nothing when it begins: cause events until the first one comes.
  for (let tries = 0; tries < 40 && !events.length; tries += 1) {
    await ada.perform(CreateComment, { id: mint('comment'), postId: id, text: 'Live' });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(events[0], 'CommentCreated');
  const { edges } = grace.shown(PostWithComments, { id })!.post!.comments;
  assert.equal(edges.at(-1)!.node.text, 'Live');
  stop();
});

test('what changed while away comes with one question', async () => {
  const phone = await Phone.of(0);
  await catchUp(phone.client, phone.store);
  const id = await published(ada, 'Known');
  const gone = await published(ada, 'Not kept');
  assert.ok((await catchUp(phone.client, phone.store)).changed >= 2);
  await phone.ask(PostWithComments, { id });
  await phone.ask(PostWithComments, { id: gone });
  await ada.perform(DeletePost, { postId: gone });
  const { deleted, reset } = await catchUp(phone.client, phone.store);
  assert.deepEqual([deleted, reset], [1, false]);
  assert.deepEqual(
    [phone.shown(PostWithComments, { id })?.post?.text, phone.shown(PostWithComments, { id: gone })?.post?.text],
    ['Known', undefined],
  );
  await phone.app.stop();
});

test('the delta document brings every kind of entity, each whole', async () => {
  const id = await published(ada, 'Whole');
  await ada.perform(CreateComment, { id: mint('comment'), postId: id, text: 'As well' });
  const nodes: any[] = [];
  let since: any = null;
  for (let more = true; more;) {
    const { viewer } = await grace.ask(DeltaQueryDocument, { since });
    nodes.push(...viewer!.changes.nodes);
    [since, more] = [viewer!.changes.token, viewer!.changes.hasMore];
  }
  const types = new Set(nodes.map(({ __typename }) => __typename));
  for (const type of ['Chat', 'Follow', 'Message', 'Post', 'Session', 'User'] as const) assert.ok(types.has(type), type);
  const post = nodes.find((node) => node.id === id);
  assert.deepEqual(post?.__typename === 'Post' && [post.postStatus, post.pinned, post.commentCount], ['PUBLISHED', false, 1]);
});

test('an expired access token is renewed and the operation goes on', async () => {
  const phone = await Phone.of(0);
  const saved = () => JSON.parse(phone.store.getItem('landfall.session')!);
  const old = saved();
  old.tokens.accessTokenExpiresAt = new Date(Date.now() + 5_000).toISOString();
  phone.store.setItem('landfall.session', JSON.stringify(old));
  await Promise.all([phone.ask(Feed, { first: 1 }), phone.ask(Feed, { first: 2 }), phone.ask(Feed, { first: 3 })]);
  assert.notEqual(saved().tokens.accessToken, old.tokens.accessToken);
  await phone.app.stop();
});

test('documents of the manifest that graphql-codegen made run by their names', async () => {
  const manifest: Record<string, string> = JSON.parse(readFileSync('src/generated/persisted-documents.json', 'utf8'));
  const names = Object.entries(manifest).filter(([, body]) => body.startsWith('query Products'));
  const response = await fetch(ada.session.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ documentId: names[0]![0], variables: { first: 1 } }),
  });
  const { data, errors } = (await response.json()) as { data: any; errors?: object[] };
  assert.equal(errors, undefined);
  assert.deepEqual(Object.keys(data.searchProducts.edges[0]!.node).sort(), ['brand', 'id', 'name', 'priceRange']);
});
