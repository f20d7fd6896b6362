// Apollo's normalised cache for Landfall's schema.
import { InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';

import possibleTypes from './generated/possibleTypes.js';

export function makeCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes: possibleTypes.possibleTypes,
    typePolicies: {
      Viewer: { fields: { feed: relayStylePagination(['sort']), chats: relayStylePagination(['filter']) } },
      // A tombstone has the id of the node it is of, and is not that node.
      DeletedNode: { keyFields: false },
      Query: { fields: { searchProducts: relayStylePagination(['filter', 'sort']) } },
      Chat: { fields: { messages: relayStylePagination() } },
      User: {
        fields: {
          posts: relayStylePagination(),
          followers: relayStylePagination(),
          following: relayStylePagination(),
        },
      },
      Post: {
        fields: {
          comments: relayStylePagination(['sort']),
          reactionSummary: { merge: true },
          viewerCan: { merge: true },
        },
      },
      Comment: { fields: { replies: relayStylePagination(), reactions: { merge: true } } },
    },
  });
}

/** Forget a thing that the server says is gone, wherever it is shown. */
export function forget(cache: Pick<InMemoryCache, 'evict' | 'identify'>, typename: string, id: string): void {
  // No `gc()`: what no query shows yet may be shown when there is no connection.
  cache.evict({ id: cache.identify({ __typename: typename, id }) });
}
