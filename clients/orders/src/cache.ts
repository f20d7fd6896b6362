// Graphcache for orders: pages of the history, and what to expect of carts, returns and lists to order again.
import type { Cache, CacheExchangeOpts, UpdateResolver } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { type Edge, keysOf, NO_ERRORS, now, unless } from 'landfall-graphcache';

import type {
  AddCartLineInput,
  CartPartsFragment,
  DeleteQuickReorderInput,
  OrderPartsFragment,
  QuickPartsFragment,
  RequestReturnInput,
  ReturnPartsFragment,
  UpdateQuickReorderInput,
} from './generated/graphql.js';
import schema from './generated/schema.js';
import * as operations from './operations.js';

export const cacheOptions: CacheExchangeOpts = {
  schema,
  keys: keysOf(schema),
  resolvers: { Viewer: { orders: relayPagination() } },
  optimistic: {
    addCartLine({ input }: { input: AddCartLineInput }, cache) {
      const cart = cache.readQuery({ query: operations.Cart })?.viewer?.cart;
      if (!cart) return null;
      const line = pending(input);
      return {
        __typename: 'AddCartLinePayload',
        ...NO_ERRORS,
        cart: { ...cart, itemCount: cart.itemCount + line.quantity, lines: [line, ...cart.lines] },
      };
    },
    requestReturn({ input }: { input: RequestReturnInput }, cache) {
      const order: OrderPartsFragment | null = cache.readFragment(
        operations.OrderParts,
        { __typename: 'Order', id: input.orderId } as never,
      );
      const orderReturn = requested(input);
      return order && {
        __typename: 'RequestReturnPayload',
        ...NO_ERRORS,
        orderReturn,
        order: { ...order, returns: [...order.returns, orderReturn] },
      };
    },
    updateQuickReorder({ input }: { input: UpdateQuickReorderInput }, cache) {
      const kept = readQuick(cache, String(input.quickReorderId));
      return kept && {
        __typename: 'UpdateQuickReorderPayload',
        ...NO_ERRORS,
        quickReorder: { ...kept, name: input.name ?? kept.name, position: input.position ?? kept.position },
      };
    },
    deleteQuickReorder({ input }: { input: DeleteQuickReorderInput }) {
      return { __typename: 'DeleteQuickReorderPayload', ...NO_ERRORS, deletedQuickReorderId: input.quickReorderId };
    },
  },
  updates: {
    Mutation: {
      placeOrder: ((result: any, _, cache) => {
        const edge = result.placeOrder?.orderEdge as Edge | null;
        if (edge) addOrder(cache, edge);
      }) as UpdateResolver,
      reorderItems: ((result: any, _, cache) => {
        const edge = result.reorderItems?.orderEdge as Edge | null;
        if (edge) addOrder(cache, edge);
      }) as UpdateResolver,
      saveQuickReorder: ((result: any, _, cache) => {
        const edge = result.saveQuickReorder?.quickReorderEdge as Edge | null;
        if (edge) changeLists(cache, (edges) => unless(edges, edge, (known) => [...known, edge]));
      }) as UpdateResolver,
      deleteQuickReorder: ((result: any, _, cache) => {
        const id = result.deleteQuickReorder?.deletedQuickReorderId;
        if (id) changeLists(cache, (edges) => edges.filter(({ node }) => node.id !== id));
      }) as UpdateResolver,
    },
  },
};

/** A line that the server has not seen: the price is the one that the customer saw. */
function pending(input: AddCartLineInput): CartPartsFragment['lines'][number] {
  const seen = { __typename: 'Money' as const, ...(input.seenUnitPrice ?? { amount: '0', currencyCode: '' }) };
  return {
    __typename: 'CartLine',
    id: String(input.id),
    version: 0,
    createdAt: now(),
    updatedAt: now(),
    title: '…',
    quantity: input.quantity ?? 1,
    status: 'OK',
    unitPrice: seen,
    currentUnitPrice: seen,
    cartIssues: [],
  };
}

/** A return that the server has not seen. */
function requested(input: RequestReturnInput): ReturnPartsFragment {
  return {
    __typename: 'OrderReturn',
    id: String(input.id),
    version: 0,
    createdAt: now(),
    updatedAt: now(),
    status: 'REQUESTED',
    note: input.note ?? null,
    decisionReason: null,
    returnLines: input.lines.map((line) => ({
      __typename: 'OrderReturnLine',
      lineId: String(line.lineId),
      quantity: line.quantity,
      reason: line.reason,
      receivedQuantity: null,
      restocked: null,
    })),
    refundAmount: null,
  };
}

function readQuick(cache: Cache, id: string): QuickPartsFragment | null {
  return cache.readFragment(operations.QuickParts, { __typename: 'QuickReorder', id } as never);
}

/** The newest order is the first one. */
function addOrder(cache: Cache, edge: Edge): void {
  cache.updateQuery({ query: operations.History }, (data: any) => {
    const orders = data?.viewer?.orders;
    if (orders) orders.edges = unless(orders.edges, edge, (known) => [edge, ...known]);
    return data;
  });
}

function changeLists(cache: Cache, edit: (edges: Edge[]) => Edge[]): void {
  cache.updateQuery({ query: operations.QuickReorders }, (data: any) => {
    const lists = data?.viewer?.reorders.quickReorders;
    if (lists) lists.edges = edit(lists.edges);
    return data;
  });
}
