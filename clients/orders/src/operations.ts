// What orders ask and do. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const ReturnParts = graphql(`
  fragment ReturnParts on OrderReturn {
    id version createdAt updatedAt status note decisionReason
    returnLines { lineId quantity reason receivedQuantity restocked }
    refundAmount { amount currencyCode }
  }
`);
export const PaymentParts = graphql(`
  fragment PaymentParts on Payment {
    id version createdAt updatedAt status failureCode attemptCount
    capturedAmount { amount currencyCode }
    refundedAmount { amount currencyCode }
  }
`);
export const OrderParts = graphql(`
  fragment OrderParts on Order {
    id version createdAt updatedAt number status orderSource summary itemCount canReorder
    canCancel cancelReason canReturn returnableUntil
    total { amount currencyCode }
    refundedTotal { amount currencyCode }
    orderLines {
      lineId variantId title quantity currentStatus shippedQuantity returnedQuantity
      unitPrice { amount currencyCode }
    }
    fulfillments {
      fulfillmentId version status carrier trackingNumber trackingUrl
      steps { status reachedAt place }
    }
    returns { ...ReturnParts }
    payment { ...PaymentParts }
    timeline { status reachedAt actor note }
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
    lines {
      id version createdAt updatedAt title quantity status
      unitPrice { amount currencyCode }
      currentUnitPrice { amount currencyCode }
      cartIssues { ...IssueParts }
    }
  }
`);
export const IssueParts = graphql(`
  fragment IssueParts on CartIssue {
    code lineId blocking availableQuantity
    oldPrice { amount currencyCode }
    newPrice { amount currencyCode }
  }
`);
export const QuoteParts = graphql(`
  fragment QuoteParts on CheckoutQuote {
    id token valid expiresAt
    total { amount currencyCode }
    cartIssues { ...IssueParts }
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
  query Products($filter: ProductFilterInput, $first: Int = 12) {
    searchProducts(filter: $filter, first: $first) {
      edges { node { id name brand defaultVariant { id title sku price { amount currencyCode } } } }
    }
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
export const UpdateCartLine = graphql(`
  mutation UpdateCartLine($input: UpdateCartLineInput!) {
    updateCartLine(input: $input) {
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
      cart { ...CartParts }
      checkoutQuote { ...QuoteParts }
    }
  }
`);
export const ResolveCartIssues = graphql(`
  mutation ResolveCartIssues($input: ResolveCartIssuesInput!) {
    resolveCartIssues(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      cart { ...CartParts }
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
      checkoutQuote { ...QuoteParts }
      payment { ...PaymentParts }
      nextAction { kind url clientSecret }
    }
  }
`);
export const RetryPayment = graphql(`
  mutation RetryPayment($input: RetryPaymentInput!) {
    retryPayment(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      order { ...OrderParts }
      payment { ...PaymentParts }
      nextAction { kind url clientSecret }
    }
  }
`);
export const ConfirmPayment = graphql(`
  mutation ConfirmPayment($input: ConfirmPaymentInput!) {
    confirmPayment(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      payment { ...PaymentParts }
      nextAction { kind url clientSecret }
    }
  }
`);
export const CancelOrder = graphql(`
  mutation CancelOrder($input: CancelOrderInput!) {
    cancelOrder(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      order { ...OrderParts }
      cart { ...CartParts }
    }
  }
`);
export const RequestReturn = graphql(`
  mutation RequestReturn($input: RequestReturnInput!) {
    requestReturn(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      orderReturn { ...ReturnParts }
      order { ...OrderParts }
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
