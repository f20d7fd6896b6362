// What the inbox asks and does. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const ReceiptParts = graphql(`
  fragment ReceiptParts on NotificationReceipt {
    id version createdAt status indicator seenAt
    acknowledgment { acknowledgedAt method response late }
    notification { id title message priority source linkUrl sentAt expiresAt requiresAck }
  }
`);
export const RecipientParts = graphql(`
  fragment RecipientParts on Recipient {
    id version preferredChannels mutedSources doNotCall
    quietHours { startsAt endsAt }
    consents { channel status changedAt proof }
  }
`);

export const Inbox = graphql(`
  query Inbox($first: Int = 20, $after: String, $filter: InboxFilterInput) {
    viewer {
      id
      inboxCount
      inbox(first: $first, after: $after, filter: $filter) {
        edges { node { ...ReceiptParts } }
        pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      }
    }
  }
`);
export const Profile = graphql(`query Profile { viewer { id recipientProfile { ...RecipientParts } } }`);

export const MarkInboxSeen = graphql(`
  mutation MarkInboxSeen($input: MarkInboxSeenInput!) {
    markInboxSeen(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      notificationReceipts { ...ReceiptParts }
      viewer { id inboxCount }
    }
  }
`);
export const AcknowledgeNotification = graphql(`
  mutation AcknowledgeNotification($input: AcknowledgeNotificationInput!) {
    acknowledgeNotification(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      notificationReceipt { ...ReceiptParts }
      viewer { id inboxCount }
    }
  }
`);
export const UpdateNotificationPreferences = graphql(`
  mutation UpdateNotificationPreferences($input: UpdateNotificationPreferencesInput!) {
    updateNotificationPreferences(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      recipient { ...RecipientParts }
    }
  }
`);
export const SetChannelConsent = graphql(`
  mutation SetChannelConsent($input: SetChannelConsentInput!) {
    setChannelConsent(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      recipient { ...RecipientParts }
    }
  }
`);

export const Banner = graphql(`
  subscription Banner($after: String) {
    notificationReceived(after: $after) {
      __typename
      ... on Event { eventId }
      ... on NotificationReceived {
        notificationReceiptEdge { node { ...ReceiptParts } }
        viewer { id inboxCount }
      }
    }
  }
`);
