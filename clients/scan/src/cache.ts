// Graphcache for the scanner: what has no id of its own, and pages that are joined.
import type { Cache, CacheExchangeOpts, UpdateResolver } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { type Edge, keysOf, unless } from 'landfall-graphcache';

import schema from './generated/schema.js';
import * as operations from './operations.js';

export const cacheOptions: CacheExchangeOpts = {
  schema,
  keys: keysOf(schema),
  resolvers: { ScannerArea: { scans: relayPagination(), warmup: relayPagination() } },
  updates: {
    Mutation: {
      recordScans: (({ recordScans: done }, _, cache) => {
        for (const { status, scanRecord } of done?.results ?? []) {
          if (scanRecord && status !== 'DUPLICATE') inHistory(cache, { __typename: 'ScanRecordEdge', node: scanRecord });
        }
      }) as UpdateResolver<any>,
      addStackItem: (({ addStackItem: done }, _, cache) => {
        if (done?.stack) inStacks(cache, { __typename: 'StackEdge', node: done.stack });
      }) as UpdateResolver<any>,
    },
  },
};

/** Latest first, whenever it was sent. */
function inHistory(cache: Cache, edge: Edge): void {
  cache.updateQuery({ query: operations.History, variables: { first: 20 } }, (data: any) => {
    const scans = data?.viewer?.scanner.scans;
    if (scans) scans.edges = unless(scans.edges, edge, (edges) => [...edges, edge].sort(byTime));
    return data;
  });
}

const byTime = (one: any, other: any): number => Date.parse(other.node.scannedAt) - Date.parse(one.node.scannedAt);

function inStacks(cache: Cache, edge: Edge): void {
  cache.updateQuery({ query: operations.Stacks }, (data: any) => {
    const stacks = data?.viewer?.stacks;
    if (stacks) stacks.edges = unless(stacks.edges, edge, (edges) => [...edges, edge]);
    return data;
  });
}
