// What changed in the schema since the last release: nothing that breaks apps in people's hands goes unsaid.
//   node changes.js RELEASED SCHEMA CHANGELOG
import { readFileSync } from 'node:fs';

import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const ROOT = new URL('../../', import.meta.url).pathname;
const [released, current, changelog] = [
  process.argv[2] ?? `${ROOT}clients/schema/released.graphql`,
  process.argv[3] ?? `${ROOT}schema/schema.graphql`,
  process.argv[4] ?? `${ROOT}CHANGELOG.md`,
].map((path) => readFileSync(path, 'utf8'));

// Areas and tags order documentation: they break nobody.
const changes = (await diff(buildSchema(released), buildSchema(current))).filter(({ type }) => !type.startsWith('DIRECTIVE_USAGE'));
const of = (level) => changes.filter(({ criticality }) => criticality.level === level);
const breaking = of(CriticalityLevel.Breaking);
const dangerous = of(CriticalityLevel.Dangerous);

console.log(
  `Since the last release: ${breaking.length} breaking, ${dangerous.length} dangerous and ` +
    `${of(CriticalityLevel.NonBreaking).length} safe changes.`,
);
for (const { message } of breaking) console.log(`  breaking: ${message}`);
for (const { message } of dangerous) console.log(`  dangerous: ${message}`);

const unsaid = breaking.filter(({ path }) => !told(path));
for (const { path } of unsaid) {
  console.error(`Breaking, and not in CHANGELOG.md: say "- Breaking: \`${coordinate(path)}\` ..." under "Unreleased".`);
}
process.exitCode = unsaid.length ? 1 : 0;

/** Whether an entry of the next release says that this, or its whole type, breaks. */
function told(path) {
  const [, next = ''] = changelog.split(/^## Unreleased$/m);
  const entries = next.split(/^## /m)[0].split(/^- /m).filter((entry) => entry.startsWith('Breaking:'));
  const names = [coordinate(path), path.split('.')[0]];
  return entries.some((entry) => names.some((name) => entry.includes(`\`${name}\``)));
}

/** `Type.field`, whatever of it changed. */
function coordinate(path) {
  return path.split('.').slice(0, 2).join('.');
}
