// Reading of an audit log by the GraphQL API, as an auditor who signs in. Of Node.js and of browsers alike.

import { ENTRY_FIELDS } from './verify.js';

const PAGE = 100;
const MOST_WAITS = 10;

const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) {
  errors { code message } tokens { accessToken } } }`;
const CHECKPOINTS = `query Checkpoints($after: String) { auditCheckpoints(first: ${PAGE}, after: $after) {
  edges { node { entryCount note } } pageInfo { hasNextPage endCursor } } }`;
const KEYS = `query Keys { auditCheckpoints(first: 1) {
  edges { node { logKeys { verifierKey fromEntryCount introductionNote } } } } }`;
const ENTRIES = `query Entries($after: String) { auditEntries(first: ${PAGE}, after: $after) {
  edges { node { ${ENTRY_FIELDS} } } pageInfo { hasNextPage endCursor } } }`;
const PROOF = `query Proof($entryId: ID!) { auditProof(entryId: $entryId) { leafIndex leaf path
  entry { chainId seq currentHash } checkpoint { entryCount note } } }`;
const CONSISTENCY = `query Consistency($from: Int!, $to: Int!) {
  auditConsistency(fromEntryCount: $from, toEntryCount: $to) { path } }`;

/** The server refused, or could not answer; `code` is its error code. */
export class Failed extends Error {
  constructor({ message, code }) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export class AuditLog {
  #token = null;

  constructor(url) {
    this.url = url;
  }

  async signIn(email, password) {
    const device = { deviceId: mint('device'), name: 'Auditor', platform: 'WEB' };
    const input = { idempotencyKey: crypto.randomUUID(), email, password, device };
    const { signIn } = await this.ask(SIGN_IN, { input });
    if (signIn.errors.length > 0) throw new Failed(signIn.errors[0]);
    this.#token = signIn.tokens.accessToken;
  }

  /** Keys of the organization's log, the oldest first; none before the first checkpoint. */
  async keys() {
    const [edge] = (await this.ask(KEYS)).auditCheckpoints.edges;
    return edge?.node.logKeys ?? [];
  }

  /** Checkpoints of the organization, the latest first. */
  checkpoints() {
    return this.#pages('auditCheckpoints', CHECKPOINTS);
  }

  /** Entries that the auditor may read, the newest first. */
  entries() {
    return this.#pages('auditEntries', ENTRIES);
  }

  async proof(entryId) {
    return (await this.ask(PROOF, { entryId })).auditProof;
  }

  /** Path of hashes between two sizes of the log; null if the server has no proof. */
  async consistency(from, to) {
    return (await this.ask(CONSISTENCY, { from, to })).auditConsistency?.path ?? null;
  }

  async *#pages(field, query) {
    for (let after = null, more = true; more; ) {
      const { edges, pageInfo } = (await this.ask(query, { after }))[field];
      yield* edges.map((edge) => edge.node);
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
  }

  /** Data of an operation; waits as long as the server says where it is asked too often. */
  async ask(query, variables) {
    for (let waits = 0; ; waits += 1) {
      const headers = { 'Content-Type': 'application/json' };
      if (this.#token !== null) headers.Authorization = `Bearer ${this.#token}`;
      const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
      const { data, errors } = await response.json();
      if (!errors) return data;
      const { code, retryAfterSeconds } = errors[0].extensions;
      if (code !== 'RATE_LIMITED' || waits === MOST_WAITS) throw new Failed({ message: errors[0].message, code });
      await new Promise((resolve) => setTimeout(resolve, (retryAfterSeconds ?? 1) * 1000));
    }
  }
}

/** Id as clients mint them: a prefix, and a UUID of version 7 in Crockford's base 32. */
function mint(prefix) {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  const random = crypto.getRandomValues(new Uint8Array(10));
  let value = BigInt(Date.now());
  for (const byte of random) value = (value << 8n) | BigInt(byte);
  const clear = (0xfn << 76n) | (0x3n << 62n);
  value = (value & ~clear) | (0x7n << 76n) | (0x2n << 62n);
  let encoded = '';
  for (let place = 0; place < 26; place += 1, value >>= 5n) encoded = digits[Number(value & 31n)] + encoded;
  return `${prefix}_${encoded}`;
}
