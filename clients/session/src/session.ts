// A signed-in person: keeps the tokens, and renews them before they expire.

import { mint } from './ids.js';
import { type Answer, checkStatus, outcome, TryAgain } from './outcome.js';

/** Where things survive a restart: `localStorage`, or what a mobile shell offers in its place. */
export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

interface Tokens {
  accessToken: string;
  accessTokenExpiresAt: string;
  refreshToken: string;
  issuedAt: string;
}

interface Saved {
  tokens: Tokens;
  /** How far the server's clock is ahead of ours. */
  skewMs: number;
  userId: string;
}

const TOKENS = 'accessToken accessTokenExpiresAt refreshToken issuedAt';
const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) {
  errors { code message } tokens { ${TOKENS} } user { id } authFlow { id maskedDestination } } }`;
const VERIFY_OTP = `mutation VerifyOtp($input: VerifyOtpInput!) { verifyOtp(input: $input) {
  errors { code message } tokens { ${TOKENS} } user { id } } }`;
const REFRESH = `mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) {
  errors { code message } tokens { ${TOKENS} } user { id } } }`;

const SIGN_OUT = `mutation SignOut($input: SignOutInput!) { signOut(input: $input) { errors { code message } } }`;

const RENEW_BEFORE_MS = 30_000;
const SAVED = 'landfall.session';
const DEVICE = 'landfall.device';
/** Refresh tokens of sessions that are to end as soon as there is a connection. */
const LEAVING = 'landfall.leaving';
/** What a phone remembers of them; the server ends what is not used for long by itself. */
const MOST_LEAVING = 10;

/** A sign-in that waits for the one-time code sent to `maskedDestination`. */
export interface Flow {
  id: string;
  maskedDestination: string;
}

/** The server refused: the person has to sign in again. `code` is its error code. */
export class SignedOut extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

export class Session {
  private renewing: Promise<string | null> | null = null;

  constructor(
    readonly url: string,
    readonly store: Store,
    readonly fetch: typeof globalThis.fetch = (...args) => globalThis.fetch(...args),
  ) {}

  get userId(): string | null {
    return this.saved?.userId ?? null;
  }

  /** Minted once and kept: sessions are bound to it. */
  get deviceId(): string {
    let id = this.store.getItem(DEVICE);
    if (id === null) {
      id = mint('device');
      this.store.setItem(DEVICE, id);
    }
    return id;
  }

  /**
   * The flow that a one-time code ends, where the server wants one; else null, and the person is signed in.
   * `captchaToken` answers CAPTCHA_REQUIRED, which follows wrong passwords.
   */
  async signIn(email: string, password: string, deviceName: string, captchaToken?: string): Promise<Flow | null> {
    const device = { deviceId: this.deviceId, name: deviceName, platform: 'WEB' };
    const answered = captchaToken ? { captchaToken } : {};
    const payload = await this.ask('signIn', SIGN_IN, { email, password, device, ...answered });
    if (payload.authFlow) return payload.authFlow;
    this.take(payload);
    void this.leave();
    return null;
  }

  /** Ends a sign-in by the code that was sent. */
  async verifyCode(flowId: string, code: string): Promise<void> {
    this.take(await this.ask('verifyOtp', VERIFY_OTP, { authFlowId: flowId, code, deviceId: this.deviceId }));
    void this.leave();
  }

  /** Ends the session here at once, and on the server: now, or when there is a connection again. */
  async signOut(): Promise<void> {
    const saved = this.saved;
    this.store.removeItem(SAVED);
    if (saved) this.leaving = [...this.leaving, saved.tokens.refreshToken].slice(-MOST_LEAVING);
    await this.leave();
  }

  /** End on the server what was ended here. Sign-in and a flush of the queue call it too. */
  async leave(): Promise<void> {
    for (const refreshToken of this.leaving) {
      try {
        const input = { idempotencyKey: crypto.randomUUID(), refreshToken };
        if (outcome(await this.send({ query: SIGN_OUT, variables: { input } }, null)).kind !== 'over') return;
      } catch (error) {
        if (error instanceof TryAgain) return;
        throw error;
      }
      this.leaving = this.leaving.filter((each) => each !== refreshToken);
    }
  }

  /**
   * The answer to a request of the signed-in person; once more with a new token when theirs has expired. `as` says
   * whose it is: it is not sent when somebody else has signed in meanwhile. Throws TryAgain where there is no answer.
   */
  async post(body: object, as: string | null = this.userId): Promise<Answer> {
    const answer = await this.send(body, await this.tokenFor(as));
    const expired = answer.errors?.some(({ extensions }) => extensions?.reason === 'TOKEN_EXPIRED');
    return expired ? this.send(body, await this.renewedFor(as)) : answer;
  }

  /** The person's token, if they are still who is signed in. */
  tokenFor(userId: string | null): Promise<string | null> {
    return this.only(userId, () => this.token());
  }

  renewedFor(userId: string | null): Promise<string | null> {
    return this.only(userId, () => this.renewed());
  }

  /** A token that is good for some while; null when nobody is signed in. */
  async token(): Promise<string | null> {
    const saved = this.saved;
    if (saved === null) return null;
    const left = Date.parse(saved.tokens.accessTokenExpiresAt) - (Date.now() + saved.skewMs);
    return left > RENEW_BEFORE_MS ? saved.tokens.accessToken : this.renewed();
  }

  /** A new token, asked for once however many wait for it. */
  async renewed(): Promise<string | null> {
    this.renewing ??= this.renew().finally(() => (this.renewing = null));
    return this.renewing;
  }

  private async renew(): Promise<string | null> {
    const saved = this.saved;
    if (saved === null) return null;
    const { refreshToken } = saved.tokens;
    try {
      this.take(await this.ask('refreshSession', REFRESH, { refreshToken, deviceId: this.deviceId }));
    } catch (error) {
      // A lost connection keeps the tokens; only the server's word ends the session.
      if (error instanceof SignedOut && this.saved?.tokens.refreshToken === refreshToken) this.store.removeItem(SAVED);
      throw error;
    }
    return this.saved!.tokens.accessToken;
  }

  private async only(userId: string | null, token: () => Promise<string | null>): Promise<string | null> {
    const found = await token().catch(again);
    if (this.userId !== userId) throw new SignedOut('Somebody else has signed in.');
    return found;
  }

  private async ask(name: string, query: string, input: object): Promise<any> {
    const answer = await this.send({ query, variables: { input: { idempotencyKey: crypto.randomUUID(), ...input } } }, null);
    const payload = answer.data?.[name];
    if (!payload) throw new Error(answer.errors?.[0]?.message ?? 'The server did not answer.');
    if (payload.errors.length) throw new SignedOut(payload.errors[0].message, payload.errors[0].code);
    return payload;
  }

  private async send(body: object, token: string | null): Promise<Answer> {
    const response = await this.fetch(this.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    }).catch(again);
    checkStatus(response);
    return response.json().catch(again);
  }

  private take(payload: { tokens: Tokens; user: { id: string } }): void {
    const skewMs = Date.parse(payload.tokens.issuedAt) - Date.now();
    const saved: Saved = { tokens: payload.tokens, skewMs, userId: payload.user.id };
    this.store.setItem(SAVED, JSON.stringify(saved));
  }

  private get leaving(): string[] {
    return JSON.parse(this.store.getItem(LEAVING) ?? '[]') as string[];
  }

  private set leaving(tokens: string[]) {
    this.store.setItem(LEAVING, JSON.stringify(tokens));
  }

  private get saved(): Saved | null {
    const text = this.store.getItem(SAVED);
    return text === null ? null : (JSON.parse(text) as Saved);
  }
}

/** No connection, or half an answer. */
function again(error: unknown): never {
  throw error instanceof TypeError || error instanceof SyntaxError ? new TryAgain() : error;
}
