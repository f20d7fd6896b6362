// Small things that all screens show.
import type { ReactNode } from 'react';

import { useOnline } from './phone.js';

const HUES = [12, 38, 95, 158, 200, 228, 262, 310];

export function Avatar({ name, url }: { name: string; url?: string | null | undefined }) {
  if (url) return <img className="avatar" src={url} alt="" />;
  const hue = HUES[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % HUES.length];
  return (
    <span className="avatar" style={{ background: `oklch(0.72 0.12 ${hue})` }} aria-hidden>
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });

export function When({ at }: { at: string | null }) {
  if (!at) return <time>sending</time>;
  const passed = Date.now() - Date.parse(at);
  const [unit, size] = UNITS.find(([, each]) => passed >= each) ?? ['minute', 60_000];
  return <time dateTime={at}>{passed < 60_000 ? 'now' : format.format(-Math.floor(passed / size), unit)}</time>;
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}

/** In place of what has not come yet; without a connection it never would. */
export function Loading({ rows = 4 }: { rows?: number }) {
  if (!useOnline()) return <Empty>Not loaded yet: it comes when you are online.</Empty>;
  return (
    <div aria-hidden>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="card skeleton" />
      ))}
    </div>
  );
}
