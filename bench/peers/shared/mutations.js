// `createPost` by hand, with what Landfall promises of it: it happens once for each key, whatever is retried, and what
// it writes, the receipt, the change log and the background work are there together or not at all.
import { createHmac, randomBytes } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { MongoServerError } from 'mongodb';
import { createClient } from 'redis';
import { unauthenticated } from './access.js';
import { client, collections } from './data.js';
import { settings } from './settings.js';

const LONGEST_TEXT = 5_000;
const LONGEST_KEY = 128;
const DAY = 86_400_000;
const RECEIPTS_KEPT = 30 * DAY;
const DUPLICATE = 11000;
const STALE_SECONDS = 600;
const POSTS_AN_HOUR = 30_000_000;
const POST_ID = /^post_[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}$/;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TRANSACTION = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' }, maxCommitTimeMS: 10_000 };

// GCRA: the theoretical arrival time of the next request, by Redis's clock.
const LIMIT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local allowed_at = arrival + interval - interval * burst
if allowed_at > now then
  return allowed_at - now
end
arrival = arrival + interval
redis.call('SET', KEYS[1], string.format('%.3f', arrival), 'PX', math.ceil(arrival - now) + 1000)
return 0
`;

const redis = await createClient({ url: settings.redisUrl }).connect();
const limit = await redis.scriptLoad(LIMIT);
const { changes, jobs, posts, receipts, users } = collections;
const secret = randomBytes(32);

class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export async function createPost(_, { input }, { viewer }) {
  if (viewer === null) throw unauthenticated();
  const { idempotencyKey, ...given } = input;
  if (!idempotencyKey || idempotencyKey.length > LONGEST_KEY) {
    throw new GraphQLError(`idempotencyKey must have 1 to ${LONGEST_KEY} characters.`);
  }
  const claim = {
    _id: `${viewer.userId}:${idempotencyKey}`,
    mutation: 'createPost',
    input_hash: createHmac('sha256', secret).update(JSON.stringify(given)).digest('hex'),
    state: 'DONE',
  };
  const { post, errors, replayed } = await once(claim, () => write(viewer.userId, given, claim));
  return { post, errors, replayed, idempotencyKey };
}

/** The payload of this run, or of the first one with this key. */
async function once(claim, run) {
  try {
    return { post: await run(), errors: [], replayed: false };
  } catch (error) {
    if (error instanceof Refused) return { post: null, errors: [{ code: error.code, message: error.message }], replayed: false };
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE) throw error;
    const receipt = await receipts.findOne({ _id: claim._id });
    if (receipt === null) return { post: null, errors: [{ code: 'ID_TAKEN', message: 'This id is in use.' }], replayed: false };
    if (receipt.mutation !== claim.mutation || receipt.input_hash !== claim.input_hash) {
      throw new GraphQLError('This key was used for something else.', { extensions: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    }
    return { post: await posts.findOne({ _id: receipt.payload.post.$ref }), errors: [], replayed: true };
  }
}

async function write(userId, given, claim) {
  const post = checked(userId, given);
  const made = await client.withSession((session) =>
    session.withTransaction(async () => {
      const now = new Date();
      const stamped = { ...post, version: 1, created_at: now, updated_at: now };
      await receipts.replaceOne(
        { _id: claim._id, expires_at: { $lte: now } },
        {
          mutation: claim.mutation,
          input_hash: claim.input_hash,
          state: claim.state,
          payload: { post: { $ref: post._id } },
          created_at: now,
          expires_at: new Date(now.getTime() + RECEIPTS_KEPT),
        },
        { upsert: true, session },
      );
      await allow(`rate:posts:${userId}`, POSTS_AN_HOUR, 3_600);
      const author = await users.findOneAndUpdate(
        { _id: userId },
        { $inc: { post_count: 1 }, $set: { updated_at: now } },
        { returnDocument: 'after', session },
      );
      await posts.insertOne(stamped, { session });
      await jobs.insertMany(
        [
          job('feed.scan', { subject_id: post._id }, now),
          job('feed.deliver', { post_id: post._id, author_id: userId, created: true }, now),
          job('feed.push_to_friends', { post_id: post._id, author_id: userId }, now),
        ],
        { session },
      );
      await changes.bulkWrite(
        [
          logged(post._id, 'POST', post._id, 1, [`user:${userId}`, `post:${post._id}`, `followers:${userId}`], true),
          logged(`counts:${userId}`, 'USER', userId, author.version, [`user:${userId}`, `followers:${userId}`], false),
        ],
        { session },
      );
      return stamped;
    }, TRANSACTION),
  );
  // Its author's ranked feed is put together anew.
  await redis.set(`feed:stale:{${userId}}`, typeId('mark'), { EX: STALE_SECONDS });
  return made;
}

function checked(userId, { id, text, visibility }) {
  const body = text || null;
  if (body === null) throw new Refused('REQUIRED', 'A post needs text, media or a link.');
  if (body.length > LONGEST_TEXT) throw new Refused('TOO_LONG', `At most ${LONGEST_TEXT} characters.`);
  if (visibility === 'GROUP') throw new Refused('INVALID_INPUT', 'A post for a group names it, no other does.');
  if (id && !POST_ID.test(id)) throw new GraphQLError(`${id.slice(0, 80)} is not the id of a post.`);
  if (id && momentOf(id) > Date.now() + DAY) throw new GraphQLError(`${id} was made more than 24 hours ahead.`);
  return {
    _id: id ?? typeId('post'),
    author_id: userId,
    media_ids: [],
    state: 'PUBLISHED',
    pinned: false,
    comment_count: 0,
    share_count: 0,
    reactions: {},
    edited_at: null,
    text: body,
    visibility: visibility ?? 'FRIENDS',
  };
}

async function allow(key, count, seconds) {
  const wait = await redis.evalSha(limit, { keys: [key], arguments: [`${(seconds * 1000) / count}`, `${count}`] });
  if (Number(wait) > 0) throw new Refused('RATE_LIMITED', 'Too often.');
}

const job = (task, args, now) => ({
  _id: typeId('job'),
  task,
  arguments: args,
  state: 'WAITING',
  due_at: now,
  attempts: 0,
  error: null,
  created_at: now,
  expires_at: null,
});

/** The latest change of a thing; who could see it before learns that they cannot any more. */
function logged(id, type, node, version, scopes, created) {
  const kept = { $ifNull: ['$scopes', []] };
  const fields = {
    type,
    node,
    version,
    former: { $setDifference: [{ $setUnion: [kept, { $ifNull: ['$former', []] }] }, scopes] },
    scopes,
    at: '$$NOW',
    revision: { $add: [{ $ifNull: ['$revision', 0] }, 1] },
    deleted: false,
    created,
    scope: null,
    detail: null,
    expires_at: '$$REMOVE',
  };
  return { updateOne: { filter: { _id: id }, update: [{ $set: fields }], upsert: true } };
}

/** A TypeID: the moment in 48 bits and randomness, as 26 characters of base32. */
function typeId(prefix) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  let number = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let place = 0; place < 26; place++) {
    text = ALPHABET[Number(number & 31n)] + text;
    number >>= 5n;
  }
  return `${prefix}_${text}`;
}

/** When an id was made, in milliseconds since the epoch: its first ten characters hold 2 + 48 bits. */
function momentOf(id) {
  let moment = 0;
  for (const letter of id.slice(5, 15)) moment = moment * 32 + ALPHABET.indexOf(letter);
  return moment;
}
