import { StrictMode, useCallback, useLayoutEffect, useRef, useState, type FormEvent } from 'react';
import { createRoot } from 'react-dom/client';
import { useQuery } from '@apollo/client/react';
import { operations, SignedOut, type Flow, type Refusal } from 'landfall-apollo';

import { Chats } from './chats.js';
import { Feed } from './feed.js';
import { demoUsers, outbox, PhoneProvider, plane, session, useOnline, usePhone } from './phone.js';
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
  const scrolled = useRef<Partial<Record<Tab, number>>>({});
  const show = (next: Tab) => {
    scrolled.current[tab] = scrollY;
    setTab(next);
  };
  useLayoutEffect(() => void scrollTo(0, scrolled.current[tab] ?? 0), [tab]);
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
          <button key={name} data-tab={name} aria-current={name === tab ? 'page' : undefined} onClick={() => show(name)}>
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
  const [problem, setProblem] = useState<Error | null>(null);
  const [captcha, setCaptcha] = useState('');
  const asked = captcha !== '' || (problem instanceof SignedOut && problem.code === 'CAPTCHA_REQUIRED');
  const [flow, setFlow] = useState<Flow | null>(null);
  const signIn = async (email: string, password: string) => {
    try {
      const wanted = await session.signIn(email, password, navigator.platform || 'Browser', captcha);
      if (wanted) setFlow(wanted);
      else done();
    } catch (error) {
      setProblem(error as Error);
    }
  };
  if (flow) return <EnterCode flow={flow} done={done} />;
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
      {asked && (
        <label>
          CAPTCHA answer; “human” where none is set up
          <input id="captcha" value={captcha} autoComplete="off" onChange={(event) => setCaptcha(event.target.value)} />
        </label>
      )}
      <button id="sign-in">Sign in</button>
      {problem && <p className="problem" role="alert">{problem.message}</p>}
      {demoUsers.length > 0 && <p className="demo">or as
        {demoUsers.map(({ email, password, name }) => (
          <button key={email} type="button" className="quiet" data-demo-user={email} onClick={() => void signIn(email, password)}>{name}</button>
        ))}
      </p>}
    </form>
  );
}

/** The code of a sign-in that the server wants confirmed. */
function EnterCode({ flow, done }: { flow: Flow; done: () => void }) {
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState('');
  const verify = () => void session.verifyCode(flow.id, code).then(done, (error: Error) => setProblem(error.message));
  return (
    <form className="card sign-in" onSubmit={(event) => (event.preventDefault(), verify())}>
      <h1>Landfall</h1>
      <p>
        A code was sent to {flow.maskedDestination}
        {outbox && <>; in development it is in the <a href={outbox} target="_blank" rel="noreferrer">outbox</a></>}.
      </p>
      <input id="code" value={code} inputMode="numeric" autoComplete="one-time-code" placeholder="Code" onChange={(event) => setCode(event.target.value)} />
      <button id="verify" disabled={!code.trim()}>Confirm</button>
      {problem && <p className="problem" role="alert">{problem}</p>}
    </form>
  );
}

createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);
