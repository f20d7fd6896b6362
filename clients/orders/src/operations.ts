// What orders ask and do. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const OrderParts = graphql(`
  fragment OrderParts on Order {
    id version createdAt updatedAt number status orderSource summary itemCount canReorder
    total { amount currencyCode }
    orderLines { lineId variantId title quantity currentStatus unitPrice { amount currencyCode } }
    timeline { status reachedAt actor }
  }
`);
export const QuickParts = graphql(`
  fragment QuickParts on QuickReorder {
    id version createdAt updatedAt name position lastUsedAt notifyWhenAvailable
    quickReorderLines { lineId variantId quantity currentStatus }
  }
`);
export const AdjustmentParts = graphql(`
  fragment AdjustmentParts on ReorderAdjustment {
    lineId kind requestedQuantity grantedQuantity significant
    alternatives { id name }
  }
`);
export const CartParts = graphql(`
  fragment CartParts on Cart {
    id version itemCount status
    lines { id version createdAt updatedAt title quantity }
  }
`);

export const History = graphql(`
  query History($first: Int = 20, $after: String) {
    viewer {
      id
      orders(first: $first, after: $after) {
        edges { cursor node { ...OrderParts } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
export const QuickReorders = graphql(`
  query QuickReorders {
    viewer { id reorders { id quickReorders(first: 20) { edges { cursor node { ...QuickParts } } } } }
  }
`);
export const Cart = graphql(`query Cart { viewer { id cart { ...CartParts } } }`);
export const Products = graphql(`
  query Products($first: Int = 12) {
    searchProducts(first: $first) { edges { node { id name defaultVariant { id title } } } }
  }
`);

export const AddCartLine = graphql(`
  mutation AddCartLine($input: AddCartLineInput!) {
    addCartLine(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
    }
  }
`);
export const ClearCart = graphql(`
  mutation ClearCart($input: ClearCartInput!) {
    clearCart(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
    }
  }
`);
export const ValidateCart = graphql(`
  mutation ValidateCart($input: ValidateCartInput!) {
    validateCart(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      checkoutQuote { id token valid total { amount currencyCode } }
    }
  }
`);
export const PlaceOrder = graphql(`
  mutation PlaceOrder($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      order { ...OrderParts }
      orderEdge { cursor node { ...OrderParts } }
      cart { ...CartParts }
      nextAction { kind url clientSecret }
    }
  }
`);
export const ReorderItems = graphql(`
  mutation ReorderItems($input: ReorderItemsInput!) {
    reorderItems(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      outcome
      cart { ...CartParts }
      order { ...OrderParts }
      orderEdge { cursor node { ...OrderParts } }
      confirmationToken
      adjustments { ...AdjustmentParts }
    }
  }
`);
export const SaveQuickReorder = graphql(`
  mutation SaveQuickReorder($input: SaveQuickReorderInput!) {
    saveQuickReorder(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      quickReorder { ...QuickParts }
      quickReorderEdge { cursor node { ...QuickParts } }
    }
  }
`);
export const UpdateQuickReorder = graphql(`
  mutation UpdateQuickReorder($input: UpdateQuickReorderInput!) {
    updateQuickReorder(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      quickReorder { ...QuickParts }
    }
  }
`);
export const DeleteQuickReorder = graphql(`
  mutation DeleteQuickReorder($input: DeleteQuickReorderInput!) {
    deleteQuickReorder(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      deletedQuickReorderId
    }
  }
`);
export const ApplyQuickReorder = graphql(`
  mutation ApplyQuickReorder($input: ApplyQuickReorderInput!) {
    applyQuickReorder(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      outcome
      quickReorder { ...QuickParts }
      cart { ...CartParts }
      adjustments { ...AdjustmentParts }
    }
  }
`);
