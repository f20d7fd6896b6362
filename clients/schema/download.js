// The schema as phones' build tools download it: by introspection over HTTP. It must be the one checked in.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { diff } from '@graphql-inspector/core';
import { buildClientSchema, buildSchema, getIntrospectionQuery } from 'graphql';

const ROOT = new URL('../../', import.meta.url).pathname;
const ADDRESS = process.env.LANDFALL_URL ?? 'http://127.0.0.1:8000/graphql';
const ours = buildSchema(readFileSync(`${ROOT}schema/schema.graphql`, 'utf8'));

/** What each tool asks about deprecation, directives and scalars, beyond the common part. */
const TOOLS = {
  'Apollo iOS': { inputValueDeprecation: false },
  'Apollo iOS with includeDeprecatedInputValues': { inputValueDeprecation: true },
  'Apollo Kotlin': {
    schemaDescription: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    inputValueDeprecation: true,
    oneOf: true,
  },
};

async function ask(query) {
  const response = await fetch(ADDRESS, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: '*/*' },
    body: JSON.stringify({ query, operationName: 'IntrospectionQuery', variables: {} }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

for (const [tool, options] of Object.entries(TOOLS)) {
  test(`${tool} downloads the schema that is checked in`, async () => {
    const downloaded = buildClientSchema(await ask(getIntrospectionQuery(options)));
    // Not asked for, a scalar's specification is not told.
    const changes = (await diff(ours, downloaded)).filter(({ type }) => !type.startsWith('DIRECTIVE_USAGE'));
    assert.deepEqual(changes.map(({ message }) => message), []);
  });
}

test('Apollo Kotlin learns first what the server can tell', async () => {
  const { type, field, directive } = await ask(`query IntrospectionQuery {
    type: __type(name: "__Type") { fields { name args { name } } }
    field: __type(name: "__Field") { fields { name args { name } } }
    directive: __type(name: "__Directive") { fields { name args { name } } }
  }`);
  const names = ({ fields }) => fields.map(({ name }) => name);
  assert.ok(names(type).includes('specifiedByURL'));
  assert.ok(names(type).includes('isOneOf'));
  assert.ok(names(directive).includes('isRepeatable'));
  assert.deepEqual(field.fields.find(({ name }) => name === 'args').args, [{ name: 'includeDeprecated' }]);
});
