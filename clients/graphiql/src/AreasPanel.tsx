import type { GraphiQLPlugin } from "@graphiql/react";
import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import type { Area, AreaField } from "./config";
import { fieldOf, skeleton } from "./skeleton";
import { useSetQuery } from "./tabs";

export const AREAS_TITLE = "Areas";
const ROOTS = [
  ["Query", "Queries"],
  ["Viewer", "Of the viewer"],
  ["Mutation", "Mutations"],
  ["Subscription", "Subscriptions"],
] as const;

function AreasIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round">
      <path d="M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z" />
    </svg>
  );
}

function Field({ field }: { field: AreaField }) {
  const { schema } = useGraphiQL(pick("schema"));
  const { addTab } = useGraphiQLActions();
  const setQuery = useSetQuery();
  const declared = fieldOf(schema, field);
  return (
    <li>
      <button
        type="button"
        data-area-field={`${field.root}.${field.name}`}
        title={declared?.description ?? undefined}
        disabled={!declared}
        onClick={() => {
          if (!declared) return;
          addTab();
          setQuery(skeleton(field, declared), "{}");
        }}
      >
        {field.name}
      </button>
      {field.roles.map((role) => (
        <span key={role} className="landfall-role">
          {role}
        </span>
      ))}
    </li>
  );
}

function Fields({ area, root, title }: { area: Area; root: string; title: string }) {
  const fields = area.fields.filter((field) => field.root === root);
  if (fields.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul>
        {fields.map((field) => (
          <Field key={field.name} field={field} />
        ))}
      </ul>
    </>
  );
}

/** What there is, by the area of the product it belongs to; a click opens a tab that asks for it. */
function Areas({ areas }: { areas: Area[] }) {
  return (
    <section className="landfall-areas" aria-label={AREAS_TITLE}>
      <div className="graphiql-doc-explorer-title">{AREAS_TITLE}</div>
      {areas.map((area) => (
        <details key={area.name} data-area={area.name}>
          <summary>
            {area.name} <span className="landfall-count">{area.fields.length}</span>
          </summary>
          {ROOTS.map(([root, title]) => (
            <Fields key={root} area={area} root={root} title={title} />
          ))}
        </details>
      ))}
    </section>
  );
}

export const areasPlugin = (areas: Area[]): GraphiQLPlugin => ({
  title: AREAS_TITLE,
  icon: AreasIcon,
  content: () => <Areas areas={areas} />,
});
