// What the cart asks and does. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const LineParts = graphql(`
  fragment LineParts on CartLine {
    id version createdAt updatedAt title sku quantity status
    options { name value }
    unitPrice { amount currencyCode }
    currentUnitPrice { amount currencyCode }
    lineTotal { amount currencyCode }
    cartIssues { code blocking message availableQuantity }
  }
`);
export const CartParts = graphql(`
  fragment CartParts on Cart {
    id version itemCount status note
    subtotal { amount currencyCode }
    estimatedTotal { amount currencyCode }
    lines { ...LineParts }
  }
`);

export const Cart = graphql(`query Cart { viewer { id cart { ...CartParts } } }`);
export const AnonymousCart = graphql(`query AnonymousCart { anonymousCart { ...CartParts } }`);
export const Products = graphql(`
  query Products($first: Int = 12) {
    searchProducts(first: $first) {
      edges { node { id name defaultVariant { id title sku price { amount currencyCode } } } }
    }
  }
`);

export const AddCartLine = graphql(`
  mutation AddCartLine($input: AddCartLineInput!) {
    addCartLine(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
      cartLine { ...LineParts aliases }
    }
  }
`);
export const UpdateCartLine = graphql(`
  mutation UpdateCartLine($input: UpdateCartLineInput!) {
    updateCartLine(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
      cartLine { ...LineParts }
    }
  }
`);
export const RemoveCartLine = graphql(`
  mutation RemoveCartLine($input: RemoveCartLineInput!) {
    removeCartLine(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
      deletedCartLineId
    }
  }
`);
export const MergeCart = graphql(`
  mutation MergeCart($input: MergeCartInput!) {
    mergeCart(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
      report { addedCount summedCount cappedCount token skipped { lineId reason } }
    }
  }
`);
export const ValidateCart = graphql(`
  mutation ValidateCart($input: ValidateCartInput!) {
    validateCart(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
      checkoutQuote { id valid expiresAt total { amount currencyCode } cartIssues { code blocking message } }
    }
  }
`);

export const CartEvents = graphql(`
  subscription CartEvents($after: String) {
    cartEvents(after: $after) {
      __typename
      ... on Event { eventId }
      ... on CartChanged { cart { ...CartParts } deletedLines { lineId } }
      ... on CartLineChanged { cart { ...CartParts } }
      ... on CartMerged { cart { ...CartParts } }
    }
  }
`);
