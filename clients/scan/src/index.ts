export * from './cache.js';
export * from './client.js';
export * as operations from './operations.js';
export * from './picture.js';
export * from './scanner.js';
export * from 'landfall-session';
