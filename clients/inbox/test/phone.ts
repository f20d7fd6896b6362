// A phone for the tests: the program can be killed and started again.
import type { DocumentInput, OperationResult } from '@urql/core';
import { Device } from 'landfall-session/testing';

import { act, makeClient, operations, type InboxApp } from '../src/index.js';

export interface Refusal {
  code: string;
  message: string;
}

export class Phone extends Device {
  app: InboxApp = makeClient(this.session);

  static async of(person: number): Promise<Phone> {
    const phone = new Phone();
    await phone.signIn(person);
    await phone.ask(operations.Inbox, {});
    return phone;
  }

  get client() {
    return this.app.client;
  }

  /** From the server. */
  async ask<Data, Variables extends object>(document: DocumentInput<Data, Variables>, variables: Variables): Promise<Data> {
    const { data, error } = await this.client.query(document, variables as never, { requestPolicy: 'network-only' }).toPromise();
    if (!data) throw error;
    return data;
  }

  /** What the screen shows without asking anybody. */
  shown<Data, Variables extends object>(document: DocumentInput<Data, Variables>, variables: Variables): Data | null {
    return this.client.readQuery(document, variables as never, { requestPolicy: 'cache-only' })?.data ?? null;
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

  /** The refusals of what was done, once the server has answered. */
  async perform<Variables extends { input: { idempotencyKey: string } }>(
    document: DocumentInput<any, Variables>,
    input: Omit<Variables['input'], 'idempotencyKey'>,
  ): Promise<Refusal[]> {
    const variables = { input: act(input as Variables['input']) };
    const { data, error }: OperationResult = await this.client.mutation(document, variables as never).toPromise();
    if (!data) throw error;
    return (Object.values(data)[0] as { errors: Refusal[] }).errors;
  }

  /** The program is killed and started again: only the storage stays. */
  async restart(): Promise<void> {
    // Graphcache writes what it learned a moment after it has.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await this.app.stop();
    this.app = makeClient(this.session);
  }

  async backOnline(): Promise<void> {
    this.network.online = true;
    this.app.online();
    for (let tries = 0; this.app.queue.length && tries < 200; tries += 1) {
      this.app.queue.flush();
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
