// What Graphcache must be told of any part of the schema, and what caches of lists have in common.
import type { CacheExchangeOpts } from '@urql/exchange-graphcache';

const ROOTS = ['Query', 'Mutation', 'Subscription'];

interface Introspected {
  __schema: { types: readonly { kind: string; name: string; fields?: readonly { name: string }[] }[] };
}

/** Parts of the thing they are in have no identity of their own; a tombstone is not the node whose id it has. */
export function keysOf(schema: Introspected): NonNullable<CacheExchangeOpts['keys']> {
  const embedded = schema.__schema.types.filter(
    ({ kind, name, fields }) =>
      kind === 'OBJECT' && !ROOTS.includes(name) && (name === 'DeletedNode' || !fields?.some((field) => field.name === 'id')),
  );
  return Object.fromEntries(embedded.map(({ name }) => [name, () => null]));
}

/** Errors of a payload that is expected. */
export const NO_ERRORS = { errors: [] };

export const now = (): string => new Date().toISOString();

export type Edge = { __typename?: string; node: { id: string } };

/** The edges that `write` makes, unless the thing is among them: answers and events may tell it twice. */
export const unless = (edges: Edge[], edge: Edge, write: (edges: Edge[]) => Edge[]): Edge[] =>
  edges.some(({ node }) => node.id === edge.node.id) ? edges : write(edges);
