// What a server's answer means for an act that waits: whether it is over, and if not, when to come again.

export interface ResponseError {
  readonly message?: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly [name: string]: unknown };
}

/** An operation's answer, as GraphQL has it. */
export interface Answer {
  data?: { [field: string]: any } | null;
  errors?: readonly ResponseError[];
}

/** An error of a payload: what the server refuses as a matter of course. */
export interface UserError {
  kind?: string;
  code: string;
  message?: string;
  retryable?: boolean;
  retryAfterSeconds?: number | null;
}

/** No answer, or not yet: the same request may be sent again as it is. */
export class TryAgain extends Error {
  constructor(readonly afterSeconds: number | null = null) {
    super('The connection was lost, or the server asked to wait.');
  }
}

/** Codes of top-level errors that pass by themselves, as refusals of kind TRANSIENT do. */
const TRANSIENT = new Set(['IDEMPOTENCY_IN_PROGRESS', 'RATE_LIMITED', 'TIMEOUT', 'UNAVAILABLE']);

export type Outcome =
  /** Landed, or refused for good: told to the app, and forgotten. */
  | { kind: 'over' }
  /** To be sent again in the next flush; nothing waits for it. */
  | { kind: 'repeatable' }
  /** To be sent again after a while, and everything behind it as well. */
  | { kind: 'transient'; code: string; afterSeconds: number | null }
  /** The server failed at it, and keeps no receipt. */
  | { kind: 'bug' }
  /** Nobody is signed in any more. */
  | { kind: 'signed out' };

export function outcome({ data, errors = [] }: Answer): Outcome {
  const failed = errors[0];
  if (failed && !Object.values(data ?? {}).some(Boolean)) {
    const code = String(failed.extensions?.code);
    if (TRANSIENT.has(code)) return transient(code, failed.extensions?.retryAfterSeconds);
    if (code === 'INTERNAL') return { kind: 'bug' };
    return { kind: code === 'UNAUTHENTICATED' ? 'signed out' : 'over' };
  }
  const refusals = Object.values(data ?? {}).flatMap((payload) => (payload?.errors ?? []) as UserError[]);
  const passing = refusals.find(({ kind }) => kind === 'TRANSIENT');
  if (passing) return transient(passing.code, passing.retryAfterSeconds);
  return { kind: refusals.some(({ retryable }) => retryable) ? 'repeatable' : 'over' };
}

function transient(code: string, seconds: unknown): Outcome {
  return { kind: 'transient', code, afterSeconds: typeof seconds === 'number' ? seconds : null };
}

/** The server refused the request as a whole: nothing in it was run. */
export function refusedWhole({ data, errors }: Answer): boolean {
  return data == null && Boolean(errors?.length) && errors!.every(({ path }) => !path);
}

/** A status that says: the server is not well, or wants us to wait. The request may have landed or not. */
export function isTransient(status: number): boolean {
  return status >= 500 || status === 429;
}

/** Throws TryAgain for such a status, with the time that the server names. */
export function checkStatus({ status, headers }: Response): void {
  const seconds = Number(headers.get('Retry-After') ?? NaN);
  if (isTransient(status)) throw new TryAgain(Number.isFinite(seconds) ? seconds : null);
}
