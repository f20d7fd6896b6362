import type { Fetcher, FetcherParams, FetcherReturnType } from "@graphiql/toolkit";
import { Kind, OperationTypeNode, parse, type OperationDefinitionNode } from "graphql";
import { createClient } from "graphql-ws";
import { accessToken, msUntilRefresh, noticeRefusals, onTokenChange } from "./session";
import { post, socketUrl, type GraphQLFailure, type Operation } from "./transport";

let socketState: "closed" | "connecting" | "open" = "closed";
let refreshTimer: ReturnType<typeof setTimeout> | undefined;

export const currentSocketState = (): typeof socketState => socketState;

const client = createClient({
  url: socketUrl(),
  lazy: true,
  connectionParams: async () => {
    const token = await accessToken();
    return token ? { accessToken: token } : {};
  },
  retryWait: (retries) =>
    new Promise((resolve) => {
      setTimeout(resolve, retries === 0 ? 100 : Math.min(1000 * 2 ** retries, 15_000));
    }),
  on: {
    connecting: () => {
      socketState = "connecting";
    },
    connected: () => {
      socketState = "open";
      // Nothing asks for a token while a subscription merely listens, so its expiry is watched for here.
      clearTimeout(refreshTimer);
      const left = msUntilRefresh();
      if (left !== null) refreshTimer = setTimeout(() => void accessToken(), Math.max(left + 1000, 1000));
    },
    closed: () => {
      socketState = "closed";
      clearTimeout(refreshTimer);
    },
  },
});

// A connection keeps the identity it was opened with; the open subscriptions start again on a new one.
onTokenChange(() => client.terminate());

/** GraphiQL works out the operation name some time after an edit, so the one it passes can be a stale one. */
function resolve(params: FetcherParams): { operation: Operation; kind: OperationTypeNode } {
  let operations: OperationDefinitionNode[] = [];
  try {
    operations = parse(params.query).definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  } catch {
    // The server says what is wrong with the document, and where.
  }
  const named = operations.find((node) => node.name?.value === params.operationName);
  const chosen = named ?? (operations.length === 1 ? operations[0] : undefined);
  return {
    operation: { ...params, operationName: chosen ? chosen.name?.value : params.operationName },
    kind: chosen?.operation ?? OperationTypeNode.QUERY,
  };
}

function socketFailures(error: unknown): GraphQLFailure[] {
  if (Array.isArray(error)) return error as GraphQLFailure[];
  if (error instanceof CloseEvent) {
    return [{ message: `The server closed the connection: ${error.code} ${error.reason}`.trim() }];
  }
  return [{ message: error instanceof Error ? error.message : "The connection for subscriptions failed." }];
}

interface Observer {
  next(result: unknown): void;
  complete(): void;
}

const subscribe = ({ query, operationName, variables }: Operation) => ({
  subscribe(observer: Observer) {
    let stopped = false;
    const dispose = client.subscribe(
      { query, operationName, variables: variables as Record<string, unknown> },
      {
        next: (result) => !stopped && observer.next(result),
        error: (error) => {
          if (stopped) return;
          observer.next({ errors: socketFailures(error) });
          observer.complete();
        },
        // GraphiQL takes a late completion of a stopped subscription for that of the running one.
        complete: () => !stopped && observer.complete(),
      },
    );
    return {
      unsubscribe() {
        stopped = true;
        dispose();
      },
    };
  },
});

// GraphiQL's types ask for the classes of graphql-js where it only ever prints what it gets.
const handOver = (value: unknown) => value as Awaited<FetcherReturnType>;

export const fetcher: Fetcher = async (params, options) => {
  const { operation, kind } = resolve(params);
  if (kind === OperationTypeNode.SUBSCRIPTION) return handOver(subscribe(operation));
  const headers = new Headers(options?.headers as HeadersInit | undefined);
  // What the headers editor says wins, so that another token can be tried.
  if (!headers.has("authorization")) {
    const token = await accessToken();
    if (token) headers.set("authorization", `Bearer ${token}`);
  }
  try {
    const answer = await post(operation, headers);
    noticeRefusals(answer);
    return handOver(answer);
  } catch (error) {
    return handOver({ errors: [{ message: error instanceof Error ? error.message : String(error) }] });
  }
};
