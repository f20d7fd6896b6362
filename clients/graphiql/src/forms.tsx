import { Button } from "@graphiql/react";
import { useEffect, useState, type FormEvent, type InputHTMLAttributes, type ReactNode } from "react";
import {
  askForProof,
  dropFlow,
  enterCode,
  proveByPassword,
  resendCode,
  signIn,
  signUp,
} from "./account";
import { useSession, type Flow } from "./session";

const WAYS: Record<string, string> = { SMS: "text message", EMAIL: "mail", PUSH: "push to another device" };

function Field({ label, ...input }: { label: string; id: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <>
      <label htmlFor={input.id}>{label}</label>
      <input required {...input} />
    </>
  );
}

function Form({ name, action, children, onSubmit }: {
  name: string;
  action: string;
  children: ReactNode;
  onSubmit: (fields: Record<string, string>) => void;
}) {
  const { busy } = useSession();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSubmit(Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>);
  };
  return (
    <form onSubmit={submit}>
      {children}
      <Button id={name} className="landfall-submit" type="submit" disabled={busy}>
        {busy ? "One moment …" : action}
      </Button>
    </form>
  );
}

function Captcha() {
  return useSession().captcha ? (
    <Field id="landfall-captcha" name="captcha" label="CAPTCHA answer; “human” where none is set up" />
  ) : null;
}

export function SignInForm() {
  return (
    <Form
      name="landfall-submit"
      action="Sign in"
      onSubmit={({ email, password, captcha }) => void signIn(email!.trim(), password!, captcha)}
    >
      <Field id="landfall-email" name="email" label="Email" type="email" autoComplete="username" />
      <Field
        id="landfall-password"
        name="password"
        label="Password"
        type="password"
        autoComplete="current-password"
      />
      <Captcha />
    </Form>
  );
}

export function SignUpForm() {
  return (
    <Form
      name="landfall-sign-up"
      action="Open an account"
      onSubmit={({ email, password, firstName, captcha }) =>
        void signUp({ email: email!.trim(), password: password!, firstName: firstName!.trim() }, captcha)
      }
    >
      <Field id="landfall-new-name" name="firstName" label="First name" autoComplete="given-name" />
      <Field id="landfall-new-email" name="email" label="Email" type="email" autoComplete="username" />
      <Field
        id="landfall-new-password"
        name="password"
        label="Password, at least 10 characters"
        type="password"
        autoComplete="new-password"
        minLength={10}
      />
      <Captcha />
    </Form>
  );
}

/** Seconds until a moment, counted down. */
function useSecondsUntil(moment: string): number {
  const left = () => Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [moment]);
  return seconds;
}

/** Codes of these flows may go another way; what proves an address or number goes there alone. */
const otherWays = ({ kind, otpMethod }: Flow): string[] =>
  kind === "SIGN_IN" || kind === "STEP_UP" ? Object.keys(WAYS).filter((way) => way !== otpMethod) : [];

export function CodeForm({ flow, outbox }: { flow: Flow; outbox: string }) {
  const [backup, setBackup] = useState(false);
  const { busy } = useSession();
  const seconds = useSecondsUntil(flow.resendAllowedAt);
  const attempts = `${flow.remainingAttemptCount} ${flow.remainingAttemptCount === 1 ? "attempt" : "attempts"} left`;
  return (
    <>
      <h3>{backup ? "Backup code" : `Code by ${WAYS[flow.otpMethod ?? ""] ?? "message"}`}</h3>
      <p id="landfall-flow" className="landfall-account-lead">
        {backup ? "One of the ten that were shown once" : `Sent to ${flow.maskedDestination ?? "you"}`}; {attempts}.{" "}
        {outbox && !backup && (
          <a href={outbox} target="_blank" rel="noreferrer">
            Read it in the outbox
          </a>
        )}
      </p>
      <Form name="landfall-verify" action="Continue" onSubmit={({ code }) => void enterCode(code!, backup)}>
        <Field
          key={`${flow.id} ${backup}`}
          id="landfall-code"
          name="code"
          label={backup ? "Ten letters and digits" : `${flow.otpDigitCount} digits`}
          autoComplete="one-time-code"
          inputMode={backup ? "text" : "numeric"}
        />
      </Form>
      <div className="landfall-choices">
        {flow.remainingResendCount > 0 && (
          <>
            <button
              id="landfall-resend"
              type="button"
              disabled={busy || seconds > 0}
              onClick={() => void resendCode()}
            >
              {seconds > 0 ? `Send again in ${seconds} s` : "Send again"}
            </button>
            {otherWays(flow).map((way) => (
              <button
                key={way}
                data-way={way}
                type="button"
                disabled={busy || seconds > 0}
                onClick={() => void resendCode(way)}
              >
                By {WAYS[way]}
              </button>
            ))}
          </>
        )}
        {flow.factors.includes("BACKUP_CODE") && (
          <button id="landfall-backup" type="button" onClick={() => setBackup(!backup)}>
            {backup ? "Use the code" : "Use a backup code"}
          </button>
        )}
        <button id="landfall-cancel" type="button" onClick={dropFlow}>
          Cancel
        </button>
      </div>
    </>
  );
}

export function ProofForm() {
  const { busy, proofWanted, session } = useSession();
  return (
    <details className="landfall-proof" open={proofWanted}>
      <summary id="landfall-proof">Confirm that it is you</summary>
      <p className="landfall-account-lead">
        {proofWanted
          ? "An operation was answered with STEP_UP_REQUIRED: give a proof, then run it again."
          : "For mutations that ask for a proof not older than ten minutes."}
      </p>
      <Form
        name="landfall-prove"
        action="Confirm"
        onSubmit={({ password }) => void proveByPassword(password!)}
      >
        {/* So that password managers know whose password is wanted. */}
        <input hidden readOnly type="text" autoComplete="username" value={session?.account.email ?? ""} />
        <Field
          id="landfall-proof-password"
          name="password"
          label="Password"
          type="password"
          autoComplete="current-password"
        />
      </Form>
      <div className="landfall-choices">
        {Object.entries(WAYS).map(([way, name]) => (
          <button
            key={way}
            data-proof={way}
            type="button"
            disabled={busy}
            onClick={() => void askForProof(way)}
          >
            Code by {name}
          </button>
        ))}
      </div>
    </details>
  );
}
