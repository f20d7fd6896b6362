export * from './ids.js';
export * from './outcome.js';
export * from './queue.js';
export * from './session.js';
