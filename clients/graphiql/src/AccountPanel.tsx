import { Button } from "@graphiql/react";
import type { GraphiQLPlugin } from "@graphiql/react";
import { useState, type FormEvent } from "react";
import type { DemoUser } from "./config";
import { signIn, signOut, statusText, useSession } from "./session";

export const ACCOUNT_TITLE = "Account";

function AccountIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
      <circle cx="12" cy="8" r="4" />
      <path d="M4.5 20.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6" />
    </svg>
  );
}

function AccountPanel({ demoUsers }: { demoUsers: DemoUser[] }) {
  const state = useSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const { session, busy, message } = state;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void signIn(email.trim(), password);
  };

  return (
    <section className="landfall-account" aria-label={ACCOUNT_TITLE}>
      <div className="landfall-account-title">Account</div>
      <p className="landfall-account-lead">
        {session
          ? `${statusText(state)}. Requests and subscriptions carry the access token.`
          : "Sign in, and requests and subscriptions carry your access token."}
      </p>
      {session && (
        <>
          <dl className="landfall-facts">
            <dt>User</dt>
            <dd>{session.user.id}</dd>
            <dt>Token until</dt>
            <dd>{new Date(session.tokens.accessTokenExpiresAt).toLocaleTimeString()}, then renewed</dd>
          </dl>
          <Button id="landfall-sign-out" type="button" onClick={() => void signOut()}>
            Sign out
          </Button>
        </>
      )}
      <div id="landfall-message" className="landfall-message" role="alert">
        {message}
      </div>
      {demoUsers.length > 0 && (
        <>
          <h3>{session ? "Switch to a demo user" : "Demo users"}</h3>
          <ul className="landfall-demo-users">
            {demoUsers.map((user) => (
              <li key={user.email}>
                <button
                  type="button"
                  data-demo-user={user.email}
                  aria-label={`Sign in as ${user.name}`}
                  disabled={busy}
                  onClick={() => void signIn(user.email, user.password)}
                >
                  <span className="landfall-avatar" aria-hidden="true">
                    {user.name.slice(0, 1).toUpperCase()}
                  </span>
                  <span className="landfall-demo-name">{user.name}</span>
                  <span className="landfall-demo-email">{user.email}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {!session && (
        <>
          <h3>{demoUsers.length > 0 ? "Or with a password" : "With a password"}</h3>
          <form onSubmit={submit}>
            <label htmlFor="landfall-email">Email</label>
            <input
              id="landfall-email"
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
            <label htmlFor="landfall-password">Password</label>
            <input
              id="landfall-password"
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
            <Button id="landfall-submit" type="submit" disabled={busy}>
              {busy ? "Signing in …" : "Sign in"}
            </Button>
          </form>
        </>
      )}
    </section>
  );
}

export const accountPlugin = (demoUsers: DemoUser[]): GraphiQLPlugin => ({
  title: ACCOUNT_TITLE,
  icon: AccountIcon,
  content: () => <AccountPanel demoUsers={demoUsers} />,
});
