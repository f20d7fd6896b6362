// Connections. Cursors are left out where no operation asks for them.
import { latestChats, newestMessages, newestPosts, productsOf } from './data.js';
import { cursorOf } from './shown.js';

const SHOWN = ['PUBLISHED', 'LIMITED'];

/** Items where nothing else is asked for. */
export const SIZES = { feed: 20, comments: 20, products: 20, chats: 20, messages: 20 };

/** Posts of oneself and those followed, newest first; something public for who follows nobody. */
export async function feedPage(viewerId, size, { follows, hidden, barred, memberships }) {
  const groups = memberships.map((row) => row.group_id);
  const shown = follows.filter((edge) => edge.state === 'FOLLOWING');
  const query = shown.length || groups.length ? audience(viewerId, shown, groups) : suggested(viewerId, barred);
  if (hidden.length) query._id = { $nin: hidden.map((hide) => hide.post_id) };
  const rows = await newestPosts(query, size + 1);
  const followed = new Map(shown.map((edge) => [edge.followee_id, edge]));
  const page = rows.slice(0, size);
  return {
    edges: page.map((node) => ({ node, reason: reason(viewerId, followed, node) })),
    pageInfo: {
      hasNextPage: rows.length > size,
      // Not a function: graphql-jit does not call it.
      endCursor: page.length ? cursorOf(viewerId, page.at(-1)) : null,
    },
  };
}

/** Products of some categories, in the order of their ids. */
export async function productsPage(filter, size) {
  const rows = await productsOf(filter.categoryIds, size + 1);
  return {
    edges: rows.slice(0, size).map((node) => ({ node })),
    pageInfo: { hasNextPage: rows.length > size, endCursor: null },
  };
}

/** Top-level comments, newest first; one more was read than are shown. */
export const commentsPage = (rows, size) => ({
  edges: rows.slice(0, size).map((node) => ({ node })),
  pageInfo: { hasNextPage: rows.length > size, endCursor: null },
});

/** Somebody's chats. */
export async function chatsPage(viewerId, size) {
  const rows = await latestChats(viewerId, size + 1);
  return {
    edges: rows.slice(0, size).map((node) => ({ node })),
    pageInfo: { hasNextPage: rows.length > size, hasPreviousPage: false, endCursor: null },
  };
}

/** The last messages, oldest first. */
export async function messagesPage(chat, viewerId, size) {
  const rows = await newestMessages(chat.chat_id, viewerId, size + 1);
  return {
    edges: rows.slice(0, size).reverse().map((message) => ({ node: { message, chat } })),
    pageInfo: { hasNextPage: false, hasPreviousPage: rows.length > size, endCursor: null },
  };
}

function reason(viewerId, followed, post) {
  if (post.author_id === viewerId) return 'FOLLOW';
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
