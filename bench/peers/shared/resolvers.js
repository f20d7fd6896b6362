// The resolvers that servers with graphql-js, or a JIT of its resolvers, run.
import { GraphQLScalarType } from 'graphql';
import { viewerOf } from './access.js';
import { textOf } from './crypto.js';
import { followsOf, hiddenBy, loadersFor, membershipsOf } from './data.js';
import { createPost } from './mutations.js';
import { chatsPage, commentsPage, feedPage, messagesPage, productsPage, SIZES } from './pages.js';
import { serializers } from './scalars.js';
import { cursorOf, mediaUrl, money, nameOf, summary } from './shown.js';

/** The context of one request. */
export async function contextFor(authorization) {
  const viewer = await viewerOf(authorization);
  return { viewer, loaders: loadersFor(viewer?.userId) };
}

const scalars = Object.entries(serializers).map(([name, serialize]) => [name, new GraphQLScalarType({ name, serialize })]);

export const resolvers = {
  ...Object.fromEntries(scalars),
  Query: {
    viewer: (_, __, { viewer }) => (viewer === null ? null : {}),
    searchProducts: (_, { filter, first }) => productsPage(filter, first ?? SIZES.products),
  },
  Mutation: { createPost },
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
    chats: (_, { first }, { viewer }) => chatsPage(viewer.userId, first ?? SIZES.chats),
  },
  FeedEdge: {
    cursor: ({ node }, _, { viewer }) => cursorOf(viewer.userId, node),
  },
  Post: {
    id: (post) => post._id,
    createdAt: (post) => post.created_at,
    author: (post, _, { loaders }) => loaders.user.load(post.author_id),
    media: async (post, _, { loaders }) => {
      if (post.media_ids.length === 0) return [];
      return (await loaders.media.loadMany(post.media_ids)).filter((each) => each !== null);
    },
    reactionSummary: (post) => summary(post._id, post.reactions),
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
    messages: (chat, { last }, { viewer }) => messagesPage(chat, viewer.userId, last ?? SIZES.messages),
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
    name: (user) => nameOf(user.first_name, user.last_name, user.handle),
    avatar: (user, _, { loaders }) => (user.avatar_id ? loaders.media.load(user.avatar_id) : null),
  },
  Media: {
    id: (media) => media._id,
    mimeType: (media) => media.mime,
    url: (media) => mediaUrl(media.folder, media.main),
    thumbnailUrl: (media) => (media.thumb ? mediaUrl(media.folder, media.thumb) : null),
  },
};

async function feed(_, { first }, { viewer, loaders }) {
  const [follows, hidden, barred, memberships] = await Promise.all([
    followsOf(viewer.userId),
    hiddenBy(viewer.userId),
    loaders.barred(),
    membershipsOf(viewer.userId),
  ]);
  return feedPage(viewer.userId, first ?? SIZES.feed, { follows, hidden, barred, memberships });
}

async function comments(post, { first }, { loaders }) {
  const size = first ?? SIZES.comments;
  return commentsPage(await loaders.comments(size + 1).load(post._id), size);
}
