// Reads with the mongodb driver: by batches of keys, and for each request a set of dataloaders over them.
import DataLoader from 'dataloader';
import { MongoClient } from 'mongodb';
import { settings } from './settings.js';

const MOST_FOLLOWED = 5_000;
const MOST_HIDDEN = 1_000;
const MOST_GROUPS = 1_000;
export const LATEST = { created_at: -1, _id: -1 };

// Landfall reads what a majority has, so its peers do too.
export const client = await new MongoClient(settings.mongoUrl, { readConcernLevel: 'majority' }).connect();
const db = client.db(settings.mongoDatabase);
const named = (names) => Object.fromEntries(names.map((name) => [name, db.collection(name)]));

export const collections = named([
  'blocks',
  'changes',
  'chat_members',
  'jobs',
  'follows',
  'group_members',
  'hides',
  'media',
  'messages',
  'posts',
  'products',
  'reactions',
  'receipts',
  'users',
]);
const { blocks, follows, hides, media, messages, posts, products, reactions, users } = collections;
const { chat_members: sides, group_members: members } = collections;

/** What one request has loaded; never shared with another, whose viewer may see less. */
export function loadersFor(viewerId) {
  const comments = new Map();
  let barred;
  const loaders = {
    user: new DataLoader((ids) => usersByIds(ids)),
    media: new DataLoader((ids) => mediaByIds(ids)),
    viewerReaction: new DataLoader((subjects) => reactionsBy(viewerId, subjects)),
    /** Everybody the viewer blocked or is blocked by. */
    barred: () => (barred ??= barredBy(viewerId)),
    /** The newest comments of posts, `count` of each. */
    comments(count) {
      let loader = comments.get(count);
      if (!loader) {
        loader = new DataLoader(async (ids) => newestComments(ids, count, await loaders.barred()));
        comments.set(count, loader);
      }
      return loader;
    },
  };
  return loaders;
}

export const followsOf = (userId) =>
  follows.find({ follower_id: userId }, { limit: MOST_FOLLOWED + 1, batchSize: MOST_FOLLOWED + 1 }).toArray();

/** Groups somebody is in. */
export const membershipsOf = (userId) => members.find({ user_id: userId }, { limit: MOST_GROUPS }).toArray();

/** Posts somebody hid lately. */
export const hiddenBy = (userId) =>
  hides.find({ user_id: userId }, { sort: { created_at: -1 }, limit: MOST_HIDDEN }).toArray();

export const newestPosts = (query, count) => posts.find(query, { sort: LATEST, limit: count }).toArray();

/** Products on sale of some categories; the beginnings of their words are for searching only. */
export function productsOf(categoryIds, count) {
  const category_id = categoryIds.length === 1 ? categoryIds[0] : { $in: categoryIds };
  return products
    .find({ status: 'ACTIVE', category_id }, { sort: { _id: 1 }, limit: count, projection: { prefixes: 0 } })
    .toArray();
}

/** Chats as one person sees them, latest activity first. */
export const latestChats = (userId, count) =>
  sides
    .find({ user_id: userId, started: true, archived: false }, { sort: { last_activity_at: -1, chat_id: -1 }, limit: count })
    .toArray();

/** The end of a chat's history, newest first, without what the viewer deleted. */
export const newestMessages = (chatId, userId, count) =>
  messages
    .find({ chat_id: chatId, hidden_for: { $ne: userId } }, { sort: { sequence: -1 }, limit: count, batchSize: count + 1 })
    .toArray();

/** Documents by ids, null for what is not there; some of their fields, or all. */
const byIds = (collection) => async (ids, fields) => {
  const projection = fields && Object.fromEntries(fields.map((field) => [field, 1]));
  const rows = await collection.find({ _id: { $in: ids } }, { limit: ids.length, projection }).toArray();
  const found = new Map(rows.map((row) => [row._id, row]));
  return ids.map((id) => found.get(id) ?? null);
};

export const usersByIds = byIds(users);
export const mediaByIds = byIds(media);

export async function barredBy(userId) {
  const rows = await blocks.find({ $or: [{ user_id: userId }, { blocked_id: userId }] }).toArray();
  const people = new Set(rows.flatMap((row) => [row.user_id, row.blocked_id]));
  people.delete(userId);
  return [...people].sort();
}

export async function reactionsBy(userId, subjects) {
  const ids = subjects.map((subject) => `${subject}|${userId}`);
  const rows = await reactions.find({ _id: { $in: ids } }, { limit: ids.length }).toArray();
  const kinds = new Map(rows.map((row) => [row.subject_id, row.kind]));
  return subjects.map((subject) => kinds.get(subject) ?? null);
}

/** One command for all posts, each read through the index: the same that Landfall sends. */
export async function newestComments(postIds, count, barred) {
  const where = { parent_id: null, gone: { $ne: true }, ...(barred.length ? { author_id: { $nin: barred } } : {}) };
  const rows = await db
    .aggregate([
      { $documents: postIds.map((_id) => ({ _id })) },
      {
        $lookup: {
          from: 'comments',
          localField: '_id',
          foreignField: 'post_id',
          pipeline: [{ $match: where }, { $sort: LATEST }, { $limit: count }],
          as: 'comments',
        },
      },
    ])
    .toArray();
  const found = new Map(rows.map((row) => [row._id, row.comments]));
  return postIds.map((id) => found.get(id) ?? []);
}
