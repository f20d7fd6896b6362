// What tests of every client need: storage that outlives the program, and a network that can be taken away.
import WebSocket from 'ws';

import { Session, type Store } from './session.js';

// Phones and browsers have one; Node has from version 22 on.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

/** What the tests are given: the server's address, and people who may sign in. */
export const ADDRESS = process.env.LANDFALL_URL ?? 'http://127.0.0.1:8000/graphql';
const PEOPLE: { email: string; password: string; id?: string }[] = JSON.parse(process.env.LANDFALL_PEOPLE ?? '[]');

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
  /** What a proxy says in the server's place, once. */
  instead: Response | null = null;
  requests = 0;
  /** What was sent, method and all. */
  readonly sent: { method: string; url: string; body: string }[] = [];

  fetch: typeof globalThis.fetch = async (url, init) => {
    if (!this.online) throw new TypeError('offline');
    this.requests += 1;
    this.sent.push({ method: init?.method ?? 'GET', url: String(url), body: String(init?.body ?? '') });
    const { instead } = this;
    this.instead = null;
    if (instead) return instead;
    const response = await globalThis.fetch(url, init);
    if (!this.deaf) return response;
    await response.arrayBuffer();
    throw new TypeError('connection lost');
  };
}

/** What stays when the program is killed. */
export class Device {
  readonly store = new Memory();
  readonly network = new Network();
  readonly session = new Session(ADDRESS, this.store, this.network.fetch);

  /** By their place in the list; -1 is the last one. */
  async signIn(person: number): Promise<void> {
    const { email, password } = PEOPLE.at(person)!;
    await this.session.signIn(email, password, 'Test phone');
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
