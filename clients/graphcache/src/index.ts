export * from './authenticated.js';
export * from './cache.js';
export * from './client.js';
export * from './queue.js';
export * from './storage.js';
