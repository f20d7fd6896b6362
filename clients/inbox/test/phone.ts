// A phone for the tests of this program.
import { GraphcachePhone } from 'landfall-graphcache/testing';

import { cacheOptions, operations } from '../src/index.js';

export class Phone extends GraphcachePhone {
  static async of(person: number): Promise<Phone> {
    const phone = new Phone(cacheOptions);
    await phone.signIn(person);
    await phone.ask(operations.Inbox, {});
    return phone;
  }

  get inbox() {
    return this.shown(operations.Inbox, {})!.viewer!;
  }

  item(title: string) {
    return this.inbox.inbox.edges.find(({ node }) => node.notification.title === title)!.node;
  }

  get profile() {
    return this.shown(operations.Profile, {})!.viewer!.recipientProfile;
  }
}
