export * from './cache.js';
export * from './client.js';
export * from './live.js';
export * as operations from './operations.js';
export * from 'landfall-session';
