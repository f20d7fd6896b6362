// Mutations that wait for a connection: kept in storage, sent in order, landing once.
import { type Act, Flush, parts } from './document.js';
import { type Answer, outcome, type Outcome, refusedWhole, TryAgain, type UserError } from './outcome.js';
import { type Session, SignedOut } from './session.js';

/** What a person did, in words that a restarted program can send again. */
export interface Queued extends Act {
  /** The operation's name. */
  name: string;
  /** Its document; without one it is sent alone, once the restarted program performs it again. */
  query?: string | null;
  variables: { input: { idempotencyKey: string; id?: unknown } };
}

/** An entry of the store. */
interface Kept extends Queued {
  /** Who did it: it is sent as nobody else. */
  owner: string;
}

interface Waiting extends Kept {
  /** Sends it by itself, the client's own way. */
  alone?: (() => Promise<Answer>) | undefined;
  /** Who waits for the answer: nobody after a restart, until it is performed again. */
  resolve?: ((answer: Answer) => void) | undefined;
  reject?: ((error: unknown) => void) | undefined;
}

export interface QueueOptions {
  /** Acts of one document; 1 where the server takes registered documents alone. */
  most?: number;
  /** Calls back after so many milliseconds; tests let them pass faster. */
  after?: (milliseconds: number, call: () => void) => ReturnType<typeof setTimeout>;
}

/** The person does not want it any more. */
export class Discarded extends Error {}

type Refused = (entry: Queued, errors: UserError[]) => void;

const SAVED = 'landfall.queue';
/** A document has at most 60 root fields. */
const MOST = 50;
/** Well below the million bytes that a request may have. */
const MOST_CHARACTERS = 250_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** How often what met a bug of the server's is tried before the app is told. */
const MOST_BUGS = 5;
/** How long what another act must cure waits for a flush, if nothing else causes one. */
const HELD_MS = 60_000;

/**
 * Offline queue (transactional outbox): an act is saved before it is sent, and removed when the server has
 * answered. A lost answer costs nothing, since the server knows the idempotencyKey and answers what it answered
 * first. A flush is one document of mutations in order: a comment never overtakes the post it is on. What the
 * server defers stays in its place, what it refuses for good is handed to the app.
 */
export class Queue {
  private waiting: Waiting[];
  /** What this program has read or written; what else the store holds is of another tab of the browser. */
  private readonly seen = new Set<string>();
  /** Keys that another act has to cure: they sit out the rest of this flush. */
  private readonly held = new Set<string>();
  private readonly most: number;
  private size: number;
  private sending = false;
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Whom the server asked to wait. */
  private pausing: string | null = null;
  private waitMs = FIRST_WAIT_MS;
  private readonly bugs = new Map<string, number>();
  private readonly after: NonNullable<QueueOptions['after']>;
  private readonly changes = new Set<() => void>();
  private readonly refusals = new Set<Refused>();

  constructor(private readonly session: Session, { most = MOST, after = (wait, call) => setTimeout(call, wait) }: QueueOptions = {}) {
    this.most = this.size = most;
    this.after = after;
    this.waiting = this.kept();
    for (const entry of this.waiting) this.seen.add(identity(entry));
  }

  /** What the signed-in person did and has no answer to, oldest first; also what an earlier run left. */
  saved(): Queued[] {
    return this.own(this.kept()).map(({ owner: _, ...entry }) => entry);
  }

  /** How much of it there is. */
  get length(): number {
    return this.own(this.waiting).length;
  }

  onChange(listener: () => void): () => void {
    this.changes.add(listener);
    return () => this.changes.delete(listener);
  }

  /** Refusals that nobody waits for: of acts that an earlier run of the program queued. */
  onRefused(listener: Refused): () => void {
    this.refusals.add(listener);
    return () => this.refusals.delete(listener);
  }

  /** Try now: the device says that it is online. A time that the server named is kept all the same. */
  flush(): void {
    void this.session.leave().catch(() => undefined);
    if (this.pausing && this.pausing === this.session.userId) return;
    clearTimeout(this.timer);
    this.waitMs = FIRST_WAIT_MS;
    void this.pump();
  }

  /** The answer, however long it takes. `alone` sends it without others; TryAgain means that there is none yet. */
  run(entry: Queued, alone: () => Promise<Answer>): Promise<Answer> {
    const owner = this.session.userId;
    if (owner === null) return alone();
    return new Promise<Answer>((resolve, reject) => {
      this.push({ ...entry, owner, alone, resolve, reject });
      if (this.pausing !== owner) void this.pump();
    });
  }

  /** Forget what the signed-in person did: they do not want it any more. */
  discard(): void {
    const gone = new Set(this.own(this.waiting));
    this.waiting = this.waiting.filter((each) => !gone.has(each));
    this.save();
    for (const { reject } of gone) reject?.(new Discarded('Discarded before it was sent.'));
  }

  /** The program ends, or the person signs out. What waits stays saved, for them alone. */
  stop(): void {
    clearTimeout(this.timer);
    this.stopped = true;
    this.waiting = [];
    this.changes.clear();
    this.refusals.clear();
  }

  private push(entry: Waiting): void {
    const left = this.waiting.find((each) => key(each) === key(entry) && each.owner === entry.owner);
    if (left) Object.assign(left, entry);
    else this.waiting.push(entry);
    this.save();
  }

  private async pump(): Promise<void> {
    if (this.sending || this.stopped) return;
    this.sending = true;
    this.held.clear();
    try {
      for (let next = this.next(); next.length && !this.stopped; next = this.next()) {
        await this.send(next);
        this.waitMs = FIRST_WAIT_MS;
      }
      if (this.held.size) this.later(HELD_MS);
    } catch (error) {
      this.wait(error);
    } finally {
      this.sending = false;
    }
  }

  private wait(error: unknown): void {
    // Whoever signs in again flushes.
    if (error instanceof SignedOut || this.stopped) return;
    if (!(error instanceof TryAgain)) throw error;
    this.pausing = error.afterSeconds === null ? null : this.session.userId;
    this.later(error.afterSeconds !== null ? 1000 * error.afterSeconds : this.backoff());
  }

  /** What goes into the next document: in order, without what is held and what names a thing that is held. */
  private next(): Waiting[] {
    const batch: Waiting[] = [];
    const missing = new Set<string>();
    let characters = 0;
    for (const entry of this.own(this.waiting)) {
      if (this.held.has(key(entry)) || mentions(entry, missing)) {
        this.hold(entry, missing);
        continue;
      }
      // A restarted program that keeps no documents has to perform it again first.
      if (!entry.query && !entry.alone) break;
      characters += JSON.stringify(entry.variables).length + (entry.query?.length ?? 0);
      if (batch.length && (!parts(entry) || !parts(batch[0]!) || characters > MOST_CHARACTERS)) break;
      batch.push(entry);
      if (batch.length >= this.size) break;
    }
    return batch;
  }

  private async send(batch: Waiting[]): Promise<void> {
    const flush = new Flush<Waiting>();
    if (batch.length > 1) batch.every((entry) => flush.add(entry));
    if (flush.acts.length < 2) {
      await this.sendAlone(batch[0]!);
      return;
    }
    const answer = await this.session.post(flush.body, batch[0]!.owner);
    if (refusedWhole(answer)) {
      this.judge([[batch[0]!, answer]], { whole: true });
      // One of them may be what the server cannot read, or all of them are too much: fewer at a time.
      this.size = Math.floor(flush.acts.length / 2);
      return;
    }
    this.size = Math.min(this.most, 2 * this.size);
    const answers = flush.split(answer);
    this.judge(flush.acts.map((entry, number) => [entry, answers[number]!]));
  }

  private async sendAlone(entry: Waiting): Promise<void> {
    let answer: Answer;
    try {
      answer = await (entry.alone?.() ?? this.session.post({ query: entry.query, variables: entry.variables }, entry.owner));
    } catch (error) {
      if (error instanceof TryAgain || error instanceof SignedOut) throw error;
      this.remove(entry);
      entry.reject?.(error);
      return;
    }
    this.size = Math.min(this.most, 2 * this.size);
    this.judge([[entry, answer]]);
  }

  /** Take what is over off the queue; throws TryAgain where the server asks to wait. */
  private judge(answered: [Waiting, Answer][], { whole = false } = {}): void {
    const missing = new Set<string>();
    let again: TryAgain | undefined;
    for (const [entry, answer] of answered) {
      const found = this.bounded(entry, outcome(answer));
      if (found.kind === 'signed out') throw new SignedOut('Sign in again.');
      if (found.kind === 'over' && !whole) this.settle(entry, answer);
      // What names a thing that is held was deferred with it, and is no reason to wait.
      else if (found.kind === 'repeatable' || (found.kind === 'transient' && mentions(entry, missing))) this.hold(entry, missing);
      else if (found.kind === 'transient') again ??= new TryAgain(found.afterSeconds);
    }
    if (again) throw again;
  }

  /** A bug is no answer, and the server has forgotten the act; one that does not go away is handed over at last. */
  private bounded(entry: Waiting, found: Outcome): Outcome {
    if (found.kind !== 'bug') return found;
    const tries = (this.bugs.get(key(entry)) ?? 0) + 1;
    this.bugs.set(key(entry), tries);
    return { kind: tries < MOST_BUGS ? 'repeatable' : 'over' };
  }

  private hold(entry: Waiting, missing: Set<string>): void {
    this.held.add(key(entry));
    const { id } = entry.variables.input;
    if (typeof id === 'string') missing.add(id);
  }

  private settle(entry: Waiting, answer: Answer): void {
    this.remove(entry);
    if (entry.resolve) {
      entry.resolve(answer);
      return;
    }
    const refused = Object.values(answer.data ?? {}).flatMap((payload) => (payload?.errors ?? []) as UserError[]);
    const failed = (answer.errors ?? []).map(({ message, extensions }) => ({ code: String(extensions?.code), message: message ?? '' }));
    if (refused.length + failed.length) for (const tell of this.refusals) tell(entry, [...refused, ...failed]);
  }

  private backoff(): number {
    const wait = this.waitMs;
    this.waitMs = Math.min(2 * wait, LONGEST_WAIT_MS);
    return wait * (0.5 + Math.random() / 2);
  }

  private remove(entry: Waiting): void {
    this.waiting = this.waiting.filter((each) => each !== entry);
    this.save();
  }

  private own<T extends Kept>(entries: T[]): T[] {
    const { userId } = this.session;
    return entries.filter(({ owner }) => owner === userId);
  }

  private kept(): Kept[] {
    const kept = JSON.parse(this.session.store.getItem(SAVED) ?? '[]') as Kept[];
    return kept.filter(({ owner }) => owner);
  }

  private save(): void {
    if (this.stopped) return;
    const merged = this.merged().map(({ owner, name, query, variables }) => ({ owner, name, query, variables }));
    this.session.store.setItem(SAVED, JSON.stringify(merged));
    for (const listener of this.changes) listener();
  }

  /** The store's list in its order, with what other tabs have put there or taken off meanwhile. */
  private merged(): Kept[] {
    const stored = this.kept();
    const there = new Set(stored.map(identity));
    // Another tab has had the answer to what both found, and nobody waits for it here.
    this.waiting = this.waiting.filter((each) => each.resolve || there.has(identity(each)) || !this.seen.has(identity(each)));
    const own = new Map(this.waiting.map((each) => [identity(each), each]));
    for (const each of own.keys()) this.seen.add(each);
    return [
      ...stored.filter((each) => own.has(identity(each)) || !this.seen.has(identity(each))).map((each) => own.get(identity(each)) ?? each),
      ...this.waiting.filter((each) => !there.has(identity(each))),
    ];
  }

  private later(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = this.after(milliseconds, () => {
      this.pausing = null;
      void this.pump();
    });
  }
}

function key({ variables }: Queued): string {
  return variables.input.idempotencyKey;
}

function identity(entry: Kept): string {
  return `${entry.owner} ${key(entry)}`;
}

/** Whether the act names one of these things anywhere in its input. */
function mentions({ variables }: Queued, ids: Set<string>): boolean {
  if (!ids.size) return false;
  const text = JSON.stringify(variables.input);
  return [...ids].some((id) => text.includes(JSON.stringify(id)));
}
