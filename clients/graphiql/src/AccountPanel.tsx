import { Button } from "@graphiql/react";
import type { GraphiQLPlugin } from "@graphiql/react";
import { useState } from "react";
import { signIn } from "./account";
import type { DemoUser } from "./config";
import { CodeForm, ProofForm, SignInForm, SignUpForm } from "./forms";
import { signOut, statusText, useSession, type SessionState } from "./session";

export const ACCOUNT_TITLE = "Account";

function AccountIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
      <circle cx="12" cy="8" r="4" />
      <path d="M4.5 20.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6" />
    </svg>
  );
}

function SignedIn({ session }: { session: NonNullable<SessionState["session"]> }) {
  return (
    <>
      <dl className="landfall-facts">
        <dt>User</dt>
        <dd>{session.account.user.id}</dd>
        <dt>Token until</dt>
        <dd>{new Date(session.tokens.accessTokenExpiresAt).toLocaleTimeString()}, then renewed</dd>
      </dl>
      <Button id="landfall-sign-out" type="button" onClick={() => void signOut()}>
        Sign out
      </Button>
    </>
  );
}

function DemoUsers({ users, title }: { users: DemoUser[]; title: string }) {
  const { busy } = useSession();
  return (
    <>
      <h3>{title}</h3>
      <ul className="landfall-demo-users">
        {users.map((user) => (
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
  );
}

function SignedOut({ demo }: { demo: boolean }) {
  const [opening, setOpening] = useState(false);
  return (
    <>
      <h3>{opening ? "A new account" : demo ? "Or with a password" : "With a password"}</h3>
      {opening ? <SignUpForm /> : <SignInForm />}
      <div className="landfall-choices">
        <button id="landfall-open-account" type="button" onClick={() => setOpening(!opening)}>
          {opening ? "I have an account" : "Open an account"}
        </button>
      </div>
    </>
  );
}

function AccountPanel({ demoUsers, outbox }: { demoUsers: DemoUser[]; outbox: string }) {
  const state = useSession();
  const { session, flow, message } = state;
  return (
    <section className="landfall-account" aria-label={ACCOUNT_TITLE}>
      <div className="landfall-account-title">Account</div>
      <p className="landfall-account-lead">
        {session
          ? `${statusText(state)}. Requests and subscriptions carry the access token.`
          : "Sign in, and requests and subscriptions carry your access token."}
      </p>
      {session && <SignedIn session={session} />}
      <div id="landfall-message" className="landfall-message" role="alert">
        {message}
      </div>
      {flow ? (
        <CodeForm flow={flow} outbox={outbox} />
      ) : (
        <>
          {session && <ProofForm />}
          {demoUsers.length > 0 && (
            <DemoUsers users={demoUsers} title={session ? "Switch to a demo user" : "Demo users"} />
          )}
          {!session && <SignedOut demo={demoUsers.length > 0} />}
        </>
      )}
    </section>
  );
}

export const accountPlugin = (demoUsers: DemoUser[], outbox: string): GraphiQLPlugin => ({
  title: ACCOUNT_TITLE,
  icon: AccountIcon,
  content: () => <AccountPanel demoUsers={demoUsers} outbox={outbox} />,
});
