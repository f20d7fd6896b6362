// What a person does: at once on the screen, then on the server; again after a restart.
import type { ApolloCache, ApolloClient, TypedDocumentNode } from '@apollo/client';

import { forget } from './cache.js';
import { type PostPartsFragment, PostPartsFragmentDoc, type ReactionKind, type Visibility } from './generated/graphql.js';
import * as operations from './operations.js';

export interface Refusal {
  code: string;
  message: string;
  retryable: boolean;
}

interface Action {
  document: TypedDocumentNode<any, any>;
  /** The answer we expect; shown until the server's comes. Null: nothing to show. */
  expect(cache: ApolloCache, input: any): object | null;
  /** What an answer means for lists; entities find their own way into the cache. */
  update?(cache: ApolloCache, payload: any, input: any): void;
}

const NO_ERRORS = { errors: [] };

export const actions: Record<string, Action> = {
  CreatePost: {
    document: operations.CreatePost,
    expect(cache, input: { id: string; text: string; visibility: Visibility }) {
      const author = me(cache);
      return author && {
        createPost: {
          __typename: 'CreatePostPayload',
          ...NO_ERRORS,
          feedEdge: { __typename: 'FeedEdge', node: newPost(input, author) },
        },
      };
    },
    update(cache, { feedEdge }) {
      if (!feedEdge) return;
      prepend(cache, feedEdge);
      if (feedEdge.node.version === 0) openForComments(cache, feedEdge.node);
    },
  },
  CreateComment: {
    document: operations.CreateComment,
    expect(cache, input: { id: string; postId: string; text: string }) {
      const author = me(cache);
      const post = readPost(cache, input.postId);
      return author && post && {
        createComment: {
          __typename: 'CreateCommentPayload',
          ...NO_ERRORS,
          commentEdge: { __typename: 'CommentEdge', node: newComment(input, author) },
          post: { __typename: 'Post', id: post.id, version: post.version, commentCount: post.commentCount + 1 },
        },
      };
    },
    update(cache, { commentEdge }, { postId }) {
      if (commentEdge) append(cache, postId, commentEdge);
    },
  },
  SetReaction: {
    document: operations.SetReaction,
    expect(cache, input: { subjectId: string; kind: ReactionKind | null }) {
      const post = readPost(cache, input.subjectId);
      return post && {
        setReaction: {
          __typename: 'SetReactionPayload',
          ...NO_ERRORS,
          subject: { __typename: 'Post', id: post.id, reactionSummary: reacted(post, input.kind) },
        },
      };
    },
  },
  SendMessage: {
    document: operations.SendMessage,
    expect(cache, input: { id: string; chatId: string; text: string; sentAt: string }) {
      const sender = me(cache);
      const chat = cache.readQuery({ query: operations.ChatThread, variables: { id: input.chatId } }, true)?.chat ?? null;
      return sender && chat && {
        sendMessage: {
          __typename: 'SendMessagePayload',
          ...NO_ERRORS,
          messageEdge: { __typename: 'MessageEdge', node: newMessage(input, sender, chat.lastSequence + 1) },
          chat: {
            __typename: 'Chat',
            id: chat.id,
            version: chat.version,
            lastSequence: chat.lastSequence + 1,
            preview: input.text.slice(0, 140),
            lastActivityAt: input.sentAt,
          },
        },
      };
    },
    update(cache, { messageEdge }, { chatId }) {
      if (messageEdge) appendMessage(cache, chatId, messageEdge);
    },
  },
  MarkChatRead: { document: operations.MarkChatRead, expect: () => null },
  DeletePost: {
    document: operations.DeletePost,
    expect: (_, input: { postId: string }) => ({
      deletePost: {
        __typename: 'DeletePostPayload',
        ...NO_ERRORS,
        deletedPostId: input.postId,
      },
    }),
    update(cache, { deletedPostId }) {
      if (deletedPostId) forget(cache, 'Post', deletedPostId);
    },
  },
};

/**
 * Do it. Resolves when the server has answered, however long that takes; what the server refuses is
 * rolled back from the screen and returned.
 */
export async function perform(client: ApolloClient, name: string, input: { idempotencyKey: string }): Promise<Refusal[]> {
  const action = actions[name];
  if (!action) throw new Error(`There is no action ${name}.`);
  const expected = action.expect(client.cache, input);
  const { data } = await client.mutate({
    mutation: action.document,
    variables: { input },
    ...(expected && { optimisticResponse: expected }),
    update: (cache, result) => action.update?.(cache, Object.values(result.data ?? {})[0], input),
  });
  const payload = Object.values(data ?? {})[0] as { errors: Refusal[] };
  return payload.errors;
}

type Author = NonNullable<PostPartsFragment['author']>;

function me(cache: ApolloCache): Author | null {
  return cache.readQuery({ query: operations.Me })?.viewer?.user ?? null;
}

function readPost(cache: ApolloCache, id: string): PostPartsFragment | null {
  // `true`: on top of what is expected already, for taps faster than the network.
  return cache.readFragment(
    { id: cache.identify({ __typename: 'Post', id })!, fragment: PostPartsFragmentDoc, fragmentName: 'PostParts' },
    true,
  );
}

function newPost(input: { id: string; text: string; visibility: Visibility }, author: Author): PostPartsFragment {
  return {
    __typename: 'Post',
    id: input.id,
    version: 0,
    createdAt: new Date().toISOString(),
    text: input.text,
    textPreview: input.text.slice(0, 280),
    truncated: input.text.length > 280,
    visibility: input.visibility,
    commentCount: 0,
    author,
    media: [],
    reactionSummary: { __typename: 'Reactions', count: 0, like: 0, love: 0, wow: 0, sad: 0, angry: 0, viewerReaction: null },
    viewerCan: { __typename: 'PostRights', edit: true, delete: true, comment: true },
  };
}

function newComment(input: { id: string; text: string }, author: Author): object {
  return {
    __typename: 'Comment',
    id: input.id,
    version: 0,
    createdAt: new Date().toISOString(),
    text: input.text,
    replyCount: 0,
    author,
    reactions: { __typename: 'Reactions', count: 0, like: 0, viewerReaction: null },
  };
}

function newMessage(input: { id: string; text: string; sentAt: string }, sender: Author, sequence: number): object {
  return {
    __typename: 'Message',
    id: input.id,
    version: 0,
    sequence,
    text: input.text,
    sentAt: input.sentAt,
    // The server's word: until it has come, the message is on its way.
    createdAt: null,
    status: 'SENT',
    deletedAt: null,
    sender: { __typename: 'User', id: sender.id, name: sender.name },
  };
}

/** The sums as they will be: one reaction a person, set and not toggled. */
function reacted(post: PostPartsFragment, kind: ReactionKind | null): PostPartsFragment['reactionSummary'] {
  const summary = { ...post.reactionSummary };
  const count = (of: ReactionKind, by: number): void => {
    const field = of.toLowerCase() as 'like' | 'love' | 'wow' | 'sad' | 'angry';
    summary[field] += by;
    summary.count += by;
  };
  if (summary.viewerReaction) count(summary.viewerReaction, -1);
  if (kind) count(kind, 1);
  return { ...summary, viewerReaction: kind };
}

function prepend(cache: ApolloCache, edge: { node: { id: string } }): void {
  cache.updateQuery({ query: operations.Feed }, (data: any) => {
    if (!data?.viewer || data.viewer.feed.edges.some((each: any) => each.node.id === edge.node.id)) return data;
    const feed = { ...data.viewer.feed, edges: [edge, ...data.viewer.feed.edges] };
    return { ...data, viewer: { ...data.viewer, feed } };
  });
}

/** A post that is on its way has no comments but ours: they are shown without asking. */
function openForComments(cache: ApolloCache, post: PostPartsFragment): void {
  const pageInfo = { __typename: 'PageInfo' as const, hasNextPage: false, endCursor: null, hasPreviousPage: false, startCursor: null };
  const comments = { __typename: 'CommentConnection' as const, edges: [], pageInfo };
  cache.writeQuery({ query: operations.PostWithComments, variables: { id: post.id }, data: { post: { ...post, comments } } });
}

export function append(cache: ApolloCache, postId: string, edge: { node: { id: string } }): void {
  cache.updateQuery({ query: operations.PostWithComments, variables: { id: postId } }, (data: any) => {
    if (!data?.post || data.post.comments.edges.some((each: any) => each.node.id === edge.node.id)) return data;
    const comments = { ...data.post.comments, edges: [...data.post.comments.edges, edge] };
    return { ...data, post: { ...data.post, comments } };
  });
}

export function appendMessage(cache: ApolloCache, chatId: string, edge: { node: { id: string } }): void {
  cache.updateQuery({ query: operations.ChatThread, variables: { id: chatId } }, (data: any) => {
    if (!data?.chat || data.chat.messages.edges.some((each: any) => each.node.id === edge.node.id)) return data;
    const messages = { ...data.chat.messages, edges: [...data.chat.messages.edges, edge] };
    return { ...data, chat: { ...data.chat, messages } };
  });
}
