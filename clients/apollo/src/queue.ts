// The link in front of the network that lets mutations wait for a connection.
import { ApolloLink, Observable, ServerError } from '@apollo/client';
import { OperationTypeNode, print } from 'graphql';
import { type Answer, checkStatus, type Queue, type Queued, type Session, TryAgain } from 'landfall-session';
import { firstValueFrom, from } from 'rxjs';

export function queued(queue: Queue, session: Session): ApolloLink {
  return new ApolloLink((operation, forward) => {
    // Who acts: nothing of theirs is sent with the token of whoever signs in later.
    operation.setContext({ as: session.userId });
    const { input } = operation.variables as Partial<Queued['variables']>;
    if (operation.operationType !== OperationTypeNode.MUTATION || !input?.idempotencyKey) {
      return forward(operation);
    }
    const entry = { name: operation.operationName ?? '', query: print(operation.query), variables: { input } };
    const answer = queue.run(entry, () => send(forward(operation)));
    return from(answer) as Observable<ApolloLink.Result>;
  });
}

async function send(answer: Observable<ApolloLink.Result>): Promise<Answer> {
  try {
    return (await firstValueFrom(answer)) as Answer;
  } catch (error) {
    if (ServerError.is(error)) checkStatus(error.response);
    throw error instanceof TypeError ? new TryAgain() : error;
  }
}
