import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";

/** Tab list as a select: on a telephone a row of tabs would have to be scrolled sideways. */
export function TabPicker() {
  const { tabs, activeTabIndex } = useGraphiQL(pick("tabs", "activeTabIndex"));
  const { changeTab, closeTab } = useGraphiQLActions();
  return (
    <div className="landfall-tabs">
      <select
        id="landfall-tab"
        aria-label="Tab"
        value={activeTabIndex}
        onChange={(event) => changeTab(Number(event.target.value))}
      >
        {tabs.map((tab, index) => (
          <option key={tab.id} value={index}>
            {tab.title}
          </option>
        ))}
      </select>
      {tabs.length > 1 && (
        <button type="button" aria-label="Close tab" onClick={() => closeTab(activeTabIndex)}>
          ×
        </button>
      )}
    </div>
  );
}
