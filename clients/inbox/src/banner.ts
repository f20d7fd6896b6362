// Banners: what arrives while the app is open.
import type { Client } from '@urql/core';
import { pipe, subscribe } from 'wonka';

import type { ReceiptPartsFragment } from './generated/graphql.js';
import { Banner } from './operations.js';

/** Calls back with each new item of the inbox, which is at its top by then; returns what ends that. */
export function banners(client: Client, show: (receipt: ReceiptPartsFragment) => void): () => void {
  const { unsubscribe } = pipe(
    client.subscription(Banner, {}),
    subscribe(({ data }) => {
      const event = data?.notificationReceived;
      if (event?.__typename === 'NotificationReceived') show(event.notificationReceiptEdge.node);
    }),
  );
  return unsubscribe;
}
