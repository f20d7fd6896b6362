// Relay reads documents in the source alone: the delta document, as a module of it.
import { readFile, writeFile } from 'node:fs/promises';
import { Kind, parse, print, visit } from 'graphql';

// Relay wants an alias where a fragment is of one of several types.
const alias = { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: 'alias' } };
const document = visit(parse(await readFile('../../schema/delta.graphql', 'utf8')), {
  FragmentSpread: (spread) => ({ ...spread, directives: [alias] }),
});
const modules = document.definitions.map(
  (definition) => `export const ${definition.name.value} = graphql\`\n${print(definition)}\n\`;\n`,
);
const head = "// Written by delta.js from schema/delta.graphql.\nimport { graphql } from 'relay-runtime';\n\n";
await writeFile('src/Delta.ts', head + modules.join('\n'));
