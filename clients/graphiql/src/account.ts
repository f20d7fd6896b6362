import { deviceId, uuid } from "./ids";
import { accessToken, currentState, refusalOf, set, TOKENS, type Payload, type SessionState } from "./session";
import { post } from "./transport";

const FLOW = `authFlow {
  id kind otpMethod maskedDestination otpDigitCount resendAllowedAt remainingAttemptCount remainingResendCount factors status
}`;
const ENTERED = `errors { code message } ${TOKENS} account { email user { id name } } ${FLOW}`;

/** What each mutation answers, by its field. */
const MUTATIONS: Record<string, string> = {
  signIn: ENTERED,
  signUp: `errors { code message } ${FLOW}`,
  verifyOtp: ENTERED,
  verifyBackupCode: ENTERED,
  resendOtp: `errors { code message } ${FLOW}`,
  stepUp: ENTERED,
};
const OVER = new Set(["EXPIRED", "FLOW_SUPERSEDED"]);

const typeOf = (field: string): string => `${field[0]!.toUpperCase()}${field.slice(1)}Input`;

const device = () => ({ deviceId: deviceId(), name: "GraphiQL", platform: "WEB" });

async function perform(field: string, input: Record<string, unknown>, headers?: HeadersInit): Promise<void> {
  set({ busy: true, message: "" });
  const operationName = `${field[0]!.toUpperCase()}${field.slice(1)}`;
  const query = `mutation ${operationName}($input: ${typeOf(field)}!) { ${field}(input: $input) { ${MUTATIONS[field]} } }`;
  try {
    const variables = { input: { idempotencyKey: uuid(), ...input } };
    const answer = await post({ query, operationName, variables }, headers);
    const payload = (answer.data?.[field] as Payload | null | undefined) ?? null;
    set({ busy: false, ...outcome(payload, refusalOf(answer, payload)) });
  } catch (error) {
    set({ busy: false, message: error instanceof Error ? error.message : String(error) });
  }
}

/** Tokens sign in, an open flow asks for its code, anything else is a refusal. */
function outcome(payload: Payload | null, refusal: string): Partial<SessionState> {
  const codes = (payload?.errors ?? []).map(({ code }) => code);
  const account = payload?.account ?? currentState().session?.account;
  if (payload?.tokens && account) {
    return { session: { tokens: payload.tokens, account }, flow: null, captcha: false, proofWanted: false };
  }
  const message = refusal || (payload?.authFlow ? "" : "The server refused it.");
  const captcha = codes.includes("CAPTCHA_REQUIRED");
  if (codes.some((code) => OVER.has(code)) || (payload?.authFlow && payload.authFlow.status !== "OPEN")) {
    return { message, captcha, flow: null };
  }
  return { message, captcha, ...(payload?.authFlow && { flow: payload.authFlow }) };
}

const answered = (captcha: string) => (captcha ? { captchaToken: captcha } : {});

export const signIn = (email: string, password: string, captcha = ""): Promise<void> =>
  perform("signIn", { email, password, device: device(), ...answered(captcha) });

export interface NewAccount {
  email: string;
  password: string;
  firstName: string;
}

export const signUp = (account: NewAccount, captcha = ""): Promise<void> =>
  perform("signUp", {
    ...account,
    locale: navigator.language,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
    acceptedTermsVersion: "graphiql",
    device: device(),
    ...answered(captcha),
  });

/** The code that the open flow asks for, or a backup code in its place. */
export async function enterCode(code: string, backup: boolean): Promise<void> {
  const flow = currentState().flow;
  if (!flow) return;
  if (flow.kind === "STEP_UP" && !backup) return prove({ code: { authFlowId: flow.id, code } });
  const headers = flow.kind === "STEP_UP" ? await bearer() : undefined;
  return perform(backup ? "verifyBackupCode" : "verifyOtp", { authFlowId: flow.id, code, deviceId: deviceId() }, headers);
}

export async function resendCode(method?: string): Promise<void> {
  const flow = currentState().flow;
  if (!flow) return;
  const headers = flow.kind === "STEP_UP" ? await bearer() : undefined;
  const input = { authFlowId: flow.id, deviceId: deviceId(), ...(method && { method }) };
  return perform("resendOtp", input, headers);
}

export const dropFlow = (): void => set({ flow: null, message: "" });

export const proveByPassword = (password: string): Promise<void> => prove({ password });

export const askForProof = (method: string): Promise<void> => prove({ method });

const prove = async (proof: object): Promise<void> => perform("stepUp", { proof }, await bearer());

const bearer = async (): Promise<HeadersInit> => ({ authorization: `Bearer ${(await accessToken()) ?? ""}` });
