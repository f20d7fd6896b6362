// What both programs do: print each event as a line of JSON, and go on through every cut.
//
// What makes it lossless: `after` is the `eventId` of the last event, so that a connection made anew begins there.

const [field, query, given = '{}'] = process.argv.slice(2);

export const told = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** A phone does not give up; it waits longer and longer, and never long. */
export const patience = (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** retries, 500)));

/** Follow the subscription that the command line names, until the other end of standard input is closed. */
export function follow(client) {
  // Clients send this very object for each attempt: moving `after` in it resumes the stream where it was cut off.
  const payload = { query, variables: JSON.parse(given) };

  client.subscribe(payload, {
    next({ data, errors }) {
      if (errors) return told({ errors });
      payload.variables.after = data[field].eventId;
      told(data[field]);
    },
    error: (error) => {
      told({ failed: String(error?.message ?? error) });
      process.exitCode = 1;
    },
    complete: () => told({ complete: true }),
  });

  process.stdin.resume().on('end', async () => {
    await client.dispose();
    process.exit();
  });
}
