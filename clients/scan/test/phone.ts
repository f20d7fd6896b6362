// A phone for the tests of this program.
import { GraphcachePhone } from 'landfall-graphcache/testing';

import { cacheOptions, operations, Scanner } from '../src/index.js';

export const CODES: string[] = JSON.parse(process.env.LANDFALL_CODES ?? '[]');

export class Phone extends GraphcachePhone {
  scanner = new Scanner(this.app, this.session);

  static async of(person: number): Promise<Phone> {
    const phone = new Phone(cacheOptions);
    await phone.signIn(person);
    await phone.ask(operations.History, { first: 20 });
    await phone.ask(operations.Stacks, {});
    return phone;
  }

  override async restart(): Promise<void> {
    await super.restart();
    this.scanner = new Scanner(this.app, this.session);
  }

  get scans() {
    return this.shown(operations.History, { first: 20 })!.viewer!.scanner.scans.edges.map(({ node }) => node);
  }

  get stacks() {
    return this.shown(operations.Stacks, {})!.viewer!.stacks.edges.map(({ node }) => node);
  }
}
