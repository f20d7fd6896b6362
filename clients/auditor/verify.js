// Verification of an audit log by what was read of it, without trusting the server. No dependencies, and nothing of
// Node.js: it runs in a browser as it stands.
//
// Formats: canonical JSON (RFC 8785), Merkle tree (RFC 6962), proofs (RFC 9162), signed notes and checkpoints (C2SP).

const GENESIS_HASH = '0'.repeat(64);
const HASH_SIZE = 32;
const ED25519 = 1;
const KEY_ID_SIZE = 4;
const EM_DASH = '\u2014';

const text = new TextEncoder();

// Names of fields in the hashed text, by their names in the API; the others have the same name in both.
const RENAMED = { eventKind: 'eventType', actorKind: 'actorType', resourceKind: 'resourceType' };
const MOMENTS = { createdAt: 'timestamp', occurredAt: 'occurredAt' };
const SAME = [
  'id', 'chainId', 'seq', 'previousHash', 'hashVersion', 'action', 'outcome', 'accessReason', 'clockSkewed', 'actorId',
  'actorRole', 'deviceId', 'requestId', 'ipMasked', 'incidentId', 'resourceId', 'subjectId', 'details', 'metadata',
];

/** What an entry, a proof or a checkpoint has to be trusted for, and is not. */
export class Untrue extends Error {}

/** Fields of an `AuditEntry` to ask for; those it leaves out are not compared. */
export const ENTRY_FIELDS = [
  ...SAME, ...Object.keys(RENAMED), ...Object.keys(MOMENTS),
  'currentHash', 'hashInput', 'signature', 'signatureKeyId', 'integrity', 'status',
].join(' ');

/** Canonical JSON (RFC 8785). Hashed values have no fractions and no integer that JavaScript rounds. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  // The default order of strings is that of their UTF-16 code units, as the standard has it.
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(',')}}`;
}

/** Raises Untrue unless an entry has its hash, and its hash is that of what it shows. */
export async function verifyEntry(entry) {
  if (entry.hashInput === null) throw new Untrue(`${entry.id} is no text that can have been hashed`);
  if (hex(await sha256(text.encode(entry.hashInput))) !== entry.currentHash) {
    throw new Untrue(`${entry.id} does not have its hash`);
  }
  const hashed = JSON.parse(entry.hashInput);
  // Of two spellings of one value, only one was hashed.
  if (canonical(hashed) !== entry.hashInput) throw new Untrue(`${entry.id} is not hashed as canonical JSON`);
  for (const name of differing(entry, hashed)) throw new Untrue(`${entry.id} shows another ${name} than was hashed`);
}

function* differing(entry, hashed) {
  for (const name of [...SAME, ...Object.keys(RENAMED)]) {
    if (name in entry && canonical(entry[name]) !== canonical(hashed[RENAMED[name] ?? name] ?? null)) yield name;
  }
  for (const [name, inText] of Object.entries(MOMENTS)) {
    if (name in entry && Date.parse(entry[name]) !== Date.parse(hashed[inText])) {
      if (entry[name] !== null || hashed[inText] !== null) yield name;
    }
  }
}

/** Raises Untrue unless entries of one chain, by their seq, follow each other; from the first one if it is `whole`. */
export function verifyChain(entries, { whole = true } = {}) {
  const sorted = [...entries].sort((a, b) => a.seq - b.seq);
  let before = whole ? { seq: -1, currentHash: GENESIS_HASH } : null;
  for (const entry of sorted) {
    const { chainId } = entry;
    if (before !== null) {
      if (entry.seq !== before.seq + 1) throw new Untrue(`${chainId} lacks seq ${before.seq + 1}`);
      if (entry.previousHash !== before.currentHash) throw new Untrue(`${chainId} is broken before seq ${entry.seq}`);
    }
    before = entry;
  }
}

/** Leaf hash of an entry in its organization's log. */
export function leafHash({ chainId, seq, currentHash }) {
  return sha256(join([Uint8Array.of(0), text.encode(`${chainId}\n${seq}\n${currentHash}`)]));
}

/** Raises Untrue unless an `AuditProof` shows that its entry is in the log of a verified checkpoint. */
export async function verifyInclusion({ entry, leafIndex, leaf, path }, checkpoint) {
  const hash = await leafHash(entry);
  if (hex(hash) !== leaf) throw new Untrue(`the proof of seq ${entry.seq} of ${entry.chainId} is of another entry`);
  if (!(await includes(hash, leafIndex, checkpoint.size, path.map(bytes), checkpoint.root))) {
    throw new Untrue(`seq ${entry.seq} of ${entry.chainId} is not in the log`);
  }
}

async function includes(leaf, index, size, path, root) {
  if (!(index >= 0 && index < size)) return false;
  let last = size - 1;
  let computed = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      computed = await node(sibling, computed);
      [index, last] = carried(index, last);
    } else {
      computed = await node(computed, sibling);
    }
    [index, last] = [half(index), half(last)];
  }
  return last === 0 && equal(computed, root);
}

/** Raises Untrue unless a path of hashes shows that the log of a newer checkpoint begins as that of an older one. */
export async function verifyConsistency(older, newer, path) {
  if (older.origin !== newer.origin || !(await continues(older, newer, path.map(bytes)))) {
    const sizes = `the log of ${newer.size} entries does not continue that of ${older.size}`;
    throw new Untrue(`${sizes}: it was forked or shortened`);
  }
}

async function continues(older, newer, path) {
  if (older.size > newer.size || path.some((each) => each.length !== HASH_SIZE)) return false;
  if (older.size === 0) return path.length === 0;
  if (older.size === newer.size) return path.length === 0 && equal(older.root, newer.root);
  let [index, last] = [older.size - 1, newer.size - 1];
  while (index % 2 === 1) [index, last] = [half(index), half(last)];
  // An old tree that is complete is a node of the new one: its root begins the path unsaid.
  const nodes = index === 0 ? [older.root, ...path] : path;
  if (nodes.length === 0) return false;
  let [oldRoot, newRoot] = [nodes[0], nodes[0]];
  for (const each of nodes.slice(1)) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      oldRoot = await node(each, oldRoot);
      newRoot = await node(each, newRoot);
      [index, last] = carried(index, last);
    } else {
      newRoot = await node(newRoot, each);
    }
    [index, last] = [half(index), half(last)];
  }
  return last === 0 && equal(oldRoot, older.root) && equal(newRoot, newer.root);
}

/** Public key of a C2SP verifier key: name, key id in hex and key in base64, with plus signs between. */
export async function verifierKey(vkey) {
  const [name, keyId, ...rest] = vkey.split('+');
  const typed = fromBase64(rest.join('+'));
  if (typed.length !== 33 || typed[0] !== ED25519) throw new Untrue(`${name} has a key that is not of Ed25519`);
  const id = hex((await sha256(join([text.encode(`${name}\n`), typed]))).slice(0, KEY_ID_SIZE));
  if (id !== keyId) throw new Untrue(`${name} has a key under another id`);
  const key = await crypto.subtle.importKey('raw', typed.slice(1), { name: 'Ed25519' }, false, ['verify']);
  return { vkey, name, keyId, key, since: 0, until: Infinity };
}

/**
 * Checkpoint { origin, size, root, extensions, signers } of a note that one of the known keys of its log signed: a key
 * signs from `since` entries on, and no more from `until` on.
 */
export async function verifyCheckpoint(note, keys) {
  const end = note.lastIndexOf('\n\n');
  const signed = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n').filter((line) => line !== '');
  const [origin, size, root, ...others] = signed.split('\n');
  if (end < 0 || others.length < 1 || !/^(0|[1-9][0-9]{0,15})$/.test(size)) throw new Untrue('a note is no checkpoint');
  const signers = [];
  for (const line of lines) {
    const [dash, name, encoded] = line.split(' ');
    const signature = fromBase64(encoded ?? '');
    const keyId = hex(signature.slice(0, KEY_ID_SIZE));
    const known = keys.find((each) => dash === EM_DASH && each.name === name && each.keyId === keyId);
    if (known === undefined || size < known.since || size >= known.until) continue;
    if (!(await verifies(known.key, signature.slice(KEY_ID_SIZE), signed))) {
      throw new Untrue(`the checkpoint of ${size} entries has a wrong signature`);
    }
    if (name === origin) signers.push(known);
  }
  if (signers.length === 0) throw new Untrue(`no known key signed the checkpoint of ${size} entries`);
  return { origin, size: Number(size), root: fromBase64(root), extensions: others.slice(0, -1), signers };
}

/** Raises Untrue unless an entry that has a signature of its own was signed by one of the known keys. */
export async function verifySignature(entry, keys) {
  if (entry.signature === null) return;
  const known = keys.find((each) => each.keyId === entry.signatureKeyId);
  if (known === undefined || !(await verifies(known.key, fromBase64(entry.signature), entry.currentHash))) {
    throw new Untrue(`${entry.id} has a wrong signature`);
  }
}

const verifies = (key, signature, signed) =>
  crypto.subtle.verify({ name: 'Ed25519' }, key, signature, text.encode(signed));
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest('SHA-256', data));
const node = (left, right) => sha256(join([Uint8Array.of(1), left, right]));
const half = (number) => Math.floor(number / 2);

/** Both positions at the level up to which an odd last node was carried. */
function carried(index, last) {
  while (index > 0 && index % 2 === 0) [index, last] = [half(index), half(last)];
  return [index, last];
}

function join(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (inHex) => Uint8Array.from(inHex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const fromBase64 = (encoded) => Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
const equal = (a, b) => hex(a) === hex(b);
