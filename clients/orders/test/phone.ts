// A phone for the tests of this program.
import { GraphcachePhone } from 'landfall-graphcache/testing';

import { cacheOptions, mint, operations } from '../src/index.js';

const ADDRESS = { name: 'Ada Lovelace', line1: 'Hauptstr. 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };

export class Phone extends GraphcachePhone {
  constructor() {
    super(cacheOptions);
  }

  static async of(person: number): Promise<Phone> {
    const phone = new Phone();
    await phone.signIn(person);
    await phone.ask(operations.Cart, {});
    await phone.ask(operations.History, {});
    await phone.ask(operations.QuickReorders, {});
    return phone;
  }

  get cart() {
    return this.shown(operations.Cart, {})!.viewer!.cart;
  }

  get orders() {
    return this.shown(operations.History, {})!.viewer!.orders.edges.map(({ node }) => node);
  }

  get lists() {
    return this.shown(operations.QuickReorders, {})!.viewer!.reorders.quickReorders.edges.map(({ node }) => node);
  }

  /** Variants to buy. */
  async variants(): Promise<string[]> {
    const { searchProducts } = await this.ask(operations.Products, {});
    return searchProducts.edges.map(({ node }) => node.defaultVariant!.id);
  }

  /** The token of a quote for what is in the cart, shipped to Berlin. */
  async quote(): Promise<string> {
    const input = { idempotencyKey: crypto.randomUUID(), shippingAddress: ADDRESS };
    const { data } = await this.client.mutation(operations.ValidateCart, { input }).toPromise();
    return String(data!.validateCart!.checkoutQuote!.token);
  }

  /** An order of these variants, which is paid. */
  async buys(...variants: string[]): Promise<void> {
    for (const productVariantId of variants) {
      await this.perform(operations.AddCartLine, { id: mint('cart_line'), item: { productVariantId }, quantity: 2 });
    }
    const refused = await this.perform(operations.PlaceOrder, { quoteToken: await this.quote(), source: { token: 'tok_visa' } });
    if (refused.length) throw new Error(JSON.stringify(refused));
  }
}
