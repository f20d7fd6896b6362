import { variablesText } from "./config";
import { currentSocketState } from "./fetcher";
import { currentState, statusText } from "./session";

export interface Status {
  ready: boolean;
  signedIn: boolean;
  user: string | null;
  text: string;
  running: boolean;
  subscribed: boolean;
  socket: "closed" | "connecting" | "open";
}

export interface LandfallPage {
  setQuery(query: string, variables?: string | object): void;
  run(): void;
  stop(): void;
  result(): string;
  status(): Status;
}

/** What the mounted editors offer. */
export interface Editors {
  setQuery(query: string, variables: string): void;
  run(): void;
  stop(): void;
  result(): string;
  running(): boolean;
  subscribed(): boolean;
}

declare global {
  interface Window {
    landfall: LandfallPage;
  }
}

let editors: Editors | null = null;
let waiting: ((ready: Editors) => void)[] = [];

export function attachEditors(ready: Editors | null): void {
  editors = ready;
  if (!ready) return;
  const calls = waiting;
  waiting = [];
  calls.forEach((call) => call(ready));
}

// The editors load after the page does; calls made before that are kept in order.
const withEditors = (call: (ready: Editors) => void): void => {
  if (editors) call(editors);
  else waiting.push(call);
};

export function installAutomation(): void {
  window.landfall = {
    setQuery: (query, variables) => withEditors((ready) => ready.setQuery(query, variablesText(variables))),
    run: () => withEditors((ready) => ready.run()),
    stop: () => withEditors((ready) => ready.stop()),
    result: () => editors?.result() ?? "",
    status: () => {
      const state = currentState();
      return {
        ready: editors !== null,
        signedIn: state.session !== null,
        user: state.session?.account.user.name ?? null,
        text: statusText(state),
        running: editors?.running() ?? false,
        subscribed: editors?.subscribed() ?? false,
        socket: currentSocketState(),
      };
    },
  };
}
