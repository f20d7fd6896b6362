// The client, with what this program's cache knows.
import { type Landfall, makeClient as make } from 'landfall-graphcache';
import type { Session } from 'landfall-session';

import { cacheOptions } from './cache.js';

export const makeClient = (session: Session): Landfall => make(session, cacheOptions);
