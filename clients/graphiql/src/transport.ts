export const ENDPOINT = "/graphql";

export const socketUrl = (): string => {
  const url = new URL(ENDPOINT, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
};

export interface GraphQLFailure {
  message: string;
  extensions?: Record<string, unknown>;
}

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: GraphQLFailure[];
}

export interface Operation {
  query: string;
  variables?: unknown;
  operationName?: string | null | undefined;
}

/** Sends one operation. Resolves with whatever GraphQL answer came back, also one with an error status. */
export async function post(operation: Operation, headers: HeadersInit = {}): Promise<Answer> {
  const sent = new Headers(headers);
  if (!sent.has("content-type")) sent.set("content-type", "application/json");
  if (!sent.has("accept")) sent.set("accept", "application/graphql-response+json, application/json;q=0.9");
  const response = await fetch(ENDPOINT, {
    method: "POST",
    credentials: "same-origin",
    headers: sent,
    body: JSON.stringify(operation),
  });
  const body = await response.text();
  try {
    return JSON.parse(body) as Answer;
  } catch {
    throw new Error(`The server answered ${response.status} ${response.statusText}: ${body.slice(0, 500)}`);
  }
}
