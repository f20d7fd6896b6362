// What a person does: at once on the screen, then on the server; again after a restart.
import { act } from 'landfall-session';
import { commitMutation, type Environment, type GraphQLTaggedNode, type MutationParameters } from 'relay-runtime';

import * as chat from './Chat.js';
import * as feed from './Feed.js';
import * as post from './Post.js';

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

interface Action {
  mutation: GraphQLTaggedNode;
  /** The lists that gain what comes back. */
  connections?(input: any, environment: Environment): string[];
  /** The answer we expect, shown until the server's comes. */
  expect?(environment: Environment, input: any): object | null;
}

const errors: Refusal[] = [];

/** By the operation's name, which is what a restarted program knows of them. */
export const actions: Record<string, Action> = {
  FeedCreatePostMutation: {
    mutation: feed.CreatePost,
    connections(_, environment) {
      const viewer = stored(environment, 'client:root')?.viewer?.__ref;
      return viewer ? [feed.feedOf(viewer)] : [];
    },
    expect(environment, input) {
      const author = me(environment);
      return author && {
        createPost: { errors, feedEdge: { cursor: '', node: { ...newPost(input), author } } },
      };
    },
  },
  FeedDeletePostMutation: {
    mutation: feed.DeletePost,
    expect: (_, { postId }) => ({ deletePost: { errors, deletedPostId: postId } }),
  },
  PostCreateCommentMutation: {
    mutation: post.CreateComment,
    connections: ({ postId }) => [post.commentsOf(postId)],
    expect(environment, { id, postId, text }) {
      const author = me(environment);
      const known = stored(environment, postId);
      return author && known && {
        createComment: {
          errors,
          commentEdge: { cursor: '', node: { id, text, author } },
          post: { id: postId, version: known.version, commentCount: known.commentCount + 1 },
        },
      };
    },
  },
  PostSetReactionMutation: {
    mutation: post.SetReaction,
    expect(environment, { subjectId, kind }) {
      const sums = stored(environment, stored(environment, subjectId)?.reactionSummary?.__ref);
      return sums && {
        setReaction: {
          errors,
          subject: { __typename: 'Post', __isNode: 'Post', id: subjectId, reactionSummary: reacted(sums, kind) },
        },
      };
    },
  },
  ChatOpenMutation: { mutation: chat.CreateChat },
  ChatSendMutation: { mutation: chat.SendMessage, connections: ({ chatId }) => [chat.messagesOf(chatId)] },
};

/** Do it. Resolves with what the server refuses, which is rolled back from the screen. */
export function perform(environment: Environment, name: string, given: object): Promise<readonly Refusal[]> {
  const action = actions[name];
  if (!action) throw new Error(`There is no action ${name}.`);
  const input = act(given);
  // Lists that nobody has opened yet will be asked for whole.
  const connections = action.connections?.(input, environment).filter((id) => environment.getStore().getSource().has(id));
  return new Promise((resolve, reject) => {
    const expected = action.expect?.(environment, input);
    commitMutation<MutationParameters>(environment, {
      mutation: action.mutation,
      variables: { input, ...(connections && { connections }) },
      ...(expected && { optimisticResponse: expected as never }),
      onCompleted: (data) => resolve((Object.values(data as object)[0] as { errors: Refusal[] }).errors),
      onError: reject,
    });
  });
}

function me(environment: Environment): { id: string; name: string } | null {
  const viewer = stored(environment, stored(environment, 'client:root')?.viewer?.__ref);
  const user = stored(environment, viewer?.user?.__ref);
  return user ? { id: user.id, name: user.name } : null;
}

const stored = (environment: Environment, id: string): any => environment.getStore().getSource().get(id);

function newPost({ id, text, visibility }: { id: string; text: string; visibility: string }): object {
  return {
    id,
    version: 0,
    text,
    createdAt: new Date().toISOString(),
    visibility,
    commentCount: 0,
    reactionSummary: { count: 0, like: 0, love: 0, viewerReaction: null },
  };
}

/** The sums as they will be: one reaction a person, set and not toggled. */
function reacted({ count, like, love, viewerReaction: was }: any, kind: string | null): object {
  const by = (of: string): number => Number(kind === of) - Number(was === of);
  return {
    count: count + Number(kind !== null) - Number(was != null),
    like: like + by('LIKE'),
    love: love + by('LOVE'),
    viewerReaction: kind,
  };
}
