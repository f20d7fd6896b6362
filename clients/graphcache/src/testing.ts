// A phone for the tests of programs: the program can be killed and started again.
import type { DocumentInput, OperationResult } from '@urql/core';
import type { CacheExchangeOpts } from '@urql/exchange-graphcache';
import { act } from 'landfall-session';
import { Device } from 'landfall-session/testing';

import { makeClient, type Landfall } from './client.js';

export interface Refusal {
  code: string;
  message: string;
}

export class GraphcachePhone extends Device {
  app: Landfall;

  constructor(private readonly cacheOptions: CacheExchangeOpts) {
    super();
    this.app = makeClient(this.session, cacheOptions);
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
    return ((await this.payload(document, input)) as { errors: Refusal[] }).errors;
  }

  /** The payload of what was done, once the server has answered. */
  async payload<Data extends object, Variables extends { input: { idempotencyKey: string } }>(
    document: DocumentInput<Data, Variables>,
    input: Omit<Variables['input'], 'idempotencyKey'>,
  ): Promise<NonNullable<Data[keyof Data]>> {
    const variables = { input: act(input as Variables['input']) };
    const { data, error }: OperationResult<Data> = await this.client.mutation(document, variables as never).toPromise();
    if (!data) throw error;
    return Object.values(data)[0];
  }

  /** The program is killed and started again: only the storage stays. */
  async restart(): Promise<void> {
    // Graphcache writes what it learned a moment after it has.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await this.app.stop();
    this.app = makeClient(this.session, this.cacheOptions);
  }

  /** There is a connection again, over which what waited has gone out. */
  async backOnline(): Promise<void> {
    this.network.online = true;
    this.app.online();
    for (let tries = 0; this.app.queue.length && tries < 200; tries += 1) {
      this.app.queue.flush();
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
