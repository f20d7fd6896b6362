// What changed while nobody listened.
import type { Store as Storage } from 'landfall-session';
import { type Environment, commitLocalUpdate, fetchQuery, graphql } from 'relay-runtime';

import type { ChangesQuery as Query } from './generated/ChangesQuery.graphql';

const TOKEN = 'landfall.sync';

const ChangesQuery = graphql`
  query ChangesQuery($since: SyncToken) {
    viewer { changes(since: $since, types: [POST, COMMENT], limit: 200) {
      nodes { __typename id ...Post_post @alias ... on Comment { body: text writer: author { id name } } }
      deletedIds token hasMore reset
    } }
  }
`;

/** One question, however long that was: entities come into the store by themselves, what is gone leaves it. */
export async function catchUp(environment: Environment, storage: Storage): Promise<{ changed: number; deleted: number }> {
  const sum = { changed: 0, deleted: 0 };
  for (;;) {
    const variables = { since: storage.getItem(TOKEN) };
    const data = await fetchQuery<Query>(environment, ChangesQuery, variables, { fetchPolicy: 'network-only' }).toPromise();
    const { changes } = data!.viewer!;
    commitLocalUpdate(environment, (store) => {
      // What the server no longer remembers of our past, we should not either.
      if (changes.reset) store.invalidateStore();
      for (const id of changes.deletedIds) store.delete(id);
    });
    sum.changed += changes.nodes.length;
    sum.deleted += changes.deletedIds.length;
    storage.setItem(TOKEN, changes.token);
    if (!changes.hasMore) return sum;
  }
}
