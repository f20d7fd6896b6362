// Graphcache for the inbox: what has no id of its own, pages, and what to expect of an act.
import type { Cache, CacheExchangeOpts, UpdateResolver } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { type Edge, keysOf, NO_ERRORS, now, unless } from 'landfall-graphcache';

import type {
  AcknowledgeNotificationInput,
  MarkInboxSeenInput,
  ReceiptPartsFragment,
  RecipientPartsFragment,
  UpdateNotificationPreferencesInput,
} from './generated/graphql.js';
import schema from './generated/schema.js';
import * as operations from './operations.js';

export const cacheOptions: CacheExchangeOpts = {
  schema,
  keys: keysOf(schema),
  resolvers: { Viewer: { inbox: relayPagination() } },
  optimistic: {
    markInboxSeen({ input }: { input: MarkInboxSeenInput }, cache) {
      const receipts = input.receiptIds.flatMap((id) => readReceipt(cache, String(id)) ?? []);
      const unseen = receipts.filter(({ seenAt }) => !seenAt).length;
      return {
        __typename: 'MarkInboxSeenPayload',
        ...NO_ERRORS,
        notificationReceipts: receipts.map((receipt) => ({ ...receipt, status: 'OPENED', seenAt: receipt.seenAt ?? now() })),
        viewer: viewerWith(cache, unseen),
      };
    },
    acknowledgeNotification({ input }: { input: AcknowledgeNotificationInput }, cache) {
      const receipt = readReceipt(cache, String(input.target.receiptId));
      return receipt && {
        __typename: 'AcknowledgeNotificationPayload',
        ...NO_ERRORS,
        notificationReceipt: {
          ...receipt,
          status: 'OPENED',
          indicator: 'GREEN',
          // The first one stands: a second press changes nothing.
          acknowledgment: receipt.acknowledgment ?? {
            __typename: 'NotificationAcknowledgment',
            acknowledgedAt: input.acknowledgedAt ?? now(),
            method: 'BUTTON_CLICK',
            response: input.response ?? null,
            late: false,
          },
        },
        viewer: viewerWith(cache, 0),
      };
    },
    updateNotificationPreferences({ input }: { input: UpdateNotificationPreferencesInput }, cache) {
      const recipient = cache.readQuery({ query: operations.Profile })?.viewer?.recipientProfile ?? null;
      return recipient && {
        __typename: 'UpdateNotificationPreferencesPayload',
        ...NO_ERRORS,
        recipient: chosen(recipient, input),
      };
    },
  },
  updates: {
    Subscription: {
      notificationReceived: (({ notificationReceived: event }, _, cache) => {
        if (event.__typename === 'NotificationReceived') prepend(cache, event.notificationReceiptEdge);
      }) as UpdateResolver<any>,
    },
  },
};

function readReceipt(cache: Cache, id: string): ReceiptPartsFragment | null {
  return cache.readFragment(operations.ReceiptParts, { __typename: 'NotificationReceipt', id } as never);
}

/** The viewer, with so many unseen items less. */
function viewerWith(cache: Cache, seen: number): { __typename: 'Viewer'; id: string; inboxCount: number } | null {
  const viewer = cache.readQuery({ query: operations.Inbox })?.viewer;
  return viewer ? { __typename: 'Viewer', id: viewer.id, inboxCount: Math.max(0, viewer.inboxCount - seen) } : null;
}

/** The profile with what was chosen: what was left out stays, null clears. */
function chosen(recipient: RecipientPartsFragment, input: UpdateNotificationPreferencesInput): RecipientPartsFragment {
  const { preferredChannels, mutedSources, doNotCall, quietHours } = input;
  return {
    ...recipient,
    preferredChannels: preferredChannels ?? recipient.preferredChannels,
    mutedSources: mutedSources ?? recipient.mutedSources,
    doNotCall: doNotCall ?? recipient.doNotCall,
    quietHours: quietHours === undefined ? recipient.quietHours : quietHours && { __typename: 'NotificationQuietHours', ...quietHours },
  };
}

function prepend(cache: Cache, edge: Edge): void {
  cache.updateQuery({ query: operations.Inbox }, (data: any) => {
    if (data?.viewer) data.viewer.inbox.edges = unless(data.viewer.inbox.edges, edge, (edges) => [edge, ...edges]);
    return data;
  });
}
