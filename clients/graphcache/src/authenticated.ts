// Sign-in: each request carries the token of whose it is.
import type { Session } from 'landfall-session';

/**
 * Sends the token; once more with a new one when the server says that this one has expired. In place of
 * urql's authExchange: what that gives up on without a connection it later sends with the token of then.
 */
export function authenticated(session: Session, userId: string | null): typeof fetch {
  return async (url, init) => {
    const send = async (token: string | null): Promise<Response> => {
      const headers = { ...(init?.headers as object), ...(token && { Authorization: `Bearer ${token}` }) };
      return session.fetch(url, { ...init, headers });
    };
    const response = await send(await session.tokenFor(userId));
    const body = response.status < 500 ? await response.clone().text() : '';
    return body.includes('"TOKEN_EXPIRED"') ? send(await session.renewedFor(userId)) : response;
  };
}
