// Mutations that wait for a connection: kept in storage, sent in order, landing once.
import type { Store } from './session.js';

/** What a person did, in words that a restarted program can send again. */
export interface Queued {
  /** The operation's name. */
  name: string;
  /** Its document, for clients that keep nothing else to send it by. */
  query?: string;
  variables: { input: { clientMutationId: string } };
}

interface Waiting {
  entry: Queued;
  /** Null until the restarted program performs again what it had not had an answer to. */
  attempt: (() => Promise<void>) | null;
}

/** Not answered, or not yet: the same request may be sent again as it is. */
export class TryAgain extends Error {
  constructor(readonly afterSeconds: number | null = null) {
    super('The connection was lost, or the server asked to wait.');
  }
}

const SAVED = 'landfall.queue';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const AGAIN = ['IDEMPOTENCY_IN_PROGRESS', 'RATE_LIMITED', 'TIMEOUT'];

/** Throws TryAgain where one of an answer's top-level errors says that the same request may be sent again. */
export function answered(errors: readonly { extensions?: { code?: unknown; retryAfterSeconds?: unknown } }[] = []): void {
  const again = errors.find(({ extensions }) => AGAIN.includes(String(extensions?.code)));
  if (again) throw new TryAgain(Number(again.extensions?.retryAfterSeconds ?? 1));
}

/** A status that says: the server is not well, or wants us to wait. The request may have landed or not. */
export function isTransient(status: number): boolean {
  return status >= 500 || status === 429;
}

/**
 * What waits is the person's intent: it is saved before it is sent, and removed when the server has
 * answered. A lost answer costs nothing, since the server knows the clientMutationId and answers what it
 * answered first. One at a time: a comment never overtakes the post it is on.
 */
export class Queue {
  private waiting: Waiting[];
  private sending = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FIRST_WAIT_MS;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly store: Store) {
    this.waiting = this.saved().map((entry) => ({ entry, attempt: null }));
  }

  /** What has not been answered, oldest first; also what an earlier run of the program left. */
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

  /** The answer, however long it takes. `send` throws TryAgain where there is none. */
  run<T>(entry: Queued, send: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const attempt = async (): Promise<void> => {
        try {
          const value = await send();
          this.shift();
          resolve(value);
        } catch (error) {
          if (error instanceof TryAgain) throw error;
          this.shift();
          reject(error);
        }
      };
      this.push(entry, attempt);
      void this.pump();
    });
  }

  private push(entry: Queued, attempt: () => Promise<void>): void {
    const key = entry.variables.input.clientMutationId;
    const left = this.waiting.find(
      (each) => each.attempt === null && each.entry.variables.input.clientMutationId === key,
    );
    if (left) left.attempt = attempt;
    else this.waiting.push({ entry, attempt });
    this.save();
  }

  private async pump(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      // What an earlier run left goes first: what came after may build on it.
      for (let next = this.waiting[0]; next?.attempt; next = this.waiting[0]) {
        await next.attempt();
        this.waitMs = FIRST_WAIT_MS;
      }
    } catch (error) {
      this.later(error instanceof TryAgain && error.afterSeconds !== null ? 1000 * error.afterSeconds : this.backoff());
    } finally {
      this.sending = false;
    }
  }

  private backoff(): number {
    const wait = this.waitMs;
    this.waitMs = Math.min(2 * wait, LONGEST_WAIT_MS);
    return wait * (0.5 + Math.random() / 2);
  }

  private shift(): void {
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

  /** Forget the timer: the program ends, or the test does. What waits stays saved. */
  stop(): void {
    clearTimeout(this.timer);
    this.waiting = [];
    this.listeners.clear();
  }
}
