// What changed while nobody listened.
import type { Store as Storage } from 'landfall-session';
import { type Environment, commitLocalUpdate, fetchQuery } from 'relay-runtime';

import { DeltaQuery } from './Delta.js';
import type { DeltaQuery as Query } from './generated/DeltaQuery.graphql';

const TOKEN = 'landfall.sync';

/** One question, however long that was: entities come into the store by themselves, what is gone leaves it. */
export async function catchUp(environment: Environment, storage: Storage): Promise<{ changed: number; deleted: number }> {
  const sum = { changed: 0, deleted: 0 };
  for (;;) {
    const variables = { since: storage.getItem(TOKEN) };
    const data = await fetchQuery<Query>(environment, DeltaQuery, variables, { fetchPolicy: 'network-only' }).toPromise();
    const { changes } = data!.viewer!;
    commitLocalUpdate(environment, (store) => {
      // What the server no longer remembers of our past, we should not either.
      if (changes.reset) store.invalidateStore();
      for (const { id } of changes.deleted) store.delete(id);
    });
    sum.changed += changes.nodes.length;
    sum.deleted += changes.deleted.length;
    storage.setItem(TOKEN, changes.token);
    if (!changes.hasMore) return sum;
  }
}
