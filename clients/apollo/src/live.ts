// Staying up to date: events of an open post, and what changed while nobody listened.
import type { ApolloClient } from '@apollo/client';

import { append, appendMessage } from './actions.js';
import { forget } from './cache.js';
import { DeltaQueryDocument, DeltaSubscriptionDocument, type PostEventsSubscription } from './generated/graphql.js';
import { ChatEvents, PostEvents } from './operations.js';
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

/** Entities normalise by themselves; what is new goes into the list, what is gone leaves it. */
function take(client: ApolloClient, postId: string, event: PostEventsSubscription['postEvents']): void {
  const { cache } = client;
  if (event.__typename === 'CommentCreated') append(cache, postId, event.commentEdge);
  else if (event.__typename === 'CommentDeleted') forget(cache, 'Comment', event.deletedCommentId);
  else if (event.__typename === 'PostDeleted') forget(cache, 'Post', event.deletedPostId);
}

/** Follow a chat while it is open. */
export function followChat(client: ApolloClient, chatId: string): () => void {
  const subscription = client.subscribe({ query: ChatEvents, variables: { chatId } }).subscribe(({ data }) => {
    const event = data?.chatEvents;
    if (event?.__typename === 'MessageCreated') appendMessage(client.cache, chatId, event.messageEdge);
    else if (event?.__typename === 'MessageDeleted') forget(client.cache, 'Message', event.deletedMessageId);
  });
  return () => subscription.unsubscribe();
}

/** Everything that changed for this person since the last time: one question, however long that was. */
export async function catchUp(client: ApolloClient, store: Store): Promise<{ changed: number; deleted: number }> {
  const sum = { changed: 0, deleted: 0 };
  for (;;) {
    const { data } = await client.query({
      query: DeltaQueryDocument,
      variables: { since: store.getItem(TOKEN) },
      fetchPolicy: 'network-only',
    });
    const viewer = data!.viewer!;
    const { changes } = viewer;
    // What changed is in the cache by now, each thing under its own id; the page itself is of no more use.
    client.cache.evict({ id: client.cache.identify(viewer)!, fieldName: 'changes' });
    if (changes.reset) await client.resetStore();
    for (const { typename, id } of changes.deleted) forget(client.cache, typename, id);
    sum.changed += changes.nodes.length;
    sum.deleted += changes.deleted.length;
    store.setItem(TOKEN, changes.token);
    if (!changes.hasMore) return sum;
  }
}

/** The same live, from where `catchUp` left off: entities that change find their own way into the cache. */
export function followChanges(client: ApolloClient, store: Store, onChange: (typename: string) => void = () => undefined): () => void {
  const subscription = client
    .subscribe({ query: DeltaSubscriptionDocument, variables: { since: store.getItem(TOKEN) } })
    .subscribe(({ data }) => {
      const event = data?.changeEvents;
      if (!event) return;
      if (event.__typename === 'NodeDeleted') forget(client.cache, event.deleted.typename, event.deleted.id);
      store.setItem(TOKEN, event.token);
      if (event.__typename === 'NodeChanged') onChange(event.node.__typename);
    });
  return () => subscription.unsubscribe();
}
