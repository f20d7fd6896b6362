// A signed-in person: keeps the tokens, and renews them before they expire.

import { mint } from './ids.js';

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
  serverTime: string;
}

interface Saved {
  tokens: Tokens;
  /** How far the server's clock is ahead of ours. */
  skewMs: number;
  userId: string;
}

const TOKENS = 'accessToken accessTokenExpiresAt refreshToken serverTime';
const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) {
  errors { code message } tokens { ${TOKENS} } user { id } } }`;
const REFRESH = `mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) {
  errors { code message } tokens { ${TOKENS} } user { id } } }`;

const RENEW_BEFORE_MS = 30_000;
const SAVED = 'landfall.session';
const DEVICE = 'landfall.device';

/** The server refused: the person has to sign in again. */
export class SignedOut extends Error {}

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

  async signIn(email: string, password: string, deviceName: string): Promise<void> {
    const device = { id: this.deviceId, name: deviceName, platform: 'WEB' };
    this.take(await this.ask('signIn', SIGN_IN, { email, password, device }));
  }

  signOut(): void {
    this.store.removeItem(SAVED);
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
      if (error instanceof SignedOut) this.signOut();
      throw error;
    }
    return this.saved!.tokens.accessToken;
  }

  private async ask(name: string, query: string, input: object): Promise<any> {
    const variables = { input: { clientMutationId: crypto.randomUUID(), ...input } };
    const response = await this.fetch(this.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
    const body = await response.json();
    const payload = body.data?.[name];
    if (!payload) throw new Error(body.errors?.[0]?.message ?? `HTTP ${response.status}`);
    if (payload.errors.length) throw new SignedOut(payload.errors[0].message);
    return payload;
  }

  private take(payload: { tokens: Tokens; user: { id: string } }): void {
    const skewMs = Date.parse(payload.tokens.serverTime) - Date.now();
    const saved: Saved = { tokens: payload.tokens, skewMs, userId: payload.user.id };
    this.store.setItem(SAVED, JSON.stringify(saved));
  }

  private get saved(): Saved | null {
    const text = this.store.getItem(SAVED);
    return text === null ? null : (JSON.parse(text) as Saved);
  }
}
