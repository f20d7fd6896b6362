import { typeid } from 'typeid-js';

/** An id for something made here, so that what follows can name it before the server has seen it. */
export function mint(prefix: string): string {
  return typeid(prefix).toString();
}

/** A key for one act, kept however often it is sent. */
export function act<T extends object>(input: T): T & { idempotencyKey: string } {
  return { idempotencyKey: crypto.randomUUID(), ...input };
}
