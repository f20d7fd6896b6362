// The resolvers all three servers run.
import { GraphQLScalarType } from 'graphql';
import { unauthenticated, viewerOf } from './access.js';
import { textOf } from './crypto.js';
import { latestChats, loadersFor, newestMessages, newestPosts, productsOf } from './data.js';
import { settings } from './settings.js';

const SHOWN = ['PUBLISHED', 'LIMITED'];
const KINDS = ['LIKE', 'LOVE', 'WOW', 'SAD', 'ANGRY'];
const DEFAULT_FEED = 12;
const DEFAULT_COMMENTS = 20;
const DEFAULT_PRODUCTS = 20;
const DEFAULT_CHATS = 15;
const DEFAULT_MESSAGES = 50;

/** The context of one request. */
export async function contextFor(authorization) {
  const viewer = await viewerOf(authorization);
  return { viewer, loaders: loadersFor(viewer?.userId) };
}

const serialized = (name, serialize) => new GraphQLScalarType({ name, serialize });

export const resolvers = {
  DateTime: serialized('DateTime', (value) => value.toISOString()),
  URL: serialized('URL', String),
  Decimal: serialized('Decimal', String),
  Query: {
    viewer(_, __, { viewer }) {
      if (viewer === null) throw unauthenticated();
      return {};
    },
    searchProducts,
  },
  Product: {
    id: (product) => product._id,
    servingsPerContainer: (product) => product.servings_per_container,
    priceRange: ({ min_price, max_price, currency }) => ({ min: money(min_price, currency), max: money(max_price, currency) }),
    labelImage: (product, _, { loaders }) => (product.label_image_id ? loaders.media.load(product.label_image_id) : null),
    ratingSummary: (product) => product.rating_summary,
  },
  Viewer: {
    user: (_, __, { viewer, loaders }) => loaders.user.load(viewer.userId),
    feed,
    chats,
  },
  FeedEdge: {
    cursor: ({ node }, _, { viewer }) => cursorOf(viewer, node),
  },
  Post: {
    id: (post) => post._id,
    createdAt: (post) => post.created_at,
    author: (post, _, { loaders }) => loaders.user.load(post.author_id),
    media: async (post, _, { loaders }) => {
      if (post.media_ids.length === 0) return [];
      return (await loaders.media.loadMany(post.media_ids)).filter((each) => each !== null);
    },
    reactionSummary: summary,
    commentCount: (post) => post.comment_count,
    comments,
  },
  Reactions: {
    viewerReaction: ({ subjectId }, _, { loaders }) => loaders.viewerReaction.load(subjectId),
  },
  Comment: {
    id: (comment) => comment._id,
    createdAt: (comment) => comment.created_at,
    author: (comment, _, { loaders }) => loaders.user.load(comment.author_id),
  },
  Chat: {
    id: (chat) => chat.chat_id,
    unreadCount: (chat) => chat.unread_count,
    messages,
  },
  Message: {
    id: ({ message }) => message._id,
    sender: ({ message }, _, { loaders }) => loaders.user.load(message.sender_id),
    text: ({ message, chat }) => textOf(message, chat),
    sequence: ({ message }) => message.sequence,
    sentAt: ({ message }) => message.sent_at,
    deliveredAt: ({ message }) => message.delivered_at,
    editedAt: ({ message }) => message.edited_at,
  },
  User: {
    id: (user) => user._id,
    name: (user) => [user.first_name, user.last_name].filter(Boolean).join(' ') || user.handle || 'Somebody',
    avatar: (user, _, { loaders }) => (user.avatar_id ? loaders.media.load(user.avatar_id) : null),
  },
  Media: {
    id: (media) => media._id,
    url: (media) => mediaUrl(media.folder, media.main),
    thumbnailUrl: (media) => (media.thumb ? mediaUrl(media.folder, media.thumb) : null),
  },
};

/** Posts of oneself and those followed, newest first; something public for who follows nobody. */
async function feed(_, { first }, { viewer, loaders }) {
  const size = first ?? DEFAULT_FEED;
  const [edges, hidden, barred, member] = await Promise.all([
    loaders.follows(),
    loaders.hidden(),
    loaders.barred(),
    loaders.memberships(),
  ]);
  const groups = member.map((row) => row.group_id);
  const shown = edges.filter((edge) => edge.state === 'FOLLOWING');
  const query = shown.length || groups.length ? audience(viewer.userId, shown, groups) : suggested(viewer.userId, barred);
  if (hidden.length) query._id = { $nin: hidden.map((hide) => hide.post_id) };
  const rows = await newestPosts(query, size + 1);
  const followed = new Map(shown.map((edge) => [edge.followee_id, edge]));
  const page = rows.slice(0, size);
  return {
    edges: page.map((node) => ({ node, reason: reason(viewer, followed, node) })),
    pageInfo: {
      hasNextPage: rows.length > size,
      // Not a function: graphql-jit does not call it.
      endCursor: page.length ? cursorOf(viewer, page.at(-1)) : null,
    },
  };
}

/** Products of some categories, in the order of their ids. */
async function searchProducts(_, { filter, first }) {
  const size = first ?? DEFAULT_PRODUCTS;
  const rows = await productsOf(filter.categoryIds, size + 1);
  return {
    edges: rows.slice(0, size).map((node) => ({ node })),
    pageInfo: { hasNextPage: rows.length > size, endCursor: null },
  };
}

const money = (minor, currencyCode) => ({
  amount: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`,
  currencyCode,
});

function reason(viewer, followed, post) {
  if (post.author_id === viewer.userId) return 'FOLLOW';
  if (post.group_id) return 'GROUP';
  const edge = followed.get(post.author_id);
  if (!edge) return 'SUGGESTED';
  if (post.shared_post_id) return 'SHARED_BY_FOLLOW';
  if (post.pinned) return 'PINNED';
  return edge.mutual ? 'FRIEND' : 'FOLLOW';
}

function audience(viewerId, edges, groups) {
  const state = { $in: SHOWN };
  const friends = edges.filter((edge) => edge.mutual).map((edge) => edge.followee_id);
  const followed = edges.map((edge) => edge.followee_id);
  const branches = [{ author_id: viewerId }, { author_id: { $in: followed }, visibility: 'PUBLIC', state }];
  if (friends.length) branches.push({ author_id: { $in: friends }, visibility: 'FRIENDS', state });
  if (groups.length) branches.push({ group_id: { $in: groups }, state });
  return { $or: branches };
}

function suggested(viewerId, barred) {
  const author = barred.length ? { author_id: { $nin: barred } } : {};
  return { $or: [{ author_id: viewerId }, { visibility: 'PUBLIC', state: 'PUBLISHED', ...author }] };
}

function cursorOf(viewer, post) {
  const place = [settings.feedListings[viewer.userId], { t: post.created_at.getTime() }, post._id];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** A page of top-level comments, newest first. Its cursors are left out: no operation asks for them. */
async function comments(post, { first }, { loaders }) {
  const size = first ?? DEFAULT_COMMENTS;
  const rows = await loaders.comments(size + 1).load(post._id);
  return {
    edges: rows.slice(0, size).map((node) => ({ node })),
    pageInfo: { hasNextPage: rows.length > size, endCursor: null },
  };
}

/** The viewer's chats; cursors are left out, no operation asks for them. */
async function chats(_, { first }, { viewer }) {
  const size = first ?? DEFAULT_CHATS;
  const rows = await latestChats(viewer.userId, size + 1);
  return {
    edges: rows.slice(0, size).map((node) => ({ node })),
    pageInfo: { hasNextPage: rows.length > size, hasPreviousPage: false, endCursor: null },
  };
}

/** The last messages, oldest first. */
async function messages(chat, { last }, { viewer }) {
  const size = last ?? DEFAULT_MESSAGES;
  const rows = await newestMessages(chat.chat_id, viewer.userId, size + 1);
  return {
    edges: rows.slice(0, size).reverse().map((message) => ({ node: { message, chat } })),
    pageInfo: { hasNextPage: false, hasPreviousPage: rows.length > size, endCursor: null },
  };
}

function summary(post) {
  const counts = { subjectId: post._id, total: 0 };
  for (const kind of KINDS) {
    const count = Math.max(0, post.reactions[kind] ?? 0);
    counts[kind.toLowerCase()] = count;
    counts.total += count;
  }
  return counts;
}

const mediaUrl = (folder, name) => `${settings.publicUrl}/media/${folder}/${name}`;
