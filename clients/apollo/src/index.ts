export * from './actions.js';
export * from './cache.js';
export * from './client.js';
export * from './ids.js';
export * from './live.js';
export * as operations from './operations.js';
export * from './queue.js';
export * from './session.js';
export type * from './generated/graphql.js';
