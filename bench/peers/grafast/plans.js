// Plans, with steps that load the same reads as the other servers' dataloaders.
import { context, each, get, inhibitOnNull, lambda, loadOne, object } from 'grafast';
import { textOf } from 'bench-shared/crypto';
import {
  barredBy,
  followsOf,
  hiddenBy,
  mediaByIds,
  membershipsOf,
  newestComments,
  reactionsBy,
  usersByIds,
} from 'bench-shared/data';
import { chatsPage, commentsPage, feedPage, messagesPage, productsPage, SIZES } from 'bench-shared/pages';
import { serializers } from 'bench-shared/scalars';
import { cursorOf, mediaUrl, money, nameOf, summary } from 'bench-shared/shown';

// Loaders. A step tells which attributes are read of what it loads.

const userById = (ids, { attributes }) => usersByIds(ids, attributes);
const mediaById = (ids, { attributes }) => mediaByIds(ids, attributes);

/** A loader of what is read for each key by itself: there is one viewer to a request. */
const apart = (read) => (keys, { params }) => Promise.all(keys.map((key) => read(key, params)));

const followsOfUser = apart(followsOf);
const hiddenByUser = apart(hiddenBy);
const barredByUser = apart(barredBy);
const membershipsOfUser = apart(membershipsOf);
const chatsOfUser = apart((userId, { first }) => chatsPage(userId, first));

const feedOfUser = {
  load: (userIds, { shared, params }) => Promise.all(userIds.map((userId) => feedPage(userId, params.first, shared))),
  shared: () => {
    const $viewerId = viewerId();
    return {
      follows: loadOne($viewerId, followsOfUser),
      hidden: loadOne($viewerId, hiddenByUser),
      barred: loadOne($viewerId, barredByUser),
      memberships: loadOne($viewerId, membershipsOfUser),
    };
  },
};

const commentsOfPost = {
  async load(postIds, { shared, params: { first } }) {
    const rows = await newestComments(postIds, first + 1, shared);
    return rows.map((each) => commentsPage(each, first));
  },
  shared: () => loadOne(viewerId(), barredByUser),
};

const reactionOfViewer = {
  load: (subjectIds, { shared }) => reactionsBy(shared, subjectIds),
  shared: () => viewerId(),
};

const messagesOfChat = {
  load: (chats, { shared, params }) => Promise.all(chats.map((chat) => messagesPage(chat, shared, params.last))),
  shared: () => viewerId(),
};

// Steps.

const viewerId = () => context().get('viewer').get('userId');

const sized = ($size, size) => lambda($size, (given) => given ?? size, true);

function withParam($load, name, $value) {
  $load.setParam(name, $value);
  return $load;
}

const media = ($id) => loadOne(inhibitOnNull($id), mediaById);

// Plans.

export const scalars = Object.fromEntries(Object.entries(serializers).map(([name, serialize]) => [name, { serialize }]));

const plansOf = {
  Query: {
    viewer: () => context().get('viewer'),
    searchProducts: (_, { $filter, $first }) =>
      lambda([$filter, sized($first, SIZES.products)], ([filter, first]) => productsPage(filter, first)),
  },
  Product: {
    id: ($product) => get($product, '_id'),
    servingsPerContainer: ($product) => get($product, 'servings_per_container'),
    priceRange($product) {
      const $currency = get($product, 'currency');
      const amount = (name) => lambda([get($product, name), $currency], ([minor, currency]) => money(minor, currency), true);
      return object({ min: amount('min_price'), max: amount('max_price') });
    },
    labelImage: ($product) => media(get($product, 'label_image_id')),
    ratingSummary: ($product) => get($product, 'rating_summary'),
  },
  Viewer: {
    user: ($viewer) => loadOne(get($viewer, 'userId'), userById),
    feed: (_, { $first }) => withParam(loadOne(viewerId(), feedOfUser), 'first', sized($first, SIZES.feed)),
    chats: (_, { $first }) => withParam(loadOne(viewerId(), chatsOfUser), 'first', sized($first, SIZES.chats)),
  },
  FeedEdge: {
    cursor: ($edge) => lambda([viewerId(), get($edge, 'node')], ([id, post]) => cursorOf(id, post), true),
  },
  Post: {
    id: ($post) => get($post, '_id'),
    createdAt: ($post) => get($post, 'created_at'),
    author: ($post) => loadOne(get($post, 'author_id'), userById),
    media: ($post) => each(get($post, 'media_ids'), media),
    reactionSummary: ($post) =>
      lambda([get($post, '_id'), get($post, 'reactions')], ([id, reactions]) => summary(id, reactions), true),
    commentCount: ($post) => get($post, 'comment_count'),
    comments: ($post, { $first }) =>
      withParam(loadOne(get($post, '_id'), commentsOfPost), 'first', sized($first, SIZES.comments)),
  },
  Reactions: {
    viewerReaction: ($reactions) => loadOne(get($reactions, 'subjectId'), reactionOfViewer),
  },
  Comment: {
    id: ($comment) => get($comment, '_id'),
    createdAt: ($comment) => get($comment, 'created_at'),
    author: ($comment) => loadOne(get($comment, 'author_id'), userById),
  },
  Chat: {
    id: ($chat) => get($chat, 'chat_id'),
    unreadCount: ($chat) => get($chat, 'unread_count'),
    messages: ($chat, { $last }) => withParam(loadOne($chat, messagesOfChat), 'last', sized($last, SIZES.messages)),
  },
  Message: {
    id: ($each) => get(get($each, 'message'), '_id'),
    sender: ($each) => loadOne(get(get($each, 'message'), 'sender_id'), userById),
    text: ($each) => lambda([get($each, 'message'), get($each, 'chat')], ([message, chat]) => textOf(message, chat), true),
    sequence: ($each) => get(get($each, 'message'), 'sequence'),
    sentAt: ($each) => get(get($each, 'message'), 'sent_at'),
    deliveredAt: ($each) => get(get($each, 'message'), 'delivered_at'),
    editedAt: ($each) => get(get($each, 'message'), 'edited_at'),
  },
  User: {
    id: ($user) => get($user, '_id'),
    name: ($user) =>
      lambda([get($user, 'first_name'), get($user, 'last_name'), get($user, 'handle')], (names) => nameOf(...names), true),
    avatar: ($user) => media(get($user, 'avatar_id')),
  },
  Media: {
    id: ($media) => get($media, '_id'),
    mimeType: ($media) => get($media, 'mime'),
    url: ($media) => lambda([get($media, 'folder'), get($media, 'main')], (place) => mediaUrl(...place), true),
    thumbnailUrl: ($media) =>
      lambda([get($media, 'folder'), get($media, 'thumb')], ([folder, name]) => (name ? mediaUrl(folder, name) : null), true),
  },
};

export const objects = Object.fromEntries(Object.entries(plansOf).map(([name, plans]) => [name, { plans }]));
