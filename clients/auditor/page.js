// The auditor's page. Serve this folder from a host of the auditor's own, on which `/graphql` leads to the server: what
// is to be checked must not bring its checker along.

import { audit } from './audit.js';
import { AuditLog } from './log.js';

const SEEN = 'landfall.audit.seen';

const form = document.querySelector('form');
const verdict = document.querySelector('output');
const list = document.querySelector('#findings');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { email, password, keys } = Object.fromEntries(new FormData(form));
  show('', 'Reading and verifying…');
  list.replaceChildren();
  form.querySelector('button').disabled = true;
  try {
    await run(email, password, keys.split(/\s+/).filter(Boolean));
  } catch (error) {
    show('failed', error.message);
  } finally {
    form.querySelector('button').disabled = false;
  }
});

async function run(email, password, told) {
  const log = new AuditLog(new URL('/graphql', location.href));
  await log.signIn(email, password);
  const before = JSON.parse(localStorage.getItem(SEEN));
  const { findings, entries, checkpoints, seen } = await audit(log, before, told);
  list.replaceChildren(...findings.map(item));
  const sound = findings.length === 0;
  show(sound ? 'sound' : 'damaged', `${entries} entries and ${checkpoints} checkpoints: ${sound ? 'sound' : 'NOT SOUND'}`);
  // What does not continue what was seen is not what the next audit is to trust.
  if (sound) localStorage.setItem(SEEN, JSON.stringify(seen));
}

function show(outcome, text) {
  verdict.dataset.verdict = outcome;
  verdict.textContent = text;
}

function item(finding) {
  const made = document.createElement('li');
  made.textContent = finding;
  return made;
}
