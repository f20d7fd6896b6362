// What the wishlist asks and does. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const ProductParts = graphql(`fragment ProductParts on Product { id name viewerFavorited }`);
export const FavoriteParts = graphql(`
  fragment FavoriteParts on Favorite { id version targetId note target { ... on Product { ...ProductParts } } }
`);

export const Products = graphql(`query Products($limit: Int!) { topSellers(limit: $limit) { ...ProductParts } }`);
export const Wishlist = graphql(`
  query Wishlist {
    viewer {
      id
      favoriteList(kind: PRODUCT) {
        id version favoriteCount lastSyncedAt
        favorites(first: 100) { edges { node { ...FavoriteParts } } }
      }
    }
  }
`);

export const AddFavorite = graphql(`
  mutation AddFavorite($input: AddFavoriteInput!) {
    addFavorite(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      favorite { ...FavoriteParts }
      favoriteLists { id version favoriteCount }
      deletedFavoriteId
    }
  }
`);
export const RemoveFavorite = graphql(`
  mutation RemoveFavorite($input: RemoveFavoriteInput!) {
    removeFavorite(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      deletedFavoriteId
      favoriteLists { id version favoriteCount }
      target { ... on Product { ...ProductParts } }
    }
  }
`);
export const MoveFavorite = graphql(`
  mutation MoveFavorite($input: MoveFavoriteInput!) {
    moveFavorite(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      favorite { ...FavoriteParts }
      favoriteList { id version favoriteCount }
    }
  }
`);
export const SyncFavorites = graphql(`
  mutation SyncFavorites($input: SyncFavoritesInput!) {
    syncFavorites(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      favoriteList { id version favoriteCount lastSyncedAt }
      favorites { ...FavoriteParts }
      differences { targetId kind proposal }
      token
    }
  }
`);
