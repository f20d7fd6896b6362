// A flush: the mutations of many acts as the aliased fields of one document.
import {
  type ASTNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  print,
  visit,
} from 'graphql';

import type { Answer } from './outcome.js';

export interface Act {
  query?: string | null;
  variables: { input: { idempotencyKey: string; id?: unknown } };
}

interface Parts {
  operation: OperationDefinitionNode;
  field: FieldNode;
  /** The fragments' texts by name. */
  fragments: Map<string, string>;
}

const known = new Map<string, Parts | null>();

/** The document's parts; null where it cannot be joined with others: it is sent alone. */
export function parts({ query }: Act): Parts | null {
  if (!query) return null;
  let found = known.get(query);
  if (found === undefined) known.set(query, (found = partsOf(query)));
  return found;
}

function partsOf(query: string): Parts | null {
  const operations: OperationDefinitionNode[] = [];
  const fragments = new Map<string, string>();
  let shared = true;
  for (const definition of parse(query).definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    fragments.set(definition.name.value, print(definition));
    // A fragment that knows the operation's variables cannot be shared by two.
    visit(definition, { Variable: () => void (shared = false) });
  }
  const [operation] = operations;
  const [field] = operation?.selectionSet.selections ?? [];
  const alone = operations.length === 1 && operation!.selectionSet.selections.length === 1 && !operation!.directives?.length;
  return shared && alone && operation!.operation === OperationTypeNode.MUTATION && field?.kind === Kind.FIELD
    ? { operation: operation!, field, fragments }
    : null;
}

export class Flush<T extends Act> {
  readonly acts: T[] = [];
  private readonly variables: Record<string, unknown> = {};
  private readonly definitions: string[] = [];
  private readonly fields: string[] = [];
  private readonly fragments = new Map<string, string>();

  /** False where it does not fit: two versions of the app had different fragments of one name. */
  add(act: T): boolean {
    const found = parts(act);
    if (!found) return false;
    const { operation, field, fragments } = found;
    for (const [name, text] of fragments) if ((this.fragments.get(name) ?? text) !== text) return false;
    for (const [name, text] of fragments) this.fragments.set(name, text);
    const number = this.acts.push(act) - 1;
    for (const definition of operation.variableDefinitions ?? []) {
      const name = definition.variable.name.value;
      this.definitions.push(print(renamed(definition, number)));
      this.variables[`${name}_${number}`] = (act.variables as Record<string, unknown>)[name];
    }
    this.fields.push(print({ ...renamed(field, number), alias: { kind: Kind.NAME, value: alias(number) } }));
    return true;
  }

  /** What is sent. */
  get body(): { query: string; variables: object } {
    const fragments = [...this.fragments.values()].join('\n');
    const query = `mutation Flush(${this.definitions.join(', ')}) {\n${this.fields.join('\n')}\n}\n${fragments}`;
    return { query, variables: this.variables };
  }

  /** Each act's own answer, as if it had been sent alone. */
  split({ data, errors = [] }: Answer): Answer[] {
    return this.acts.map((act, number) => {
      const { field } = parts(act)!;
      const name = field.alias?.value ?? field.name.value;
      const own = errors
        .filter(({ path }) => path?.[0] === alias(number))
        .map((error) => ({ ...error, path: [name, ...error.path!.slice(1)] }));
      const answer: Answer = { data: { [name]: data?.[alias(number)] ?? null } };
      return own.length ? { ...answer, errors: own } : answer;
    });
  }
}

function alias(number: number): string {
  return `act_${number}`;
}

function renamed<N extends ASTNode>(node: N, number: number): N {
  return visit(node, {
    Variable: (variable) => ({ ...variable, name: { ...variable.name, value: `${variable.name.value}_${number}` } }),
  });
}
