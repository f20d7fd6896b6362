// Mutations wait here for a connection, with their expected answers on the screen.
import { type CombinedError, type Exchange, type Operation, type OperationResult, stringifyDocument } from '@urql/core';
import { answered, isTransient, type Queue, type Queued, TryAgain } from 'landfall-session';
import { filter, fromPromise, makeSubject, merge, mergeMap, onStart, pipe, share, take, toPromise } from 'wonka';

export function queued(queue: Queue): Exchange {
  return ({ forward }) =>
    (operations$) => {
      const shared$ = pipe(operations$, share);
      const { source: sent$, next: send } = makeSubject<Operation>();
      const others$ = pipe(shared$, filter((operation) => !waits(operation)));
      const results$ = pipe(forward(merge([others$, sent$])), share);
      const answer = async (operation: Operation): Promise<OperationResult> => {
        const result = await pipe(
          results$,
          filter((result) => result.operation.kind === 'mutation' && result.operation.key === operation.key),
          take(1),
          onStart(() => send(operation)),
          toPromise,
        );
        if (isOffline(result.error)) throw new TryAgain();
        answered(result.error?.graphQLErrors);
        return result;
      };
      return merge([
        pipe(results$, filter((result) => !waits(result.operation))),
        pipe(
          shared$,
          filter(waits),
          mergeMap((operation) => fromPromise(queue.run(entry(operation), () => answer(operation)))),
        ),
      ]);
    };
}

/** No answer: there is no connection, or a server that is not well. */
export function isOffline(error: CombinedError | undefined): boolean {
  if (!error?.networkError) return false;
  const status = (error.response as Response | undefined)?.status;
  return status === undefined ? error.networkError instanceof TypeError : isTransient(status);
}

function waits({ kind, variables }: Operation): boolean {
  return kind === 'mutation' && Boolean((variables as Partial<Queued['variables']>).input?.clientMutationId);
}

function entry({ query, variables }: Operation): Queued {
  const definition = query.definitions.find(({ kind }) => kind === 'OperationDefinition');
  const name = definition && 'name' in definition ? definition.name!.value : '';
  return { name, query: stringifyDocument(query), variables: variables as Queued['variables'] };
}
