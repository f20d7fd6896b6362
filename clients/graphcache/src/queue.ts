// Mutations wait here for a connection, with their expected answers on the screen.
import {
  type CombinedError,
  type Exchange,
  makeErrorResult,
  makeOperation,
  makeResult,
  type Operation,
  type OperationResult,
  stringifyDocument,
} from '@urql/core';
import { type Answer, checkStatus, isTransient, type Queue, type Queued, type Session, SignedOut, TryAgain } from 'landfall-session';
import { filter, fromPromise, makeSubject, merge, mergeMap, onStart, pipe, share, take, toPromise } from 'wonka';

/** `as` gives the fetch of one person: what they did is never sent with another's token. */
export function queued(queue: Queue, session: Session, as: (userId: string | null) => typeof fetch): Exchange {
  return ({ forward }) =>
    (operations$) => {
      const shared$ = pipe(operations$, share);
      const { source: sent$, next: send } = makeSubject<Operation>();
      const others$ = pipe(shared$, filter((operation) => !waits(operation)));
      const results$ = pipe(forward(merge([others$, sent$])), share);
      const answer = async (operation: Operation): Promise<Answer> => {
        const { data, error } = await pipe(
          results$,
          filter((result) => result.operation.kind === 'mutation' && result.operation.key === operation.key),
          take(1),
          onStart(() => send(operation)),
          toPromise,
        );
        if (error?.networkError) failed(error);
        return { data, errors: error?.graphQLErrors ?? [] };
      };
      const run = async (operation: Operation): Promise<OperationResult> => {
        const own = makeOperation(operation.kind, operation, { ...operation.context, fetch: as(session.userId) });
        try {
          const { data, errors } = await queue.run(entry(operation), () => answer(own));
          return makeResult(operation, { data, ...(errors?.length && { errors: errors as never }) });
        } catch (error) {
          return makeErrorResult(operation, error as Error);
        }
      };
      return merge([
        pipe(results$, filter((result) => !waits(result.operation))),
        pipe(
          shared$,
          filter(waits),
          mergeMap((operation) => fromPromise(run(operation))),
        ),
      ]);
    };
}

/** Tells the queue whether to send it again. */
function failed({ networkError, response }: CombinedError): never {
  if (networkError instanceof SignedOut || networkError instanceof TryAgain) throw networkError;
  if (response) checkStatus(response as Response);
  throw networkError instanceof TypeError ? new TryAgain() : networkError;
}

/** No answer: there is no connection, or a server that is not well. */
export function isOffline(error: CombinedError | undefined): boolean {
  if (!error?.networkError) return false;
  if (error.networkError instanceof TryAgain) return true;
  const status = (error.response as Response | undefined)?.status;
  return status === undefined ? error.networkError instanceof TypeError : isTransient(status);
}

function waits({ kind, variables }: Operation): boolean {
  return kind === 'mutation' && Boolean((variables as Partial<Queued['variables']>).input?.idempotencyKey);
}

function entry({ query, variables }: Operation): Queued {
  const definition = query.definitions.find(({ kind }) => kind === 'OperationDefinition');
  const name = definition && 'name' in definition ? definition.name!.value : '';
  return { name, query: stringifyDocument(query), variables: variables as Queued['variables'] };
}
