// Keys of a log: which of those that the server shows are to be believed, and from which size of the log up to which.

import { Untrue, verifierKey, verifyCheckpoint } from './verify.js';

const SUCCESSOR = 'successor-key';

/**
 * Keys that may be believed, the oldest first, of those that the server shows, { verifierKey, fromEntryCount,
 * introductionNote }. `known` are verifier keys that were kept, and then those told by another way than this server;
 * with none, all are believed. Another key is believed if the one before it signed the checkpoint that names it. Keys
 * before the first that is known need no more: what they signed is proven by its checkpoints.
 */
export async function follow(shown, known, check) {
  const vkeys = shown.map(({ verifierKey: vkey }) => vkey);
  const believed = await Promise.all(known.filter((vkey) => !vkeys.includes(vkey)).map(verifierKey));
  await check(() => inOrder(vkeys, known));
  const first = vkeys.findIndex((vkey) => known.includes(vkey));
  for (const [place, each] of shown.entries()) {
    const isKnown = known.length === 0 || place < first || known.includes(each.verifierKey);
    if (each.fromEntryCount === null && !known.includes(each.verifierKey)) continue;
    const key = await check(() => introduced(each, believed, isKnown));
    if (key === null) continue;
    // What was replaced signs nothing larger: who stole an old key cannot go on with the log.
    for (const older of believed) older.until = Math.min(older.until, key.since);
    believed.push(key);
  }
  return believed;
}

/** Keys of which one signs the latest checkpoint: that which was known last, and those after it. */
export function current(keys, known) {
  return keys.slice(Math.max(0, ...known.map((vkey) => keys.findIndex((key) => key.vkey === vkey))));
}

/** Raises Untrue unless all known keys are shown, in the order in which they came to be known. */
function inOrder(vkeys, known) {
  const places = known.map((vkey) => vkeys.indexOf(vkey));
  const missing = places.indexOf(-1);
  if (missing >= 0) throw new Untrue(`the log shows no key ${known[missing]}`);
  if (places.some((place, at) => at > 0 && place < places[at - 1])) {
    throw new Untrue('the log shows its keys in another order than they came in');
  }
}

async function introduced({ verifierKey: vkey, introductionNote: note }, believed, isKnown) {
  const key = await verifierKey(vkey);
  if (note === null) {
    if (isKnown) return key;
    throw new Untrue(`no known key vouches for the key ${key.keyId}`);
  }
  const { size, extensions, signers } = await verifyCheckpoint(note, [...believed, key]);
  const isNamed = extensions.includes(`${SUCCESSOR} ${vkey}`) && signers.includes(key);
  if (isNamed && (isKnown || signers.some((signer) => signer !== key))) return { ...key, since: size };
  throw new Untrue(`no known key vouches for the key ${key.keyId}, which signs from ${size} entries on`);
}
