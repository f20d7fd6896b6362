// A phone for the tests of this program.
import { GraphcachePhone } from 'landfall-graphcache/testing';
import { ADDRESS } from 'landfall-session/testing';

import { cacheOptions, DeviceCart, operations } from '../src/index.js';

export class Phone extends GraphcachePhone {
  readonly device = new DeviceCart(ADDRESS, this.store, this.network.fetch);

  constructor() {
    super(cacheOptions);
  }

  static async of(person: number): Promise<Phone> {
    const phone = new Phone();
    await phone.signIn(person);
    await phone.ask(operations.Cart, {});
    return phone;
  }

  get cart() {
    return this.shown(operations.Cart, {})!.viewer!.cart;
  }

  line(id: string) {
    return this.cart.lines.find((line) => line.id === id);
  }

  /** Variants to buy. */
  async variants(): Promise<string[]> {
    const { searchProducts } = await this.ask(operations.Products, {});
    return searchProducts.edges.map(({ node }) => node.defaultVariant!.id);
  }
}
