// Every audit of graphql-http, each one as a line; exits with 1 unless all are ok.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.env.LANDFALL_URL });
for (const { status, id, name, reason } of results.filter((each) => each.status !== 'ok')) {
  console.log(`${status}: ${id} ${name}: ${reason}`);
}
const ok = results.filter((each) => each.status === 'ok').length;
console.log(`${ok} of ${results.length} audits ok`);
process.exit(ok === results.length ? 0 : 1);
