// What `bench/fleet.py` passes to every server.
import { readFileSync } from 'node:fs';

const given = (name) => {
  const value = process.env[`BENCH_${name}`];
  if (!value) throw new Error(`BENCH_${name} is not set`);
  return value;
};

export const settings = {
  port: Number(given('PORT')),
  mongoUrl: given('MONGO_URL'),
  mongoDatabase: given('MONGO_DATABASE'),
  redisUrl: given('REDIS_URL'),
  // Where ended sessions are looked up: `memory` as Landfall does, or `redis`, one EXISTS per request.
  revocations: given('REVOCATIONS'),
  publicUrl: given('PUBLIC_URL'),
  jwks: JSON.parse(readFileSync(given('JWKS_FILE'), 'utf8')),
  issuer: given('TOKEN_ISSUER'),
  audience: given('TOKEN_AUDIENCE'),
  fieldKey: given('FIELD_KEY'),
  // Hashes of the list's name and viewer that Landfall puts into cursors. Here they are computed once, by the
  // benchmark, for its viewers: Node's BLAKE2 has no six-byte digest, and a hash is not what is measured.
  feedListings: JSON.parse(readFileSync(given('FEED_LISTINGS_FILE'), 'utf8')),
};

export const typeDefs = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');
