// Graphcache for the wishlist: what has no id of its own, and what to expect of an act.
import type { Cache, CacheExchangeOpts } from '@urql/exchange-graphcache';
import { keysOf, NO_ERRORS } from 'landfall-graphcache';

import type {
  AddFavoriteInput,
  FavoritePartsFragment,
  MoveFavoriteInput,
  ProductPartsFragment,
  RemoveFavoriteInput,
} from './generated/graphql.js';
import schema from './generated/schema.js';
import * as operations from './operations.js';

export const cacheOptions: CacheExchangeOpts = {
  schema,
  keys: keysOf(schema),
  optimistic: {
    addFavorite({ input }: { input: AddFavoriteInput }, cache) {
      const known = edgesOf(cache).find(({ node }) => node.targetId === input.targetId)?.node;
      const favorite: FavoritePartsFragment = known ?? {
        __typename: 'Favorite',
        id: String(input.id),
        version: 0,
        targetId: String(input.targetId),
        note: input.note ?? null,
        target: product(cache, String(input.targetId), true),
      };
      return { __typename: 'AddFavoritePayload', ...NO_ERRORS, favorite, favoriteLists: null, deletedFavoriteId: null };
    },
    removeFavorite({ input }: { input: RemoveFavoriteInput }, cache) {
      const target = product(cache, String(input.targetId), false);
      return { __typename: 'RemoveFavoritePayload', ...NO_ERRORS, deletedFavoriteId: null, favoriteLists: null, target };
    },
    moveFavorite({ input }: { input: MoveFavoriteInput }, cache) {
      const favorite = edgesOf(cache).find(({ node }) => node.targetId === input.targetId)?.node ?? null;
      return { __typename: 'MoveFavoritePayload', ...NO_ERRORS, favorite, favoriteList: null };
    },
  },
  updates: {
    Mutation: {
      addFavorite({ addFavorite }: any, { input }: any, cache) {
        const { favorite, errors } = addFavorite ?? {};
        if (!favorite || errors.length) return;
        // Another device was first: its id stands, and ours is forgotten.
        change(cache, (edges) => {
          const place = edges.findIndex(({ node }) => node.targetId === input.targetId);
          return place < 0 ? [edge(favorite), ...edges] : edges.with(place, edge(favorite));
        });
        shown(cache, input.targetId, true);
      },
      removeFavorite({ removeFavorite }: any, { input }: any, cache) {
        if (!removeFavorite || removeFavorite.errors.length) return;
        change(cache, (edges) => edges.filter(({ node }) => node.targetId !== input.targetId));
      },
      moveFavorite({ moveFavorite }: any, { input }: any, cache) {
        if (!moveFavorite?.favorite || moveFavorite.errors.length) return;
        change(cache, (edges) => moved(edges, input));
      },
      syncFavorites({ syncFavorites }: any, _, cache) {
        if (syncFavorites?.favorites) change(cache, () => syncFavorites.favorites.map(edge));
      },
    },
  },
};

type Edge = { __typename: 'FavoriteEdge'; node: FavoritePartsFragment };

const edge = (node: FavoritePartsFragment): Edge => ({ __typename: 'FavoriteEdge', node });

function edgesOf(cache: Cache): Edge[] {
  return (cache.readQuery({ query: operations.Wishlist })?.viewer?.favoriteList.favorites.edges ?? []) as Edge[];
}

function change(cache: Cache, edit: (edges: Edge[]) => Edge[]): void {
  cache.updateQuery({ query: operations.Wishlist }, (data: any) => {
    const list = data?.viewer?.favoriteList.favorites;
    if (list) list.edges = edit(list.edges);
    return data;
  });
}

function moved(edges: Edge[], { targetId, afterTargetId }: MoveFavoriteInput): Edge[] {
  const moving = edges.filter(({ node }) => node.targetId === targetId);
  const others = edges.filter(({ node }) => node.targetId !== targetId);
  const behind = others.findIndex(({ node }) => node.targetId === afterTargetId);
  return [...others.slice(0, behind + 1), ...moving, ...others.slice(behind + 1)];
}

function product(cache: Cache, id: string, viewerFavorited: boolean): ProductPartsFragment | null {
  const found = cache.readFragment(operations.ProductParts, { __typename: 'Product', id } as never);
  return found && { ...found, viewerFavorited };
}

/** The star of the product, wherever it is shown. */
function shown(cache: Cache, id: string, viewerFavorited: boolean): void {
  const found = product(cache, String(id), viewerFavorited);
  if (found) cache.writeFragment(operations.ProductParts, found);
}
