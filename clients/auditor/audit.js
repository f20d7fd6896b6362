// Audit of a whole log, with nothing taken on trust but what was seen before: see `verify.js`.

import { current, follow } from './keys.js';
import {
  Untrue,
  verifyChain,
  verifyCheckpoint,
  verifyConsistency,
  verifyEntry,
  verifyInclusion,
  verifySignature,
} from './verify.js';

const MOST_PROOFS = 200;

/**
 * What is wrong with a log, and what to keep for the next time: `seen` is what was kept the last time, { keys, note },
 * or null. `told` are verifier keys that the operator told by another way than this server. Keys that were kept or told
 * are believed, and those that they vouch for; what the server shows only counts the first time, where none was told.
 */
export async function audit(log, seen = null, told = []) {
  const findings = [];
  const check = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Untrue)) throw error;
      findings.push(error.message);
      return null;
    }
  };

  const shown = await all(log.checkpoints());
  const known = [...new Set([...(seen?.keys ?? []), ...told])];
  const keys = await follow(await log.keys(), known, check);
  const heads = await checkpoints(log, shown, keys, seen, check);
  if (heads.length > 0) await check(() => verifyCheckpoint(shown[0].note, current(keys, known)));

  const entries = await all(log.entries());
  for (const entry of entries) {
    if (entry.seq === null) continue;
    await check(() => verifyEntry(entry));
    await check(() => verifySignature(entry, keys));
  }
  const placed = entries.filter((entry) => entry.seq !== null);
  for (const chain of byChain(placed)) await check(async () => verifyChain(chain));
  for (const entry of entries.filter((each) => each.integrity === 'BROKEN')) {
    findings.push(`${entry.id} is BROKEN, as the server itself says`);
  }

  const latest = heads[0] ?? null;
  const sealed = placed.filter((entry) => entry.status === 'SEALED');
  if (latest !== null && sealed.length < latest.size) {
    findings.push(`${latest.size - sealed.length} of the ${latest.size} entries of the log are gone`);
  }
  for (const entry of spread(sealed, MOST_PROOFS)) await check(() => included(log, entry, keys));

  const kept = latest === null ? seen : { keys: keys.map(({ vkey }) => vkey), note: shown[0].note };
  return { findings, entries: entries.length, checkpoints: heads.length, seen: kept };
}

/** Verified checkpoints, the latest first: each continues the one before, and the latest continues what was seen. */
async function checkpoints(log, shown, keys, seen, check) {
  const heads = [];
  for (const { note } of shown) {
    const head = await check(() => verifyCheckpoint(note, keys));
    if (head !== null) heads.push(head);
  }
  const before = seen && (await check(() => verifyCheckpoint(seen.note, keys)));
  const pairs = heads.slice(1).map((older, at) => [older, heads[at]]);
  for (const [older, newer] of before && heads.length > 0 ? [...pairs, [before, heads[0]]] : pairs) {
    await check(() => consistent(log, older, newer));
  }
  if (before && heads.length === 0) await check(() => lost(before));
  return heads;
}

async function consistent(log, older, newer) {
  if (older.size > newer.size) throw new Untrue(`the log was shortened from ${older.size} entries to ${newer.size}`);
  const path = await log.consistency(older.size, newer.size);
  if (path === null) throw new Untrue(`the server has no proof that ${newer.size} entries continue ${older.size}`);
  await verifyConsistency(older, newer, path);
}

function lost({ size }) {
  throw new Untrue(`the log of ${size} entries is gone`);
}

async function included(log, entry, keys) {
  const proof = await log.proof(entry.id);
  if (proof === null) throw new Untrue(`the server has no proof that ${entry.id} is in the log`);
  // What the proof says of the entry is what was read of it before.
  const head = await verifyCheckpoint(proof.checkpoint.note, keys);
  await verifyInclusion({ ...proof, entry }, head);
}

async function all(pages) {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
}

function byChain(entries) {
  const chains = new Map();
  for (const entry of entries) chains.set(entry.chainId, [...(chains.get(entry.chainId) ?? []), entry]);
  return chains.values();
}

/** So many of a list at most, from all of it. */
function spread(list, most) {
  const step = Math.max(list.length / most, 1);
  return Array.from({ length: Math.min(list.length, most) }, (_, at) => list[Math.floor(at * step)]);
}
