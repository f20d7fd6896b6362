// Staying up to date: what changed while nobody looked, then each change as it happens.
import type { Client } from '@urql/core';
import type { Store } from 'landfall-session';
import { pipe, subscribe } from 'wonka';

import { DeltaQueryDocument, DeltaSubscriptionDocument, type SyncType } from './generated/graphql.js';

const TOKEN = 'landfall.sync';
const TYPES: SyncType[] = ['ORDER', 'ORDER_RETURN', 'PAYMENT'];

/** What changed since the last time; the things themselves are in the cache by then, each under its id. */
export async function catchUp(client: Client, store: Store): Promise<string[]> {
  const changed: string[] = [];
  for (;;) {
    const asked = { since: store.getItem(TOKEN), types: TYPES };
    const { data, error } = await client.query(DeltaQueryDocument, asked, { requestPolicy: 'network-only' }).toPromise();
    if (!data) throw error;
    const { changes } = data.viewer!;
    changed.push(...changes.nodes.map(({ id }) => id));
    store.setItem(TOKEN, changes.token);
    if (!changes.hasMore) return changed;
  }
}

/** The same live, from where `catchUp` left off, until the function that it gives is called. */
export function follow(client: Client, store: Store): () => void {
  const { unsubscribe } = pipe(
    client.subscription(DeltaSubscriptionDocument, { since: store.getItem(TOKEN), types: TYPES }),
    subscribe(({ data }) => data && store.setItem(TOKEN, data.changeEvents.token)),
  );
  return unsubscribe;
}
