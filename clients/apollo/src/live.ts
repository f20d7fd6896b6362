// Staying up to date: events of an open post, and what changed while nobody listened.
import type { ApolloClient } from '@apollo/client';

import { append, appendMessage } from './actions.js';
import { forget } from './cache.js';
import { PostPartsFragmentDoc, type PostEventsSubscription } from './generated/graphql.js';
import { Changes, ChatEvents, PostEvents } from './operations.js';
import type { Store } from 'landfall-session';

const TOKEN = 'landfall.sync';

/** Follow a post while it is open. `after` goes on from where one stopped, without a gap. */
export function follow(
  client: ApolloClient,
  postId: string,
  { after, onEvent }: { after?: string; onEvent?: (event: PostEventsSubscription['postEvents']) => void } = {},
): () => void {
  const subscription = client
    .subscribe({ query: PostEvents, variables: { postId, after } })
    .subscribe(({ data }) => {
      if (!data) return;
      take(client, postId, data.postEvents);
      onEvent?.(data.postEvents);
    });
  return () => subscription.unsubscribe();
}

/** Entities normalise by themselves; lists and sums are told. */
function take(client: ApolloClient, postId: string, event: PostEventsSubscription['postEvents']): void {
  const { cache } = client;
  if (event.__typename === 'CommentCreated') {
    append(cache, postId, { __typename: 'CommentEdge', cursor: '', node: event.comment } as never);
  } else if (event.__typename === 'ReactionsUpdated' && event.subjectId === postId) {
    cache.updateFragment(
      { id: cache.identify({ __typename: 'Post', id: postId })!, fragment: PostPartsFragmentDoc, fragmentName: 'PostParts' },
      (post) => post && { ...post, reactionSummary: event.summary },
    );
  } else if (event.__typename === 'CommentDeleted') {
    forget(cache, event.deletedCommentId);
  } else if (event.__typename === 'PostDeleted') {
    forget(cache, event.deletedPostId);
  }
}

/** Follow a chat while it is open. */
export function followChat(client: ApolloClient, chatId: string, onMessage: () => void = () => undefined): () => void {
  const subscription = client.subscribe({ query: ChatEvents, variables: { chatId } }).subscribe(({ data }) => {
    if (data?.chatEvents.__typename !== 'MessageCreated') return;
    const edge = { __typename: 'MessageEdge', cursor: '', node: data.chatEvents.message };
    appendMessage(client.cache, chatId, edge);
    onMessage();
  });
  return () => subscription.unsubscribe();
}

/** Everything that changed for this person since the last time: one question, however long that was. */
export async function catchUp(client: ApolloClient, store: Store): Promise<{ changed: number; deleted: number }> {
  const sum = { changed: 0, deleted: 0 };
  for (;;) {
    const { data } = await client.query({
      query: Changes,
      variables: { since: store.getItem(TOKEN) },
      fetchPolicy: 'network-only',
    });
    const viewer = data!.viewer!;
    const { changes } = viewer;
    // What changed is in the cache by now, each thing under its own id; the page itself is of no more use.
    client.cache.evict({ id: client.cache.identify(viewer)!, fieldName: 'changes' });
    if (changes.reset) await client.resetStore();
    for (const id of changes.deletedIds) forget(client.cache, id);
    sum.changed += changes.nodes.length;
    sum.deleted += changes.deletedIds.length;
    store.setItem(TOKEN, changes.token);
    if (!changes.hasMore) return sum;
  }
}
