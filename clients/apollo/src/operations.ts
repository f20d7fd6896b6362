// What the program asks and does. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

graphql(`
  fragment PostParts on Post {
    id version createdAt text textPreview truncated visibility commentCount
    author { id name handle avatar { id thumbnailUrl dominantColor } }
    media { id url width height altText dominantColor }
    reactionSummary { count like love wow sad angry viewerReaction }
    viewerCan { edit delete comment }
  }
`);
graphql(`
  fragment CommentParts on Comment {
    id version createdAt text replyCount author { id name handle avatar { id thumbnailUrl dominantColor } }
    reactions { count like viewerReaction }
  }
`);

export const Me = graphql(`query Me { viewer { id user { id name handle avatar { id thumbnailUrl dominantColor } } } }`);
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
      subject {
        ... on Post { id reactionSummary { count like love wow sad angry viewerReaction } }
        ... on Comment { id reactions { count like viewerReaction } }
      }
    }
  }
`);
export const DeletePost = graphql(`
  mutation DeletePost($input: DeletePostInput!) {
    deletePost(input: $input) { errors { kind code message retryable retryAfterSeconds } deletedPostId }
  }
`);
export const PostEvents = graphql(`
  subscription PostEvents($postId: ID!, $after: String) {
    postEvents(postId: $postId, after: $after) {
      __typename
      ... on Event { eventId occurredAt }
      ... on CommentCreated { commentEdge { node { ...CommentParts } } }
      ... on CommentUpdated { comment { ...CommentParts } }
      ... on CommentDeleted { deletedCommentId }
      ... on ReactionsUpdated { subject {
        ... on Post { id reactionSummary { count like love wow sad angry viewerReaction } }
        ... on Comment { id reactions { count like viewerReaction } }
      } }
      ... on PostUpdated { post { ...PostParts } }
      ... on PostDeleted { deletedPostId }
      ... on ResyncRequired { token }
    }
  }
`);
graphql(`
  fragment MessageParts on Message {
    id version sequence text sentAt createdAt status deletedAt sender { id name }
  }
`);
export const Chats = graphql(`
  query Chats($first: Int = 15, $after: String) {
    viewer {
      id unreadMessageCount
      chats(first: $first, after: $after) {
        edges { node {
          id version preview unreadCount lastActivityAt lastSequence peerReadSequence
          peer { id name handle avatar { id thumbnailUrl dominantColor } }
        } }
        pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      }
    }
  }
`);
export const ChatThread = graphql(`
  query ChatThread($id: ID!, $last: Int = 30, $before: String) {
    chat(id: $id) {
      id version lastSequence peerReadSequence unreadCount canSend peer { id name handle }
      messages(last: $last, before: $before) {
        edges { node { ...MessageParts } }
        pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      }
    }
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
      chat { id version lastSequence preview lastActivityAt }
    }
  }
`);
export const MarkChatRead = graphql(`
  mutation MarkChatRead($input: MarkChatReadInput!) {
    markChatRead(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      chat { id version unreadCount } viewer { id unreadMessageCount }
    }
  }
`);
export const ChatEvents = graphql(`
  subscription ChatEvents($chatId: ID!, $after: String) {
    chatEvents(chatId: $chatId, after: $after) {
      __typename
      ... on Event { eventId }
      ... on MessageCreated { messageEdge { node { ...MessageParts } } }
      ... on MessageUpdated { message { ...MessageParts } }
      ... on MessageDeleted { deletedMessageId }
      ... on ChatUpdated { chat { id version unreadCount peerReadSequence } }
    }
  }
`);
export const Products = graphql(`
  query Products($query: String, $first: Int = 20, $after: String) {
    searchProducts(filter: {query: $query}, first: $first, after: $after) {
      totalCount totalIsLowerBound
      edges { node {
        id name brand form servingsPerContainer
        category { id name }
        labelImage { id url(width: 320) altText dominantColor }
        priceRange { min { amount currencyCode } }
        availability { status remaining }
        ratingSummary { average count }
      } }
      pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
    }
  }
`);
