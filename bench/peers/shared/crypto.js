// Texts of messages: AES-256-GCM with a key for each chat, which lies beside it wrapped by the deployment's.
import { createDecipheriv } from 'node:crypto';
import { settings } from './settings.js';

const NONCE = 12;
const TAG = 16;
const REMEMBERED = 1_000;

const fieldKey = Buffer.from(settings.fieldKey, 'base64');
const unwrapped = new Map();

/** What was sealed for a place, `id.base64`. */
function opened(key, sealed, place) {
  const raw = Buffer.from(sealed.slice(sealed.indexOf('.') + 1), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, raw.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(raw.subarray(-TAG));
  return decipher.update(raw.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8');
}

function keyOf(wrapped, place) {
  let key = unwrapped.get(wrapped);
  if (!key) {
    key = Buffer.from(opened(fieldKey, wrapped, `key:${place}`), 'base64');
    unwrapped.set(wrapped, key);
    if (unwrapped.size > REMEMBERED) unwrapped.delete(unwrapped.keys().next().value);
  }
  return key;
}

/** What a message says; its chat's row holds the wrapped key. */
export function textOf(message, chat) {
  if (message.sealed_text === null) return null;
  return opened(keyOf(chat.data_key, `chats/${chat.chat_id}`), message.sealed_text, `messages/${message._id}/text`);
}
