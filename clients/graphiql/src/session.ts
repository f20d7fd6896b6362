import { useSyncExternalStore } from "react";
import { deviceId, uuid } from "./ids";
import { post, type Answer, type GraphQLFailure } from "./transport";

const SESSION_KEY = "landfall:session";
const REFRESH_BEFORE_MS = 30_000;

export const TOKENS = "tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }";

const REFRESH_SESSION = `mutation RefreshSession($input: RefreshSessionInput!) {
  refreshSession(input: $input) { errors { code message } ${TOKENS} }
}`;

const SIGN_OUT = `mutation SignOut($input: SignOutInput!) {
  signOut(input: $input) { errors { code } }
}`;

interface Tokens {
  accessToken: string;
  accessTokenExpiresAt: string;
  refreshToken: string;
  refreshTokenExpiresAt: string;
}

interface Session {
  tokens: Tokens;
  account: { email: string; user: { id: string; name: string } };
}

/** A code that was sent, and what may be done about it. */
export interface Flow {
  id: string;
  kind: string;
  otpMethod: string | null;
  maskedDestination: string | null;
  otpDigitCount: number;
  resendAllowedAt: string;
  remainingAttemptCount: number;
  remainingResendCount: number;
  factors: string[];
  status: string;
}

export interface Payload {
  errors?: { code: string; message?: string }[] | null;
  tokens?: Tokens | null;
  account?: Session["account"] | null;
  authFlow?: Flow | null;
}

export interface SessionState {
  session: Session | null;
  /** The code that is waited for. */
  flow: Flow | null;
  /** Whether the server wants a CAPTCHA solved. */
  captcha: boolean;
  /** Whether an operation was answered with STEP_UP_REQUIRED. */
  proofWanted: boolean;
  busy: boolean;
  message: string;
}

const REFUSALS = new Set(["UNAUTHENTICATED", "FORBIDDEN"]);

function restore(): Session | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? "null") as Session | null;
    return stored?.tokens.accessToken && stored.account?.user.name ? stored : null;
  } catch {
    return null;
  }
}

let state: SessionState = {
  session: restore(),
  flow: null,
  captcha: false,
  proofWanted: false,
  busy: false,
  message: "",
};
let refreshing: Promise<void> | null = null;
const watchers = new Set<() => void>();
const tokenWatchers = new Set<() => void>();

export function set(change: Partial<SessionState>): void {
  const before = state.session?.tokens.accessToken;
  state = { ...state, ...change };
  if (state.session) sessionStorage.setItem(SESSION_KEY, JSON.stringify(state.session));
  else sessionStorage.removeItem(SESSION_KEY);
  watchers.forEach((watcher) => watcher());
  if (state.session?.tokens.accessToken !== before) tokenWatchers.forEach((watcher) => watcher());
}

const payloadOf = (answer: Answer, field: string): Payload | null =>
  (answer.data?.[field] as Payload | null | undefined) ?? null;

export function refusalOf(answer: Answer, payload: Payload | null): string {
  const refusals: (GraphQLFailure | { message?: string; code: string })[] = [
    ...(payload?.errors ?? []),
    ...(answer.errors ?? []),
  ];
  return refusals.map((one) => one.message || ("code" in one ? one.code : "")).join(" ");
}

export const currentState = (): SessionState => state;

export function onTokenChange(watcher: () => void): void {
  tokenWatchers.add(watcher);
}

export function useSession(): SessionState {
  return useSyncExternalStore((watcher) => {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }, currentState);
}

export const statusText = ({ session }: SessionState): string =>
  session ? `Signed in as ${session.account.user.name}` : "Signed out";

/** Remembers that an operation asked for a proof of who is signed in, so that the panel offers one. */
export function noticeRefusals(answer: Answer): void {
  const payloads = Object.values(answer.data ?? {}) as (Payload | null)[];
  const codes = payloads.flatMap((payload) => (Array.isArray(payload?.errors) ? payload.errors : []));
  if (state.session && codes.some((refusal) => refusal?.code === "STEP_UP_REQUIRED")) {
    set({ proofWanted: true });
  }
}

export async function signOut(): Promise<void> {
  const tokens = state.session?.tokens;
  if (!tokens) return;
  // Signed out here at once: whether the server hears of it must not decide what the next request carries.
  set({ session: null, flow: null, proofWanted: false, message: "" });
  try {
    await post(
      {
        query: SIGN_OUT,
        operationName: "SignOut",
        variables: { input: { idempotencyKey: uuid(), refreshToken: tokens.refreshToken } },
      },
      { authorization: `Bearer ${tokens.accessToken}` },
    );
  } catch {
    set({ message: "Signed out here, but the server could not be reached to end the session." });
  }
}

export const msUntilRefresh = (): number | null => {
  const expiry = Date.parse(state.session?.tokens.accessTokenExpiresAt ?? "");
  return Number.isNaN(expiry) ? null : expiry - Date.now() - REFRESH_BEFORE_MS;
};

async function refresh(): Promise<void> {
  const before = state.session;
  if (!before) return;
  let answer: Answer;
  try {
    answer = await post({
      query: REFRESH_SESSION,
      operationName: "RefreshSession",
      variables: {
        input: {
          idempotencyKey: uuid(),
          refreshToken: before.tokens.refreshToken,
          deviceId: deviceId(),
        },
      },
    });
  } catch (error) {
    // No answer is no refusal: the session stays, and the request at hand meets the same network.
    console.warn("The session could not be refreshed.", error);
    return;
  }
  // Someone signed out or in while the answer was on its way: it belongs to a session that is gone.
  if (state.session !== before) return;
  const payload = payloadOf(answer, "refreshSession");
  if (payload?.tokens) {
    set({ session: { ...before, tokens: payload.tokens } });
    return;
  }
  const refused =
    payload !== null || (answer.errors ?? []).some((one) => REFUSALS.has(String(one.extensions?.code)));
  if (refused) set({ session: null, message: refusalOf(answer, payload) || "The session has ended." });
}

/** The access token for the next request, refreshed first when it is about to expire. */
export async function accessToken(): Promise<string | null> {
  const left = msUntilRefresh();
  if (left !== null && left < 0) {
    refreshing ??= refresh().finally(() => {
      refreshing = null;
    });
    await refreshing;
  }
  return state.session?.tokens.accessToken ?? null;
}
