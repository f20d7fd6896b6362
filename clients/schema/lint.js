// How the schema reads to those who write clients: descriptions, names, Relay's rules.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import graphql from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';

const file = resolve(process.argv[2] ?? fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url)));

/** Where this house does otherwise than the rules' makers, and why. */
const OWN = {
  '@graphql-eslint/require-description': [
    'error',
    {
      types: true,
      FieldDefinition: true,
      InputValueDefinition: true,
      EnumValueDefinition: true,
      DirectiveDefinition: true,
      // GraphQL's own, which the schema only repeats.
      ignoredSelectors: ['DirectiveDefinition[name.value=oneOf]'],
    },
  ],
  // Plain lists are for what is few and bounded.
  '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
  // In the order in which one reads them.
  '@graphql-eslint/alphabetize': 'off',
  // Values, events and payloads have no identity; what has one is a Node.
  '@graphql-eslint/strict-id-in-types': 'off',
  // Payloads bring just what changed.
  '@graphql-eslint/require-field-of-type-query-in-mutation-result': 'off',
  // Lists are never null; that mutations may be is tested elsewhere.
  '@graphql-eslint/require-nullable-result-in-root': 'off',
  // `eventId` is the word of every event.
  '@graphql-eslint/no-typename-prefix': 'off',
  // The reason ends with the date, as conventions say and test: an argument for it would be of our own making.
  '@graphql-eslint/require-deprecation-date': 'off',
  // There are mutations and subscriptions.
  '@graphql-eslint/no-root-type': 'off',
};

const eslint = new ESLint({
  cwd: dirname(file),
  overrideConfigFile: true,
  overrideConfig: {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: file } } },
    rules: {
      ...graphql.configs['flat/schema-all'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      ...OWN,
    },
  },
});
const results = await eslint.lintFiles([file]);
const said = await (await eslint.loadFormatter('stylish')).format(results);
if (said) console.log(said);
process.exitCode = results.some(({ errorCount }) => errorCount > 0) ? 1 : 0;
