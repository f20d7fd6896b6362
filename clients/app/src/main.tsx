import { StrictMode, useCallback, useState, type FormEvent } from 'react';
import { createRoot } from 'react-dom/client';
import { useQuery } from '@apollo/client/react';
import { operations, type Refusal } from 'landfall-apollo';

import { Chats } from './chats.js';
import { Feed } from './feed.js';
import { demoUsers, PhoneProvider, plane, session, useOnline, usePhone } from './phone.js';
import { Shop } from './shop.js';
import './style.css';

const TABS = { Feed, Chats, Shop };
type Tab = keyof typeof TABS;

function App() {
  const [signedIn, setSignedIn] = useState(session.userId !== null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const onRefused = useCallback((refused: Refusal) => {
    setRefusal(refused);
    setTimeout(() => setRefusal(null), 5_000);
  }, []);
  if (!signedIn) return <SignIn done={() => setSignedIn(true)} />;
  return (
    <PhoneProvider onRefused={onRefused}>
      <Screens signedOut={() => setSignedIn(false)} />
      {refusal && <div id="refusal" className="toast" role="alert">{refusal.message}</div>}
    </PhoneProvider>
  );
}

function Screens({ signedOut }: { signedOut: () => void }) {
  const [tab, setTab] = useState<Tab>('Feed');
  const [leaving, setLeaving] = useState(false);
  const { waiting, leave } = usePhone();
  const signOut = () => void leave().then(signedOut);
  const { data } = useQuery(operations.Me);
  const Screen = TABS[tab];
  return (
    <>
      <header className="top">
        <h1>Landfall</h1>
        <span>{data?.viewer?.user.name}</span>
        <button id="sign-out" className="quiet" onClick={() => (waiting ? setLeaving(true) : signOut())}>Sign out</button>
      </header>
      {leaving && <Leaving signOut={signOut} stay={() => setLeaving(false)} />}
      <Connection />
      <main><Screen /></main>
      <nav>
        {(Object.keys(TABS) as Tab[]).map((name) => (
          <button key={name} data-tab={name} aria-current={name === tab ? 'page' : undefined} onClick={() => setTab(name)}>
            {name}
          </button>
        ))}
      </nav>
    </>
  );
}

/** What was done and not sent yet belongs to who did it: they are told before they go. */
function Leaving({ signOut, stay }: { signOut: () => void; stay: () => void }) {
  const { waiting, queue } = usePhone();
  return (
    <div id="leaving" className="card leaving" role="alertdialog" aria-label="Sign out">
      <p>{waiting === 1 ? '1 action has' : `${waiting} actions have`} not been sent yet. Kept, they wait on this device until you sign in again; nobody else sends them.</p>
      <button id="leave-keep" onClick={signOut}>Sign out and keep</button>
      <button id="leave-discard" className="quiet" onClick={() => (queue.discard(), signOut())}>Sign out and discard</button>
      <button className="quiet" onClick={stay}>Stay</button>
    </div>
  );
}

/** Whether there is one, what waits for it, and the switch to try it. */
function Connection() {
  const online = useOnline();
  const { waiting } = usePhone();
  const sent = waiting === 1 ? '1 action is sent' : `${waiting} actions are sent`;
  return (
    <div id="connection" className={online ? 'connection' : 'connection offline'} data-online={online} data-waiting={waiting}>
      <span>
        {online ? (waiting ? `Sending ${waiting}…` : 'Online') : waiting ? `Offline: ${sent} when you are back` : 'Offline: everything still works'}
      </span>
      <button id="plane" onClick={() => plane.toggle()}>{online ? 'Go offline' : 'Go online'}</button>
    </div>
  );
}

function SignIn({ done }: { done: () => void }) {
  const [problem, setProblem] = useState('');
  const signIn = async (email: string, password: string) => {
    try {
      await session.signIn(email, password, navigator.platform || 'Browser');
      done();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void signIn(String(form.get('email')), String(form.get('password')));
  };
  return (
    <form className="card sign-in" onSubmit={submit}>
      <h1>Landfall</h1>
      <p>A feed, chats and a shop that keep working when the connection does not. Sign in, go offline, do things, come back.</p>
      <input id="email" name="email" type="email" autoComplete="username" placeholder="Email" required />
      <input id="password" name="password" type="password" autoComplete="current-password" placeholder="Password" required />
      <button id="sign-in">Sign in</button>
      {problem && <p className="problem" role="alert">{problem}</p>}
      {demoUsers.length > 0 && <p className="demo">or as
        {demoUsers.map(({ email, password, name }) => (
          <button key={email} type="button" className="quiet" data-demo-user={email} onClick={() => void signIn(email, password)}>{name}</button>
        ))}
      </p>}
    </form>
  );
}

createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);
