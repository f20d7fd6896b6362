// The cart of a device on which nobody is signed in: a secret of its own names it, until somebody signs in.
import { type DocumentNode, print } from 'graphql';
import { act, type Store } from 'landfall-session';

import type { CartPartsFragment } from './generated/graphql.js';
import * as operations from './operations.js';

const TOKEN = 'landfall.cart-token';

export class DeviceCart {
  constructor(
    private readonly url: string,
    private readonly store: Store,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  /** Kept before it is sent: the answer to the first write may be lost. */
  get token(): string {
    const kept = this.store.getItem(TOKEN);
    if (kept) return kept;
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const token = btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
    this.store.setItem(TOKEN, token);
    return token;
  }

  async cart(): Promise<CartPartsFragment | null> {
    return (await this.ask(operations.AnonymousCart, {})).anonymousCart;
  }

  async add(input: { id: string; item: { productVariantId: string }; quantity?: number; idempotencyKey?: string }): Promise<any> {
    return (await this.ask(operations.AddCartLine, { input: act(input) })).addCartLine;
  }

  /** After a merge the secret is good for nothing. */
  forget(): void {
    this.store.removeItem(TOKEN);
  }

  private async ask(document: DocumentNode, variables: object): Promise<any> {
    const headers = { 'Content-Type': 'application/json', 'X-Cart-Token': this.token };
    const response = await this.fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query: print(document), variables }) });
    const { data, errors } = (await response.json()) as { data: any; errors?: { message: string }[] };
    if (errors?.length) throw new Error(errors[0]!.message);
    return data;
  }
}
