// A phone for the tests: the program can be killed and started again.
import { Device } from 'landfall-session/testing';
import {
  createOperationDescriptor,
  fetchQuery,
  getRequest,
  getSingularSelector,
  type GraphQLTaggedNode,
  type OperationType,
} from 'relay-runtime';

import { feed, makeClient, type Landfall } from '../src/index.js';

export class Phone extends Device {
  app: Landfall = makeClient(this.session);

  static async of(person: number): Promise<Phone> {
    const phone = new Phone();
    await phone.signIn(person);
    await phone.ask(feed.FeedQuery, { first: 1 });
    return phone;
  }

  get environment() {
    return this.app.environment;
  }

  /** From the server; kept in the store as if a screen showed it. */
  async ask<Query extends OperationType>(query: GraphQLTaggedNode, variables: Query['variables']): Promise<Query['response']> {
    const data = await fetchQuery<Query>(this.environment, query, variables, { fetchPolicy: 'network-only' }).toPromise();
    this.environment.retain(createOperationDescriptor(getRequest(query), variables));
    return data;
  }

  /** What a screen shows: the fragment of what the query's field refers to. */
  shown(query: GraphQLTaggedNode, variables: object, fragment: GraphQLTaggedNode, field?: string): any {
    const operation = createOperationDescriptor(getRequest(query), variables as never);
    const root: any = this.environment.lookup(operation.fragment).data;
    const parent = field ? root?.[field] : root;
    const selector = parent && getSingularSelector(fragment as never, parent);
    return selector ? this.environment.lookup(selector as never).data : null;
  }

  /** The program is killed and started again: only the storage stays. */
  async restart(): Promise<void> {
    await this.app.stop();
    this.app = makeClient(this.session);
  }
}
