// A phone for the tests of this program.
import { GraphcachePhone } from 'landfall-graphcache/testing';

import { cacheOptions, operations } from '../src/index.js';

export class Phone extends GraphcachePhone {
  static async of(person: number): Promise<Phone> {
    const phone = new Phone(cacheOptions);
    await phone.signIn(person);
    await phone.ask(operations.Me, {});
    return phone;
  }
}
