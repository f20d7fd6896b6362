// What the scanner asks and does. The generator turns each document into a typed one.
import { graphql } from './generated/index.js';

export const ScanParts = graphql(`
  fragment ScanParts on ScanRecord {
    id version barcode gtin status productName matchedFrom scannedAt
    product { id name brand }
  }
`);
export const StackParts = graphql(`
  fragment StackParts on Stack {
    id version name itemCount
    items { id version position timeslots product { id name } }
  }
`);

export const LookUp = graphql(`
  query LookUp($code: String!) {
    barcodeLookup(code: $code) {
      code gtin status note cacheSeconds
      product { id name brand }
      variant { id }
      candidates { packaging product { id name } variant { id } }
    }
  }
`);
export const History = graphql(`
  query History($first: Int = 20, $after: String) {
    viewer {
      id
      scanner {
        id
        scans(first: $first, after: $after) {
          edges { node { ...ScanParts } }
          pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
        }
      }
    }
  }
`);
export const Warmup = graphql(`
  query Warmup($first: Int = 100, $after: String) {
    viewer {
      id
      scanner {
        id
        warmup(first: $first, after: $after) {
          edges { node { id version gtin product { id name brand } variant { id } } }
          pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
        }
      }
    }
  }
`);
export const Submissions = graphql(`
  query Submissions {
    viewer { id scanner { id submissions(first: 20) { edges { node { id version barcode status context decisionReason } } } } }
  }
`);
export const Stacks = graphql(`query Stacks { viewer { id stacks(first: 20) { edges { node { ...StackParts } } } } }`);

export const RecordScans = graphql(`
  mutation RecordScans($input: RecordScansInput!) {
    recordScans(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      results { itemId status errors { code message } scanRecord { ...ScanParts } lookup { status } }
    }
  }
`);
export const SubmitBarcode = graphql(`
  mutation SubmitBarcode($input: SubmitBarcodeInput!) {
    submitBarcode(input: $input) {
      errors { kind code message retryable retryAfterSeconds }
      barcodeSubmission { id version barcode status context decisionReason }
    }
  }
`);
export const AddStackItem = graphql(`
  mutation AddStackItem($input: AddStackItemInput!) {
    addStackItem(input: $input) {
      errors { kind code message field retryable retryAfterSeconds }
      alreadyExisted
      stackItem { id version }
      stack { ...StackParts }
    }
  }
`);
