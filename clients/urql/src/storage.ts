// Where Graphcache keeps what it knows, so that a restarted program shows it without a connection.
import type { SerializedEntries, StorageAdapter } from '@urql/exchange-graphcache';
import type { Queue, Store } from 'landfall-session';

const SAVED = 'landfall.cache';

export interface Storage extends StorageAdapter {
  /** Queries that failed for want of a connection are asked again. */
  online(): void;
}

/**
 * The mutations that a restart brings back are those of our queue. Graphcache's own list is of no use here: it
 * is emptied before the answers are there, and all that is on it is sent at once.
 */
export function makeStorage(store: Store, queue: Queue): Storage {
  let entries = JSON.parse(store.getItem(SAVED) ?? '{}') as SerializedEntries;
  let online = (): void => undefined;
  return {
    async readData() {
      return entries;
    },
    async writeData(delta) {
      entries = { ...entries, ...delta };
      store.setItem(SAVED, JSON.stringify(entries));
    },
    async readMetadata() {
      return queue.saved().map(({ query, variables }) => ({ query: query!, variables }));
    },
    writeMetadata: () => undefined,
    onOnline(callback) {
      online = callback;
    },
    online: () => online(),
  };
}
