// A phone for the tests: the program can be killed and started again.
import { Device } from 'landfall-session/testing';
import type { DocumentInput, OperationResult } from 'urql';

import { act, makeClient, operations, type Landfall } from '../src/index.js';

export interface Refusal {
  code: string;
  message: string;
}

export class Phone extends Device {
  app: Landfall = makeClient(this.session);

  static async of(person: number): Promise<Phone> {
    const phone = new Phone();
    await phone.signIn(person);
    await phone.ask(operations.Me, {});
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
}
