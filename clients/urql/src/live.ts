// Staying up to date: events of an open post, and what changed while nobody listened.
import type { Client } from 'urql';
import type { Store } from 'landfall-session';
import { pipe, subscribe } from 'wonka';

import { DeltaQueryDocument, type PostEventsSubscription } from './generated/graphql.js';
import { PostEvents } from './operations.js';

const TOKEN = 'landfall.sync';

type PostEvent = PostEventsSubscription['postEvents'];

/** Follow a post while it is open; after a pause, from where one stopped, without a gap. */
export function follow(
  client: Client,
  postId: string,
  { after, onEvent }: { after?: string; onEvent?: (event: PostEvent) => void } = {},
): () => void {
  const { unsubscribe } = pipe(
    client.subscription(PostEvents, { postId, after }),
    subscribe(({ data }) => data && onEvent?.(data.postEvents)),
  );
  return unsubscribe;
}

/** Everything that changed for this person since the last time: one question, however long that was. */
export async function catchUp(client: Client, store: Store): Promise<{ changed: number; deleted: number; reset: boolean }> {
  const sum = { changed: 0, deleted: 0, reset: false };
  for (;;) {
    const since = store.getItem(TOKEN);
    const { data, error } = await client.query(DeltaQueryDocument, { since }, { requestPolicy: 'network-only' }).toPromise();
    if (!data) throw error;
    const { changes } = data.viewer!;
    sum.changed += changes.nodes.length;
    sum.deleted += changes.deleted.length;
    // Then what is cached may be of a past that the server no longer remembers: start with an empty cache.
    sum.reset ||= changes.reset;
    store.setItem(TOKEN, changes.token);
    if (!changes.hasMore) return sum;
  }
}
