// What the program asks and does. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const PersonParts = graphql(`fragment PersonParts on User { id name handle }`);
export const PostParts = graphql(`
  fragment PostParts on Post {
    id version createdAt text textPreview truncated visibility commentCount
    author { ...PersonParts }
    reactionSummary { count like love wow sad angry viewerReaction }
  }
`);
export const CommentParts = graphql(`
  fragment CommentParts on Comment { id version createdAt text author { ...PersonParts } }
`);
export const MessageParts = graphql(`
  fragment MessageParts on Message { id version sequence text sentAt createdAt status sender { ...PersonParts } }
`);

export const Me = graphql(`query Me { viewer { id user { ...PersonParts } } }`);
export const Feed = graphql(`
  query Feed($first: Int = 12, $after: String) {
    viewer { id feed(sort: NEWEST, first: $first, after: $after) {
      edges { node { ...PostParts } }
      pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
    } }
  }
`);
export const PostWithComments = graphql(`
  query PostWithComments($id: ID!, $first: Int = 20, $after: String) {
    post(id: $id) {
      ...PostParts
      comments(sort: OLDEST, first: $first, after: $after) {
        edges { node { ...CommentParts } }
        pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      }
    }
  }
`);
export const ChatThread = graphql(`
  query ChatThread($id: ID!, $last: Int = 30, $before: String) {
    chat(id: $id) {
      id version lastSequence
      messages(last: $last, before: $before) {
        edges { node { ...MessageParts } }
        pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      }
    }
  }
`);
export const Products = graphql(`
  query Products($query: String, $first: Int = 20, $after: String) {
    searchProducts(filter: {query: $query}, first: $first, after: $after) {
      totalCount
      edges { node { id name brand priceRange { min { amount currencyCode } } } }
      pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
    }
  }
`);

export const CreatePost = graphql(`
  mutation CreatePost($input: CreatePostInput!) {
    createPost(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      feedEdge { node { ...PostParts } }
    }
  }
`);
export const CreateComment = graphql(`
  mutation CreateComment($input: CreateCommentInput!) {
    createComment(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      commentEdge { node { ...CommentParts } }
      post { id version commentCount }
    }
  }
`);
export const SetReaction = graphql(`
  mutation SetReaction($input: SetReactionInput!) {
    setReaction(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      subject { ... on Post { id reactionSummary { count like love wow sad angry viewerReaction } } }
    }
  }
`);
export const DeletePost = graphql(`
  mutation DeletePost($input: DeletePostInput!) {
    deletePost(input: $input) { errors { kind code message retryable retryAfterSeconds } deletedPostId }
  }
`);
export const CreateChat = graphql(`
  mutation CreateChat($input: CreateChatInput!) {
    createChat(input: $input) { errors { kind code message retryable retryAfterSeconds } chat { id version } }
  }
`);
export const SendMessage = graphql(`
  mutation SendMessage($input: SendMessageInput!) {
    sendMessage(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      messageEdge { node { ...MessageParts } }
      chat { id version lastSequence }
    }
  }
`);

export const PostEvents = graphql(`
  subscription PostEvents($postId: ID!, $after: String) {
    postEvents(postId: $postId, after: $after) {
      __typename
      ... on Event { eventId }
      ... on CommentCreated { commentEdge { node { ...CommentParts } } }
      ... on CommentDeleted { deletedCommentId }
      ... on CommentUpdated { comment { ...CommentParts } }
      ... on ReactionsUpdated { subject {
        ... on Post { id reactionSummary { count like love wow sad angry viewerReaction } }
      } }
      ... on PostUpdated { post { ...PostParts } }
      ... on PostDeleted { deletedPostId }
      ... on ResyncRequired { token }
    }
  }
`);
