// What the screens share: the client, the person, and whether there is a connection.
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { ObservableQuery } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, catchUp, Discarded, followChanges, makeClient, perform, Session, type Landfall, type Refusal } from 'landfall-apollo';

export interface DemoUser {
  email: string;
  password: string;
  name: string;
}

const config: { demoUsers?: DemoUser[]; outbox?: string } = JSON.parse(document.getElementById('landfall-config')?.textContent || '{}');
export const demoUsers = config.demoUsers ?? [];
/** Where messages wait that would be mailed or texted; empty but in development. */
export const outbox = config.outbox ?? '';

/** A switch that takes the connection away, for those who are not on a train just now. */
class Plane {
  private pulled = false;
  private readonly listeners = new Set<() => void>();

  constructor() {
    addEventListener('online', () => this.tell());
    addEventListener('offline', () => this.tell());
  }

  get online(): boolean {
    return navigator.onLine && !this.pulled;
  }

  toggle(): void {
    this.pulled = !this.pulled;
    this.tell();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  fetch: typeof globalThis.fetch = async (...args) => {
    if (!this.online) throw new TypeError('There is no connection.');
    return globalThis.fetch(...args);
  };

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export const plane = new Plane();
export const session = new Session(`${location.origin}/graphql`, localStorage, plane.fetch);

export function useOnline(): boolean {
  return useSyncExternalStore(plane.subscribe, () => plane.online);
}

/** What changed while away, then what changes; lists that changed chats are in are read again. */
function stayCurrent(client: Landfall['client']): () => void {
  let stop: (() => void) | undefined = () => undefined;
  void catchUp(client, localStorage)
    .then(() => (stop &&= followChanges(client, localStorage, (type) => type === 'Chat' && refetchChats(client))))
    .catch(() => undefined);
  return () => (stop?.(), (stop = undefined));
}

/** Screens that were opened without a connection have asked in vain. */
function refetchUnanswered(client: Landfall['client']): void {
  const onQueryUpdated = (query: ObservableQuery<any>) => query.getCurrentResult().dataState === 'empty';
  void client.refetchQueries({ include: 'active', onQueryUpdated }).catch(() => undefined);
}

function refetchChats(client: Landfall['client']): void {
  void client.refetchQueries({ include: ['Chats'] }).catch(() => undefined);
}

interface Phone extends Landfall {
  /** Do it at once on the screen; a refusal is shown and rolled back. */
  act<T extends object>(name: string, input: T): void;
  waiting: number;
  /** End the session here and on the server. What waits stays, for its owner alone. */
  leave(): Promise<void>;
}

const PhoneContext = createContext<Phone | null>(null);

export function usePhone(): Phone {
  return useContext(PhoneContext)!;
}

export function PhoneProvider({ onRefused, children }: { onRefused: (refusal: Refusal) => void; children: ReactNode }) {
  // A server that does not know a document says 400, which a browser shows its visitor in red.
  const [landfall] = useState(() => makeClient(session, { persisted: false }));
  const [waiting, setWaiting] = useState(landfall.queue.saved().length);
  const online = useOnline();
  const { client, queue } = landfall;

  useEffect(() => queue.onChange(() => setWaiting(queue.length)), [queue]);
  useEffect(() => queue.onRefused((_, [refusal]) => refusal && onRefused({ retryable: false, message: '', ...refusal })), [queue, onRefused]);
  useEffect(() => void landfall.resume().catch(() => undefined), [landfall]);
  useEffect(() => {
    if (!online) return;
    queue.flush();
    refetchUnanswered(client);
  }, [online, queue, client]);
  useEffect(() => (online ? stayCurrent(client) : undefined), [online, client]);

  const phone: Phone = {
    ...landfall,
    waiting,
    async leave() {
      await landfall.stop();
      await session.signOut();
    },
    act(name, input) {
      void perform(client, name, act(input)).then(
        ([refusal]) => refusal && onRefused(refusal),
        (error: Error) => error instanceof Discarded || onRefused({ code: 'FAILED', message: error.message, retryable: false }),
      );
    },
  };
  return (
    <PhoneContext value={phone}>
      <ApolloProvider client={client}>{children}</ApolloProvider>
    </PhoneContext>
  );
}

/** Calls `more` when the returned element scrolls into view. */
export function useSentinel(more: () => void): (node: HTMLElement | null) => (() => void) | undefined {
  return (node) => {
    if (!node) return undefined;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { rootMargin: '400px' });
    observer.observe(node);
    return () => observer.disconnect();
  };
}
