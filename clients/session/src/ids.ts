import { typeid } from 'typeid-js';

/** An id for something made here, so that what follows can name it before the server has seen it. */
export function mint(prefix: string): string {
  return typeid(prefix).toString();
}

/** A key for one act, kept however often it is sent. */
export function act<T extends object>(input: T): T & { idempotencyKey: string } {
  return { idempotencyKey: crypto.randomUUID(), ...input };
}

/** `post_01h...` is a Post: the prefix of an id names its type in snake case. */
export function typeOf(id: string): string {
  const prefix = id.slice(0, id.lastIndexOf('_'));
  return prefix.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
