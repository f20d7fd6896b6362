// The link in front of the network that lets mutations wait for a connection.
import { ApolloLink, Observable, ServerError } from '@apollo/client';
import { OperationTypeNode } from 'graphql';
import { answered, isTransient, type Queue, type Queued, TryAgain } from 'landfall-session';
import { firstValueFrom, from } from 'rxjs';

export function queued(queue: Queue): ApolloLink {
  return new ApolloLink((operation, forward) => {
    const { input } = operation.variables as Partial<Queued['variables']>;
    if (operation.operationType !== OperationTypeNode.MUTATION || !input?.clientMutationId) {
      return forward(operation);
    }
    const entry = { name: operation.operationName ?? '', variables: { input } };
    return new Observable((observer) => from(queue.run(entry, () => send(forward(operation)))).subscribe(observer));
  });
}

async function send(answer: Observable<ApolloLink.Result>): Promise<ApolloLink.Result> {
  try {
    const result = await firstValueFrom(answer);
    answered(result.errors);
    return result;
  } catch (error) {
    const transient = ServerError.is(error) ? isTransient(error.statusCode) : error instanceof TypeError;
    throw transient ? new TryAgain() : error;
  }
}
