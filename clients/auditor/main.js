// Audit the log of an organization: prints what is wrong with it, and exits with 1 then.
//
//   LANDFALL_URL=https://example.com/graphql LANDFALL_PEOPLE='[{"email":"ada@example.com","password":"..."}]' \
//     node clients/auditor/main.js seen.json [verifier key ...]
//
// Verifier keys are those that the operator told by another way: of a log that nobody audited before, or whose key was
// stolen, so that no key that is known vouches for the next.
// The file keeps what the next audit compares with: keep it where the server's operator cannot change it.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { audit } from './audit.js';
import { AuditLog } from './log.js';

const { LANDFALL_URL, LANDFALL_PEOPLE } = process.env;
const [{ email, password }] = JSON.parse(LANDFALL_PEOPLE);
const [file, ...told] = process.argv.slice(2);

const log = new AuditLog(LANDFALL_URL);
await log.signIn(email, password);
const before = file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
const { findings, entries, checkpoints, seen } = await audit(log, before, told);
for (const finding of findings) console.log(`damaged: ${finding}`);
console.log(`${entries} entries and ${checkpoints} checkpoints: ${findings.length === 0 ? 'sound' : 'NOT SOUND'}`);
// What does not continue what was seen is not what the next audit is to trust.
if (file && findings.length === 0) writeFileSync(file, JSON.stringify(seen));
process.exitCode = findings.length === 0 ? 0 : 1;
