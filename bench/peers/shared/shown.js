// How documents are shown: what the fields of types are made of.
import { settings } from './settings.js';

const KINDS = ['LIKE', 'LOVE', 'WOW', 'SAD', 'ANGRY'];

export const mediaUrl = (folder, name) => `${settings.publicUrl}/media/${folder}/${name}`;

export const nameOf = (first, last, handle) => [first, last].filter(Boolean).join(' ') || handle || 'Somebody';

export const money = (minor, currencyCode) => ({
  amount: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`,
  currencyCode,
});

export function summary(subjectId, reactions) {
  const counts = { subjectId, total: 0 };
  for (const kind of KINDS) {
    const count = Math.max(0, reactions[kind] ?? 0);
    counts[kind.toLowerCase()] = count;
    counts.total += count;
  }
  return counts;
}

/** The place of a post in its viewer's feed. */
export function cursorOf(viewerId, post) {
  const place = [settings.feedListings[viewerId], { t: post.created_at.getTime() }, post._id];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}
