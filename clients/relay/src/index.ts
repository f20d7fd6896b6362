export * from './actions.js';
export * from './Changes.js';
export * as chat from './Chat.js';
export * from './environment.js';
export * as feed from './Feed.js';
export * as post from './Post.js';
export * as shop from './Shop.js';
