export * from './actions.js';
export * from './cache.js';
export * from './client.js';
export * from './live.js';
export * as operations from './operations.js';
export * from './queue.js';
export * from 'landfall-session';
export type * from './generated/graphql.js';
