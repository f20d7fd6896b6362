import { ConnectionHandler, graphql } from 'relay-runtime';

export const FeedQuery = graphql`
  query FeedQuery($first: Int) {
    viewer {
      user { id name }
      ...Feed_viewer @arguments(first: $first)
    }
  }
`;

export const Feed_viewer = graphql`
  fragment Feed_viewer on Viewer
  @argumentDefinitions(first: { type: "Int", defaultValue: 12 }, after: { type: "String" })
  @refetchable(queryName: "FeedPaginationQuery") {
    feed(sort: NEWEST, first: $first, after: $after) @connection(key: "Feed_feed") {
      edges { cursor node { id text ...Post_post } }
    }
  }
`;

/** The list that posts of one's own are put on top of. */
export const feedOf = (viewerId: string): string =>
  ConnectionHandler.getConnectionID(viewerId, 'Feed_feed', { sort: 'NEWEST' });

export const CreatePost = graphql`
  mutation FeedCreatePostMutation($input: CreatePostInput!, $connections: [ID!]!) @raw_response_type {
    createPost(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      feedEdge @prependEdge(connections: $connections) { cursor node { id text ...Post_post } }
    }
  }
`;

export const DeletePost = graphql`
  mutation FeedDeletePostMutation($input: DeletePostInput!) @raw_response_type {
    deletePost(input: $input) { errors { kind code message retryable retryAfterSeconds } deletedPostId @deleteRecord }
  }
`;
