import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import type { AreaField } from "./config";

const title = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

export function fieldOf(schema: GraphQLSchema | null | undefined, { root, name }: AreaField) {
  const type = schema?.getType(root);
  return isObjectType(type) ? type.getFields()[name] : undefined;
}

/** `__typename` is enough to run it; Ctrl-Space completes the rest. */
function selection(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  if (!isCompositeType(type)) return "";
  return " {\n    __typename\n  }";
}

const variables = (args: readonly GraphQLArgument[]) =>
  args.length ? `(${args.map(({ name, type }) => `$${name}: ${String(type)}`).join(", ")})` : "";

const given = (args: readonly GraphQLArgument[]) =>
  args.length ? `(${args.map(({ name }) => `${name}: $${name}`).join(", ")})` : "";

/** An operation that asks for one field, with a variable for each argument that it must have. */
export function skeleton(area: AreaField, field: GraphQLField<unknown, unknown>): string {
  const args = field.args.filter(isRequiredArgument);
  const call = `${area.name}${given(args)}${selection(field)}`;
  const kind = area.root === "Viewer" ? "query" : area.root.toLowerCase();
  const body = area.root === "Viewer" ? `viewer {\n  ${call.replaceAll("\n", "\n  ")}\n  }` : call;
  return `${kind} ${title(area.name)}${variables(args)} {\n  ${body}\n}\n`;
}
