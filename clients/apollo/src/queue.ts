// Mutations that wait for a connection: kept in storage, sent in order, landing once.
import { ApolloLink, Observable, ServerError } from '@apollo/client';
import { OperationTypeNode } from 'graphql';

import type { Store } from './session.js';

export interface Queued {
  /** The operation's name: what to perform again after a restart. */
  name: string;
  variables: { input: { clientMutationId: string } };
}

interface Waiting {
  entry: Queued;
  send: () => Observable<ApolloLink.Result>;
  observer: { next(result: ApolloLink.Result): void; complete(): void; error(error: unknown): void };
}

const SAVED = 'landfall.queue';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** Codes after which the same request may be sent again as it is. */
const AGAIN = ['IDEMPOTENCY_IN_PROGRESS', 'RATE_LIMITED', 'TIMEOUT'];

/**
 * The link in front of the network. What waits is the person's intent: it is saved before it is sent, and
 * removed when the server has answered. A lost answer costs nothing, since the server knows the
 * clientMutationId and answers what it answered first.
 */
export class OfflineQueue extends ApolloLink {
  private waiting: Waiting[] = [];
  private sending = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FIRST_WAIT_MS;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly store: Store) {
    super();
  }

  /** What was not answered before the program ended, oldest first. */
  saved(): Queued[] {
    return JSON.parse(this.store.getItem(SAVED) ?? '[]') as Queued[];
  }

  get length(): number {
    return this.waiting.length;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Try now: the device says that it is online. */
  flush(): void {
    clearTimeout(this.timer);
    this.waitMs = FIRST_WAIT_MS;
    void this.pump();
  }

  override request(operation: ApolloLink.Operation, forward: ApolloLink.ForwardFunction): Observable<ApolloLink.Result> {
    const { input } = operation.variables as Partial<Queued['variables']>;
    if (operation.operationType !== OperationTypeNode.MUTATION || !input?.clientMutationId) {
      return forward(operation);
    }
    return new Observable((observer) => {
      const entry = { name: operation.operationName ?? '', variables: { input } };
      this.waiting.push({ entry, send: () => forward(operation), observer });
      this.save();
      void this.pump();
    });
  }

  private async pump(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
        const wait = await this.sendOne(next);
        if (wait !== null) {
          this.later(wait);
          return;
        }
        this.waitMs = FIRST_WAIT_MS;
      }
    } finally {
      this.sending = false;
    }
  }

  /** How long to wait before it is sent again; null when it has been answered. */
  private async sendOne({ send, observer }: Waiting): Promise<number | null> {
    let result: ApolloLink.Result;
    try {
      result = await new Promise<ApolloLink.Result>((resolve, reject) => {
        send().subscribe({ next: resolve, error: reject });
      });
    } catch (error) {
      if (!isTransient(error)) {
        this.answered();
        observer.error(error);
        return null;
      }
      const wait = this.waitMs;
      this.waitMs = Math.min(2 * wait, LONGEST_WAIT_MS);
      return wait * (0.5 + Math.random() / 2);
    }
    const again = result.errors?.find((error) => AGAIN.includes(String(error.extensions?.code)));
    if (again) return 1000 * Number(again.extensions?.retryAfterSeconds ?? 1);
    this.answered();
    observer.next(result);
    observer.complete();
    return null;
  }

  private answered(): void {
    this.waiting.shift();
    this.save();
  }

  private save(): void {
    this.store.setItem(SAVED, JSON.stringify(this.waiting.map(({ entry }) => entry)));
    for (const listener of this.listeners) listener();
  }

  private later(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.pump(), milliseconds);
  }

  /** Forget the timer: the program ends, or the test does. */
  stop(): void {
    clearTimeout(this.timer);
    this.waiting = [];
  }
}

/** No connection, or a server that is not well: the request may have landed or not. */
function isTransient(error: unknown): boolean {
  return ServerError.is(error) ? error.statusCode >= 500 || error.statusCode === 429 : error instanceof TypeError;
}
