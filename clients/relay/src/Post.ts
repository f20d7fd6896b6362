import { ConnectionHandler, graphql } from 'relay-runtime';

/** A post without an author or a place in time is not shown at all. */
export const Post_post = graphql`
  fragment Post_post on Post {
    id version text createdAt @required(action: NONE) visibility commentCount
    author { id name }
    reactionSummary { count like love viewerReaction }
  }
`;

export const PostQuery = graphql`
  query PostQuery($id: ID!) {
    post(id: $id) @required(action: NONE) {
      id
      ...Post_post
      ...Post_comments
    }
  }
`;

export const Post_comments = graphql`
  fragment Post_comments on Post
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" })
  @refetchable(queryName: "PostCommentsQuery") {
    comments(sort: OLDEST, first: $first, after: $after) @connection(key: "Post_comments") {
      edges { node { id text author { id name } } }
    }
  }
`;

export const commentsOf = (postId: string): string =>
  ConnectionHandler.getConnectionID(postId, 'Post_comments', { sort: 'OLDEST' });

export const CreateComment = graphql`
  mutation PostCreateCommentMutation($input: CreateCommentInput!, $connections: [ID!]!) @raw_response_type {
    createComment(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      commentEdge @appendEdge(connections: $connections) { cursor node { id text author { id name } } }
      post { id version commentCount }
    }
  }
`;

export const SetReaction = graphql`
  mutation PostSetReactionMutation($input: SetReactionInput!) @raw_response_type {
    setReaction(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      subject {
        __typename
        ... on Post { id reactionSummary { count like love viewerReaction } }
        ... on Node { id }
      }
    }
  }
`;

export const PostEvents = graphql`
  subscription PostEventsSubscription($postId: ID!, $after: String, $connections: [ID!]!) {
    postEvents(postId: $postId, after: $after) {
      __typename
      ... on Event { eventId }
      ... on CommentCreated {
        commentEdge @appendEdge(connections: $connections) { cursor node { id text author { id name } } }
      }
      ... on CommentDeleted { deletedCommentId @deleteRecord }
      ... on ReactionsUpdated { subject {
        __typename
        ... on Post { id reactionSummary { count like love viewerReaction } }
        ... on Node { id }
      } }
      ... on PostUpdated { post { ...Post_post } }
      ... on PostDeleted { deletedPostId @deleteRecord }
      ... on ResyncRequired { token }
    }
  }
`;
