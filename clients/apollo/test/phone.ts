// A phone for the tests: storage that outlives the program, and a network that can be taken away.
import type { NormalizedCacheObject } from '@apollo/client';
import WebSocket from 'ws';

import { makeClient, operations, Session, type Landfall, type Options, type Store } from '../src/index.js';

// Phones and browsers have one; Node has from version 22 on.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

/** What the tests are given: the server's address, and people who may sign in. */
const URL_ = process.env.LANDFALL_URL ?? 'http://127.0.0.1:8000/graphql';
const PEOPLE: { email: string; password: string }[] = JSON.parse(process.env.LANDFALL_PEOPLE ?? '[]');

export class Memory implements Store {
  private readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
}

export class Network {
  online = true;
  /** Requests arrive, answers do not. */
  deaf = false;
  requests = 0;

  fetch: typeof globalThis.fetch = async (url, init) => {
    if (!this.online) throw new TypeError('offline');
    this.requests += 1;
    const response = await globalThis.fetch(url, init);
    if (!this.deaf) return response;
    await response.arrayBuffer();
    throw new TypeError('connection lost');
  };
}

export class Phone {
  readonly store = new Memory();
  readonly network = new Network();
  readonly session = new Session(URL_, this.store, this.network.fetch);
  app: Landfall;

  constructor(private readonly options: Options = {}) {
    this.app = makeClient(this.session, options);
  }

  static async of(person: number, options?: Options): Promise<Phone> {
    const phone = new Phone(options);
    const { email, password } = PEOPLE[person]!;
    await phone.session.signIn(email, password, 'Test phone');
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
    return data!.viewer.feed.edges.map(({ node }) => node.text ?? '');
  }
}

export async function until<T>(found: () => T | undefined | false | null, what: string): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const value = found();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Not within 10 s: ${what}`);
}
