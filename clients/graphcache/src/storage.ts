// Where Graphcache keeps what it knows, so that a restarted program shows it without a connection.
import type { SerializedEntries, StorageAdapter } from '@urql/exchange-graphcache';
import type { Queue, Session } from 'landfall-session';

const SAVED = 'landfall.cache';

export interface Storage extends StorageAdapter {
  /** Queries that failed for want of a connection are asked again. */
  online(): void;
}

/**
 * The mutations that a restart brings back are those of our queue. Graphcache's own list is of no use here: it
 * is emptied before the answers are there, and all that is on it is sent at once.
 */
export function makeStorage(session: Session, queue: Queue): Storage {
  const { store } = session;
  // By person: nobody finds on the screen what another saw before on the same phone.
  const place = (): string => `${SAVED}.${session.userId}`;
  const read = (): SerializedEntries => JSON.parse(store.getItem(place()) ?? '{}') as SerializedEntries;
  let whose = session.userId;
  let entries = read();
  let online = (): void => undefined;
  return {
    async readData() {
      return entries;
    },
    async writeData(delta) {
      if (whose !== session.userId) entries = read();
      whose = session.userId;
      entries = { ...entries, ...delta };
      store.setItem(place(), JSON.stringify(entries));
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
