// A phone for the tests of this program.
import { GraphcachePhone } from 'landfall-graphcache/testing';
import { until } from 'landfall-session/testing';

import { cacheOptions, catchUp, mint, operations } from '../src/index.js';

const ADDRESS = { name: 'Ada Lovelace', line1: 'Hauptstr. 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };
/** What is on sale for all tests; those that change prices or stock bring articles of their own. */
const COMMON = 'Nordic Harbor';

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

  order(id: string) {
    // While parts of it are still on their way to the cache, the screen has nothing to show.
    return this.shown(operations.History, {})?.viewer?.orders.edges.find(({ node }) => node.id === id)?.node;
  }

  /** What is on the shelf of a brand, as the screen shows it. */
  shelf(brand: string) {
    const found = this.shown(operations.Products, { filter: { brands: [brand] } })?.searchProducts.edges ?? [];
    return found.map(({ node }) => node);
  }

  /** Look at the shelf until so many articles are on it: what is put on sale is found a moment later. */
  async browse(brand: string, count: number): Promise<void> {
    for (let tries = 0; this.shelf(brand).length < count; tries += 1) {
      if (tries === 100) throw new Error(`Not on the shelf of ${brand}`);
      await this.ask(operations.Products, { filter: { brands: [brand] } });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Variants to buy. */
  async variants(): Promise<string[]> {
    const { searchProducts } = await this.ask(operations.Products, { filter: { brands: [COMMON] } });
    return searchProducts.edges.map(({ node }) => node.defaultVariant!.id);
  }

  /** A quote for what is in the cart, shipped to Berlin. */
  async quoted() {
    const { checkoutQuote } = await this.payload(operations.ValidateCart, { shippingAddress: ADDRESS });
    return checkoutQuote!;
  }

  /** The token of such a quote. */
  async quote(): Promise<string> {
    return String((await this.quoted()).token);
  }

  async adds(productVariantId: string, quantity: number): Promise<string> {
    const id = mint('cart_line');
    const refused = await this.perform(operations.AddCartLine, { id, item: { productVariantId }, quantity });
    if (refused.length) throw new Error(JSON.stringify(refused));
    return id;
  }

  /** An order of these variants, two of each, which is paid; its id. */
  async buys(...variants: string[]): Promise<string> {
    for (const variant of variants) await this.adds(variant, 2);
    const given = { quoteToken: await this.quote(), source: { token: 'tok_visa' } };
    const { errors, order } = await this.payload(operations.PlaceOrder, given);
    if (errors.length) throw new Error(JSON.stringify(errors));
    return order!.id;
  }

  /** Ask what changed until the screen shows it: a job does it a moment later. */
  async catchesUp(shown: () => boolean, what: string): Promise<void> {
    for (let tries = 0; !shown(); tries += 1) {
      if (tries === 100) throw new Error(`Not after ${tries} questions: ${what}`);
      await catchUp(this.client, this.store);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The order once the screen shows it in this status, without asking anybody. */
  async sees(orderId: string, status: string) {
    return until(() => [this.order(orderId)].find((order) => order?.status === status), `the order ${status}`);
  }
}
