// Graphcache for the cart: what to expect of a change before the server has answered.
import type { Cache, CacheExchangeOpts } from '@urql/exchange-graphcache';
import { keysOf, NO_ERRORS, now } from 'landfall-graphcache';

import type {
  AddCartLineInput,
  CartPartsFragment,
  LinePartsFragment,
  RemoveCartLineInput,
  UpdateCartLineInput,
} from './generated/graphql.js';
import schema from './generated/schema.js';
import * as operations from './operations.js';

export const cacheOptions: CacheExchangeOpts = {
  schema,
  keys: keysOf(schema),
  optimistic: {
    addCartLine({ input }: { input: AddCartLineInput }, cache) {
      const cart = readCart(cache);
      if (!cart) return null;
      const quantity = input.quantity ?? 1;
      const line = pending(String(input.id), quantity, cart.subtotal.currencyCode);
      return {
        __typename: 'AddCartLinePayload',
        ...NO_ERRORS,
        cart: withLines(cart, [line, ...cart.lines]),
        cartLine: { ...line, aliases: [] },
      };
    },
    updateCartLine({ input }: { input: UpdateCartLineInput }, cache) {
      const cart = readCart(cache);
      const quantity = input.quantity;
      if (!cart || quantity == null) return null;
      const lines = cart.lines.flatMap((line) => (line.id !== input.cartLineId ? [line] : quantity ? [{ ...line, quantity }] : []));
      return {
        __typename: 'UpdateCartLinePayload',
        ...NO_ERRORS,
        cart: withLines(cart, lines),
        cartLine: lines.find(({ id }) => id === input.cartLineId) ?? null,
      };
    },
    removeCartLine({ input }: { input: RemoveCartLineInput }, cache) {
      const cart = readCart(cache);
      return cart && {
        __typename: 'RemoveCartLinePayload',
        ...NO_ERRORS,
        cart: withLines(cart, cart.lines.filter(({ id }) => id !== input.cartLineId)),
        deletedCartLineId: input.cartLineId,
      };
    },
  },
};

function readCart(cache: Cache): CartPartsFragment | null {
  return cache.readQuery({ query: operations.Cart })?.viewer?.cart ?? null;
}

/** Prices and issues are the server's: they stay as they were until it answers. */
function withLines(cart: CartPartsFragment, lines: LinePartsFragment[]): CartPartsFragment {
  return { ...cart, lines, itemCount: lines.reduce((sum, { quantity }) => sum + quantity, 0) };
}

/** A line that the server has not seen: its prices are not known yet. */
function pending(id: string, quantity: number, currencyCode: string): LinePartsFragment {
  const unknown = { __typename: 'Money' as const, amount: '0', currencyCode };
  return {
    __typename: 'CartLine',
    id,
    version: 0,
    createdAt: now(),
    updatedAt: now(),
    title: '…',
    sku: '',
    quantity,
    status: 'OK',
    options: [],
    unitPrice: unknown,
    currentUnitPrice: unknown,
    lineTotal: unknown,
    cartIssues: [],
  };
}
