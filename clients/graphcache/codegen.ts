import type { CodegenConfig } from '@graphql-codegen/cli';

// Typed documents, and what Graphcache must know of types, from the checked-in schema; for the program it is run in.
const config: CodegenConfig = {
  schema: '../../schema/app.graphql',
  documents: ['src/**/*.ts', '!src/generated/**', '../../schema/delta.graphql'],
  generates: {
    './src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' } },
      config: {
        useTypeImports: true,
        // `DeltaQuery` is the type of DeltaQuery's answer, not DeltaQueryQuery.
        dedupeOperationSuffix: true,
        enumsAsTypes: true,
        nonOptionalTypename: true,
        skipTypeNameForRoot: true,
        strictScalars: true,
        scalars: { DateTime: 'string', Date: 'string', LocalTime: 'string', URL: 'string', SyncToken: 'string', Decimal: 'string', JSON: 'unknown', Base64Url: 'string' },
      },
    },
    './src/generated/schema.ts': { plugins: ['urql-introspection'], config: { useTypeImports: true } },
  },
};

export default config;
