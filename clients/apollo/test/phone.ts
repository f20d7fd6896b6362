// A phone for the tests: the program can be killed and started again.
import type { NormalizedCacheObject } from '@apollo/client';
import { Device } from 'landfall-session/testing';

import { makeClient, operations, type Landfall, type Options } from '../src/index.js';

export class Phone extends Device {
  app: Landfall;

  constructor(private readonly options: Options = {}) {
    super();
    this.app = makeClient(this.session, options);
  }

  static async of(person: number, options?: Options): Promise<Phone> {
    const phone = new Phone(options);
    await phone.signIn(person);
    await phone.app.client.query({ query: operations.Me });
    return phone;
  }

  get client() {
    return this.app.client;
  }

  /** What the screen would show of an entity, expectations included. */
  cached(id: string): any {
    return (this.client.cache.extract(true) as NormalizedCacheObject)[id];
  }

  /** The program is killed and started again: only the storage stays. */
  async restart(): Promise<void> {
    await this.app.stop();
    this.app = makeClient(this.session, this.options);
  }

  async feed(): Promise<string[]> {
    const { data } = await this.client.query({ query: operations.Feed, fetchPolicy: 'network-only' });
    return data!.viewer!.feed.edges.map(({ node }) => node.text ?? '');
  }
}
