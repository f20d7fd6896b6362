// Graphcache for Landfall's schema: keys, lists, what to expect of a mutation, and what its answer means.
import type { Cache, CacheExchangeOpts, UpdateResolver } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { type Edge, keysOf, NO_ERRORS, now, unless } from 'landfall-graphcache';

import type {
  CreateCommentInput,
  CreatePostInput,
  PersonPartsFragment,
  PostPartsFragment,
  ReactionKind,
  SendMessageInput,
  SetReactionInput,
} from './generated/graphql.js';
import schema from './generated/schema.js';
import * as operations from './operations.js';

export const cacheOptions: CacheExchangeOpts = {
  schema,
  keys: keysOf(schema),
  resolvers: {
    Viewer: { feed: relayPagination() },
    Query: { searchProducts: relayPagination() },
    Chat: { messages: relayPagination() },
    Post: { comments: relayPagination() },
  },
  optimistic: {
    createPost({ input }: { input: CreatePostInput }, cache) {
      const author = me(cache);
      return author && {
        __typename: 'CreatePostPayload',
        ...NO_ERRORS,
        feedEdge: { __typename: 'FeedEdge', node: newPost(input, author) },
      };
    },
    createComment({ input }: { input: CreateCommentInput }, cache) {
      const author = me(cache);
      const post = readPost(cache, String(input.postId));
      return author && post && {
        __typename: 'CreateCommentPayload',
        ...NO_ERRORS,
        commentEdge: {
          __typename: 'CommentEdge',
          node: { __typename: 'Comment', id: input.id!, version: 0, createdAt: now(), text: input.text, author },
        },
        post: { __typename: 'Post', id: post.id, version: post.version, commentCount: post.commentCount + 1 },
      };
    },
    setReaction({ input }: { input: SetReactionInput }, cache) {
      const post = readPost(cache, String(input.subjectId));
      return post && {
        __typename: 'SetReactionPayload',
        ...NO_ERRORS,
        subject: { __typename: 'Post', id: post.id, reactionSummary: reacted(post, input.kind ?? null) },
      };
    },
    deletePost: ({ input }: { input: { postId: string } }) => ({
      __typename: 'DeletePostPayload',
      ...NO_ERRORS,
      deletedPostId: input.postId,
    }),
    sendMessage({ input }: { input: SendMessageInput }, cache) {
      const sender = me(cache);
      const chat = cache.readQuery({ query: operations.ChatThread, variables: { id: input.chatId } })?.chat;
      if (!sender || !chat) return null;
      const sequence = chat.lastSequence + 1;
      return {
        __typename: 'SendMessagePayload',
        ...NO_ERRORS,
        messageEdge: {
          __typename: 'MessageEdge',
          node: {
            __typename: 'Message', id: input.id!, version: 0, sequence, text: input.text ?? null,
            // The server's word: until it has come, the message is on its way.
            sentAt: input.sentAt ?? now(), createdAt: null, status: 'SENT', sender,
          },
        },
        chat: { __typename: 'Chat', id: chat.id, version: chat.version, lastSequence: sequence },
      };
    },
  },
  updates: {
    Mutation: {
      createPost: (({ createPost }, _, cache) => {
        if (createPost?.feedEdge) prepend(cache, createPost.feedEdge);
      }) as UpdateResolver<any>,
      createComment: (({ createComment }, { input }, cache) => {
        if (createComment?.commentEdge) append(cache, input.postId, createComment.commentEdge);
      }) as UpdateResolver<any, any>,
      deletePost: (({ deletePost }, _, cache) => {
        if (deletePost?.deletedPostId) forget(cache, 'Post', deletePost.deletedPostId);
      }) as UpdateResolver<any>,
      sendMessage: (({ sendMessage }, { input }, cache) => {
        if (sendMessage?.messageEdge) appendMessage(cache, input.chatId, sendMessage.messageEdge);
      }) as UpdateResolver<any, any>,
    },
    Subscription: {
      postEvents: (({ postEvents: event }, { postId }, cache) => {
        if (event.__typename === 'CommentCreated') append(cache, postId, event.commentEdge);
        else if (event.__typename === 'CommentDeleted') forget(cache, 'Comment', event.deletedCommentId);
        else if (event.__typename === 'PostDeleted') forget(cache, 'Post', event.deletedPostId);
      }) as UpdateResolver<any, any>,
    },
    Query: {},
    Viewer: {
      // The answer of the delta query: what changed is in the cache by now, what is gone goes.
      changes: (({ changes }, _, cache) => {
        for (const { typename, id } of changes.deleted) forget(cache, typename, id);
      }) as UpdateResolver<any>,
    },
  },
};

/** Forget a thing that the server says is gone, wherever it is shown. */
export function forget(cache: Cache, typename: string, id: string): void {
  cache.invalidate({ __typename: typename, id });
}

function me(cache: Cache): PersonPartsFragment | null {
  return cache.readQuery({ query: operations.Me })?.viewer?.user ?? null;
}

function readPost(cache: Cache, id: string): PostPartsFragment | null {
  return cache.readFragment(operations.PostParts, { __typename: 'Post', id } as never);
}

function newPost(input: CreatePostInput, author: PersonPartsFragment): PostPartsFragment {
  return {
    __typename: 'Post',
    id: String(input.id),
    version: 0,
    createdAt: now(),
    text: input.text ?? null,
    textPreview: (input.text ?? '').slice(0, 280),
    truncated: (input.text ?? '').length > 280,
    visibility: input.visibility ?? 'PUBLIC',
    commentCount: 0,
    author,
    reactionSummary: { __typename: 'Reactions', count: 0, like: 0, love: 0, wow: 0, sad: 0, angry: 0, viewerReaction: null },
  };
}

/** The sums as they will be: one reaction a person, set and not toggled. */
function reacted(post: PostPartsFragment, kind: ReactionKind | null): PostPartsFragment['reactionSummary'] {
  const summary = { ...post.reactionSummary };
  const count = (of: ReactionKind, by: number): void => {
    summary[of.toLowerCase() as 'like'] += by;
    summary.count += by;
  };
  if (summary.viewerReaction) count(summary.viewerReaction, -1);
  if (kind) count(kind, 1);
  return { ...summary, viewerReaction: kind };
}

function prepend(cache: Cache, edge: Edge): void {
  cache.updateQuery({ query: operations.Feed }, (data: any) => {
    if (data?.viewer) data.viewer.feed.edges = unless(data.viewer.feed.edges, edge, (edges) => [edge, ...edges]);
    return data;
  });
}

function append(cache: Cache, postId: string, edge: Edge): void {
  cache.updateQuery({ query: operations.PostWithComments, variables: { id: postId } }, (data: any) => {
    if (data?.post) data.post.comments.edges = unless(data.post.comments.edges, edge, (edges) => [...edges, edge]);
    return data;
  });
}

function appendMessage(cache: Cache, chatId: string, edge: Edge): void {
  cache.updateQuery({ query: operations.ChatThread, variables: { id: chatId } }, (data: any) => {
    if (data?.chat) data.chat.messages.edges = unless(data.chat.messages.edges, edge, (edges) => [...edges, edge]);
    return data;
  });
}
