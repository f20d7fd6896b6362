import { ConnectionHandler, graphql } from 'relay-runtime';

export const ChatQuery = graphql`
  query ChatQuery($id: ID!, $last: Int!) {
    chat(id: $id) { id lastSequence ...Chat_messages @arguments(last: $last) }
  }
`;

export const Chat_messages = graphql`
  fragment Chat_messages on Chat
  @argumentDefinitions(last: { type: "Int", defaultValue: 30 }, before: { type: "String" })
  @refetchable(queryName: "ChatMessagesQuery") {
    messages(last: $last, before: $before) @connection(key: "Chat_messages") {
      edges { cursor node { id sequence text sentAt status sender { id name } } }
    }
  }
`;

export const messagesOf = (chatId: string): string => ConnectionHandler.getConnectionID(chatId, 'Chat_messages');

export const CreateChat = graphql`
  mutation ChatOpenMutation($input: CreateChatInput!) {
    createChat(input: $input) { errors { kind code message retryable retryAfterSeconds } chat { id } }
  }
`;

export const SendMessage = graphql`
  mutation ChatSendMutation($input: SendMessageInput!, $connections: [ID!]!) @raw_response_type {
    sendMessage(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      messageEdge @appendEdge(connections: $connections) {
        cursor node { id sequence text sentAt status sender { id name } }
      }
      chat { id version lastSequence preview lastActivityAt }
    }
  }
`;
