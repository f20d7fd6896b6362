import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mint } from 'landfall-session';
import { until } from 'landfall-session/testing';
import { requestSubscription } from 'relay-runtime';

import { DeltaQuery } from '../src/Delta.js';
import type { DeltaQuery as Delta } from '../src/generated/DeltaQuery.graphql';
import { catchUp, chat, feed, perform, post, shop } from '../src/index.js';
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

async function published(phone: Phone, text: string): Promise<string> {
  const id = mint('post');
  assert.deepEqual(await perform(phone.environment, 'FeedCreatePostMutation', { id, text, visibility: 'PUBLIC' }), []);
  return id;
}

const numbered = (word: string, count: number) => Array.from({ length: count }, (_, number) => `${word} ${number}`);
// @deleteRecord leaves an edge that leads nowhere, which a list passes over.
const texts = (connection: any): string[] => connection.edges.flatMap(({ node }: any) => node?.text ?? []);
const shownPost = (phone: Phone, id: string) => phone.shown(post.PostQuery, { id }, post.Post_post, 'post');
const comments = (phone: Phone, id: string) => texts(phone.shown(post.PostQuery, { id }, post.Post_comments, 'post').comments);

/** The query that the compiler made of a @refetchable fragment. */
const refetch = (fragment: any) => fragment.metadata.refetch.operation;

test('@connection joins pages of the feed, asked for by the query that @refetchable makes', async () => {
  const word = mint('word');
  for (const text of numbered(word, 12)) await published(grace, text);
  const list = () => ada.shown(feed.FeedQuery, { first: 5 }, feed.Feed_viewer, 'viewer').feed;
  await ada.ask(feed.FeedQuery, { first: 5 });
  while (list().pageInfo.hasNextPage && texts(list()).filter((text) => text.startsWith(word)).length < 12) {
    await ada.ask(refetch(feed.Feed_viewer), { first: 5, after: list().pageInfo.endCursor });
  }
  assert.deepEqual(texts(list()).filter((text) => text?.startsWith(word)), numbered(word, 12).reverse());
});

test('@connection joins pages of a chat, read backwards', async () => {
  const id = mint('chat');
  assert.deepEqual(await perform(ada.environment, 'ChatOpenMutation', { id, userId: grace.session.userId }), []);
  for (const text of numbered('Said', 12)) {
    const sentAt = new Date().toISOString();
    assert.deepEqual(await perform(ada.environment, 'ChatSendMutation', { id: mint('message'), chatId: id, text, sentAt }), []);
  }
  const list = () => grace.shown(chat.ChatQuery, { id, last: 5 }, chat.Chat_messages, 'chat').messages;
  await grace.ask(chat.ChatQuery, { id, last: 5 });
  while (list().pageInfo.hasPreviousPage) {
    await grace.ask(refetch(chat.Chat_messages), { id, last: 5, before: list().pageInfo.startCursor });
  }
  assert.deepEqual(texts(list()), numbered('Said', 12));
});

test('@connection joins pages of the catalog', async () => {
  const list = () => ada.shown(shop.ShopQuery, { query: 'glycinate', first: 5 }, shop.Shop_products).searchProducts;
  await ada.ask(shop.ShopQuery, { query: 'glycinate', first: 5 });
  while (list().pageInfo.hasNextPage) {
    await ada.ask(refetch(shop.Shop_products), { query: 'glycinate', first: 5, after: list().pageInfo.endCursor });
  }
  const ids = list().edges.map(({ node }: any) => node.id);
  assert.deepEqual([new Set(ids).size, ids.length], [list().totalCount, list().totalCount]);
  assert.ok(ids.length >= 12);
});

test('what is made comes on top, by @prependEdge and @appendEdge; what is deleted goes, by @deleteRecord', async () => {
  await ada.ask(feed.FeedQuery, { first: 5 });
  const top = () => texts(ada.shown(feed.FeedQuery, { first: 5 }, feed.Feed_viewer, 'viewer').feed)[0];
  const before = ada.network.requests;
  const id = mint('post');
  const done = perform(ada.environment, 'FeedCreatePostMutation', { id, text: 'On top', visibility: 'PUBLIC' });
  assert.equal(top(), 'On top');
  assert.deepEqual(await done, []);
  await ada.ask(post.PostQuery, { id });
  const commented = await perform(ada.environment, 'PostCreateCommentMutation', { id: mint('comment'), postId: id, text: 'First' });
  assert.deepEqual([commented, comments(ada, id), shownPost(ada, id).commentCount], [[], ['First'], 1]);
  assert.deepEqual(await perform(ada.environment, 'FeedDeletePostMutation', { postId: id }), []);
  assert.notEqual(top(), 'On top');
  assert.equal(ada.network.requests - before, 4);
});

test('what the server refuses is rolled back', async () => {
  const id = await published(grace, 'Soon gone');
  await ada.ask(post.PostQuery, { id });
  assert.deepEqual(await perform(grace.environment, 'FeedDeletePostMutation', { postId: id }), []);
  const total = () => shownPost(ada, id).reactionSummary.count;
  const done = perform(ada.environment, 'PostSetReactionMutation', { subjectId: id, kind: 'LIKE' });
  assert.equal(total(), 1);
  const [refusal] = await done;
  assert.deepEqual([refusal!.code, total()], ['NOT_FOUND', 0]);
});

test('a queue that survives a restart lands once, in order', async () => {
  const phone = await Phone.of(3);
  phone.network.online = false;
  const id = mint('post');
  void perform(phone.environment, 'FeedCreatePostMutation', { id, text: 'Written on a plane', visibility: 'PUBLIC' });
  void perform(phone.environment, 'PostCreateCommentMutation', { id: mint('comment'), postId: id, text: 'and commented' });
  await until(() => phone.app.queue.length === 2, 'the queue');

  await phone.restart();
  const landing = Promise.all(
    phone.app.queue.saved().map(({ name, variables }) => perform(phone.environment, name, variables.input)),
  );
  // The first answer is lost, so that the server is asked again.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.queue.flush();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await until(() => (phone.app.queue.flush(), phone.app.queue.length === 0), 'the landing');
  assert.deepEqual(await landing, [[], []]);

  await phone.ask(post.PostQuery, { id });
  assert.deepEqual([shownPost(phone, id).text, comments(phone, id)], ['Written on a plane', ['and commented']]);
  await phone.app.stop();
});

test('an open post is live over a socket, by @appendEdge', async () => {
  const id = await published(ada, 'Live');
  await grace.ask(post.PostQuery, { id });
  const events: string[] = [];
  const { dispose } = requestSubscription(grace.environment, {
    subscription: post.PostEvents,
    variables: { postId: id, connections: [post.commentsOf(id)] },
    onNext: (data: any) => void events.push(data.postEvents.__typename),
  });
  // A stream says nothing when it begins: cause events until the first one comes.
  for (let tries = 0; tries < 40 && !events.length; tries += 1) {
    await perform(ada.environment, 'PostCreateCommentMutation', { id: mint('comment'), postId: id, text: 'Live' });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(events[0], 'CommentCreated');
  assert.equal(comments(grace, id).at(-1), 'Live');
  dispose();
});

test('what changed while away comes with one question', async () => {
  const phone = await Phone.of(0);
  await catchUp(phone.environment, phone.store);
  const gone = await published(ada, 'Not kept');
  assert.ok((await catchUp(phone.environment, phone.store)).changed >= 1);
  await phone.ask(post.PostQuery, { id: gone });
  await perform(ada.environment, 'FeedDeletePostMutation', { postId: gone });
  assert.equal((await catchUp(phone.environment, phone.store)).deleted, 1);
  // @required: a post that is gone is not shown at all.
  assert.equal(shownPost(phone, gone), null);
  await phone.app.stop();
});

test('the delta document brings every kind of entity, each whole', async () => {
  const id = await published(ada, 'Whole');
  const types = new Set<string>();
  let since: string | null = null;
  for (let more = true; more;) {
    const { viewer }: Delta['response'] = await grace.ask<Delta>(DeltaQuery, { since });
    viewer!.changes.nodes.forEach(({ __typename }) => types.add(__typename));
    [since, more] = [viewer!.changes.token, viewer!.changes.hasMore];
  }
  for (const type of ['Chat', 'Follow', 'Message', 'Post', 'Session', 'User']) assert.ok(types.has(type), type);
  // In the store `status` is the post's own; only the answer has it under its alias.
  const post: any = grace.environment.getStore().getSource().get(id);
  assert.deepEqual([post.__typename, post.status, post.pinned], ['Post', 'PUBLISHED', false]);
});

test('nothing but registered documents was sent, sign-in aside', () => {
  const bodies = ada.network.sent.map(({ body }) => JSON.parse(body));
  const written = bodies.filter(({ documentId }) => !documentId).map(({ query }) => query.slice(0, 15));
  assert.deepEqual(written, ['mutation SignIn']);
  assert.ok(bodies.length > 20);
});
