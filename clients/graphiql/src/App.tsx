import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { ToolbarMenu, UnStyledButton, pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect, useRef } from "react";
import { ACCOUNT_TITLE, accountPlugin } from "./AccountPanel";
import { areasPlugin } from "./AreasPanel";
import { attachEditors } from "./automation";
import type { Config, Example } from "./config";
import { fetcher } from "./fetcher";
import { statusText, useSession } from "./session";
import { useSetQuery } from "./tabs";
import { TabPicker } from "./TabPicker";

const FALLBACK_QUERY = `# Ctrl-Space completes, Ctrl-Enter runs.
# The book on the left shows the schema.

query Hello {
  __typename
}
`;

const TAB_STATE_KEY = "graphiql:tabState";
const QUERY_KEY = "graphiql:query";
const VARIABLES_KEY = "graphiql:variables";
/** As in narrow.css. */
const NARROW = "(max-width: 700px)";

/** GraphiQL titles a tab by its operation; a comment keeps the name of an example that says more. */
function exampleQuery({ name, query }: Example): string {
  const operation = /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];
  return !name || name === operation || query.trimStart().startsWith("#") ? query : `# ${name}\n${query}`;
}

/** Hands the editors of the active tab to window.landfall. */
function AutomationBridge() {
  const { queryEditor, variableEditor, responseEditor, isFetching, subscription } = useGraphiQL(
    pick("queryEditor", "variableEditor", "responseEditor", "isFetching", "subscription"),
  );
  const { run, stop } = useGraphiQLActions();
  const setQuery = useSetQuery();
  const current = useRef({ isFetching, subscription, setQuery });
  current.current = { isFetching, subscription, setQuery };

  useEffect(() => {
    if (!queryEditor || !variableEditor || !responseEditor) return;
    attachEditors({
      setQuery: (query, variables) => current.current.setQuery(query, variables),
      run() {
        // GraphiQL's own run() only stops when a subscription is open.
        if (current.current.subscription) stop();
        void run();
      },
      stop,
      result: () => responseEditor.getValue(),
      running: () => current.current.isFetching || current.current.subscription !== null,
      subscribed: () => current.current.subscription !== null,
    });
    return () => attachEditors(null);
  }, [queryEditor, variableEditor, responseEditor, run, stop]);

  return null;
}

function Wordmark() {
  return (
    <span className="landfall-wordmark">
      <img src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" width="22" height="22" />
      Landfall
    </span>
  );
}

/** Only GraphiQL's own sidebar buttons also bring back, and put away, a panel that was dragged shut. */
function clickSidebar(button: string) {
  document.querySelector<HTMLButtonElement>(`.graphiql-sidebar button${button}`)?.click();
}

function Header() {
  const state = useSession();
  const { visiblePlugin } = useGraphiQL(pick("visiblePlugin"));

  return (
    <div className="landfall-header">
      <span className="landfall-status" data-signed-in={state.session !== null}>
        <span id="landfall-status" role="status">
          {statusText(state)}
        </span>
      </span>
      <button
        id="landfall-sign-in"
        type="button"
        onClick={() => clickSidebar(`[aria-label="Show ${ACCOUNT_TITLE}"]`)}
      >
        {state.proofWanted ? "Confirm that it is you" : state.session ? "Account" : "Sign in"}
      </button>
      {visiblePlugin && (
        <button id="landfall-close" type="button" onClick={() => clickSidebar(".active")}>
          Close
        </button>
      )}
      <Wordmark />
    </div>
  );
}

function ExamplesIcon() {
  return (
    <svg
      className="graphiql-toolbar-icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
    >
      <path d="M5 3.5h9l5 5v12H5z" strokeLinejoin="round" />
      <path d="M14 3.5v5h5M8.5 13h7M8.5 16.5h5" strokeLinecap="round" />
    </svg>
  );
}

function ExamplesMenu({ examples }: { examples: Example[] }) {
  const { addTab } = useGraphiQLActions();
  const setQuery = useSetQuery();
  return (
    <ToolbarMenu
      button={
        <UnStyledButton
          type="button"
          className="graphiql-toolbar-button"
          aria-label="Examples"
          title="Examples"
        >
          <ExamplesIcon />
        </UnStyledButton>
      }
    >
      {examples.map((example) => (
        <ToolbarMenu.Item
          key={example.name}
          onSelect={() => {
            addTab();
            setQuery(exampleQuery(example), example.variables);
          }}
        >
          {example.name}
        </ToolbarMenu.Item>
      ))}
    </ToolbarMenu>
  );
}

export function createApp({ areas, demoUsers, examples, outbox }: Config) {
  const account = accountPlugin(demoUsers, outbox);
  const plugins = [HISTORY_PLUGIN, explorerPlugin(), ...(areas.length > 0 ? [areasPlugin(areas)] : []), account];
  const narrow = matchMedia(NARROW).matches;
  const firstVisit = localStorage.getItem(TAB_STATE_KEY) === null;
  const tabs = examples.map((example) => ({ query: exampleQuery(example), variables: example.variables }));
  if (firstVisit && tabs[0]) {
    // GraphiQL fills its editors from these two and leaves the variables of the first default tab out.
    localStorage.setItem(QUERY_KEY, tabs[0].query);
    localStorage.setItem(VARIABLES_KEY, tabs[0].variables);
  }

  return function App() {
    return (
      <GraphiQL
        fetcher={fetcher}
        plugins={plugins}
        defaultQuery={FALLBACK_QUERY}
        defaultEditorToolsVisibility={!narrow}
        isHeadersEditorEnabled={true}
        shouldPersistHeaders={false}
        {...(tabs.length > 0 && { defaultTabs: tabs })}
        {...(firstVisit && !narrow && demoUsers.length > 0 && { visiblePlugin: account })}
      >
        <GraphiQL.Logo>
          <Header />
          <TabPicker />
        </GraphiQL.Logo>
        <GraphiQL.Toolbar>
          {({ prettify, copy, merge }) => (
            <>
              {prettify}
              {merge}
              {copy}
              {examples.length > 0 && <ExamplesMenu examples={examples} />}
            </>
          )}
        </GraphiQL.Toolbar>
        <AutomationBridge />
      </GraphiQL>
    );
  };
}
