export interface DemoUser {
  email: string;
  password: string;
  name: string;
}

export interface Example {
  name: string;
  query: string;
  variables: string;
}

/** Field of a root type, or of the viewer. */
export interface AreaField {
  root: string;
  name: string;
  /** Any of these is needed; none for everybody. */
  roles: string[];
}

/** Part of the product. */
export interface Area {
  name: string;
  fields: AreaField[];
}

export interface Config {
  areas: Area[];
  demoUsers: DemoUser[];
  examples: Example[];
  /** Where codes are shown in development; empty elsewhere. */
  outbox: string;
}

type Fields = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const list = (value: unknown): Fields[] =>
  Array.isArray(value)
    ? value.filter((item): item is Fields => typeof item === "object" && item !== null)
    : [];

export const variablesText = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : text(value);

/** The server writes the configuration into the page; a page without one still works. */
export function readConfig(): Config {
  let raw: Fields = {};
  try {
    raw = Object(JSON.parse(document.getElementById("landfall-config")?.textContent || "{}")) as Fields;
  } catch (error) {
    console.error("The configuration in the page is not JSON.", error);
  }
  return {
    areas: list(raw.areas).map((area) => ({
      name: text(area.name),
      fields: list(area.fields).map((field) => ({
        root: text(field.root),
        name: text(field.name),
        roles: Array.isArray(field.roles) ? field.roles.map(text) : [],
      })),
    })),
    demoUsers: list(raw.demoUsers)
      .map((user) => ({
        email: text(user.email),
        password: text(user.password),
        name: text(user.name) || text(user.email),
      }))
      .filter((user) => user.email !== ""),
    examples: list(raw.examples)
      .map((example) => ({
        name: text(example.name),
        query: text(example.query),
        variables: variablesText(example.variables),
      }))
      .filter((example) => example.query.trim() !== ""),
    outbox: text(raw.outbox),
  };
}
