// A phone for the tests of this program.
import { mint } from 'landfall-session';
import { GraphcachePhone, type Refusal } from 'landfall-graphcache/testing';

import { cacheOptions, operations } from '../src/index.js';

export class Phone extends GraphcachePhone {
  products: string[] = [];

  static async of(person: number): Promise<Phone> {
    const phone = new Phone(cacheOptions);
    await phone.signIn(person);
    const { topSellers } = await phone.ask(operations.Products, { limit: 6 });
    phone.products = topSellers.map(({ id }) => String(id));
    await phone.ask(operations.Wishlist, {});
    return phone;
  }

  get favorites() {
    return this.shown(operations.Wishlist, {})?.viewer?.favoriteList.favorites.edges.map(({ node }) => node) ?? [];
  }

  /** Targets as the screen shows them. */
  get targets(): string[] {
    return this.favorites.map(({ targetId }) => String(targetId));
  }

  /** Targets as the server has them. */
  async read(): Promise<string[]> {
    await this.ask(operations.Wishlist, {});
    return this.targets;
  }

  save(targetId: string): Promise<Refusal[]> {
    return this.perform(operations.AddFavorite, { id: mint('favorite'), targetId });
  }
}
