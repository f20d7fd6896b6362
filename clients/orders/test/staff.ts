// The other side of the counter: staff with all that a shop needs, the carrier, and the customer's bank.
import { createHmac } from 'node:crypto';

import { ADDRESS, Device } from 'landfall-session/testing';

const SECRET = Buffer.from('Y2FycmllciB0aGF0IHByZXRlbmRz', 'base64');
const IMPORT = `importProducts(input: $input) {
  errors { code message } results { issues product { id variants { id sku } } } }`;
const LEVELS = `query Levels($skus: [String!]!) {
  inventoryLevels(filter: { skus: $skus }) { edges { node { id available } } } }`;

export interface Article {
  id: string;
  name: string;
  variant: string;
  sku: string;
}

export class Staff extends Device {
  static async signedIn(): Promise<Staff> {
    const staff = new Staff();
    await staff.signIn(-1);
    return staff;
  }

  /** Put articles of a brand on sale, of each as many as are in stock. */
  async sells(brand: string, stock: number, ...prices: string[]): Promise<Article[]> {
    const names = prices.map((_, number) => `${brand} ${['Tea', 'Soap', 'Cup'][number]}`);
    const rows = prices.map((price, number) => ({
      rowIndex: number + 1,
      name: names[number],
      brand,
      price: `€${price}`,
      form: 'capsules',
      category: 'Vitamins & Minerals',
      description: 'Good for calm evenings.',
      ingredients: 'Magnesium glycinate 200 mg; Rice flour',
      servings: '60',
      servingSize: '2 capsules',
      stock: String(stock),
    }));
    const { results } = await this.does('ImportProductsInput', IMPORT, { rows, publish: true });
    return results.map(({ product }: any, number: number) => {
      const [{ id: variant, sku }] = product.variants;
      return { id: product.id, name: names[number]!, variant, sku };
    });
  }

  async reprices({ variant }: Article, amount: string): Promise<void> {
    const price = { amount, currencyCode: 'EUR' };
    const set = 'setVariantPrice(input: $input) { errors { code message } product { id } }';
    await this.does('SetVariantPriceInput', set, { productVariantId: variant, price });
  }

  /** Leave so many in stock. */
  async leaves({ sku }: Article, left: number): Promise<void> {
    const { inventoryLevels } = await this.asks(LEVELS, { skus: [sku] });
    const { id, available } = inventoryLevels.edges[0].node;
    const adjust = 'adjustInventory(input: $input) { errors { code message } inventoryLevel { available } }';
    await this.does('AdjustInventoryInput', adjust, { inventoryLevelId: id, delta: left - available, reason: 'DAMAGE' });
  }

  /** Pack an order in one parcel of DHL; the tracking number. */
  async packs(order: { id: string; orderLines: { lineId: string; quantity: number }[] }): Promise<{ id: string; number: string }> {
    const number = String(Date.now()) + String(Math.floor(1e6 * Math.random())).padStart(6, '0');
    const lines = order.orderLines.map(({ lineId, quantity }) => ({ lineId, quantity }));
    const pack = 'createFulfillment(input: $input) { errors { code message } order { fulfillments { fulfillmentId } } }';
    const given = { orderId: order.id, lines, carrier: 'DHL', trackingNumber: number };
    const made = await this.does('CreateFulfillmentInput', pack, given);
    return { id: made.order.fulfillments[0].fulfillmentId, number };
  }

  /** Say where a parcel is. */
  async moves(fulfillmentId: string, status: string): Promise<void> {
    const step = 'recordFulfillmentStep(input: $input) { errors { code message } order { status } }';
    await this.does('RecordFulfillmentStepInput', step, { fulfillmentId, status });
  }

  async approves(orderReturnId: string, reason: string): Promise<void> {
    const decide = 'decideReturn(input: $input) { errors { code message } orderReturn { status } }';
    await this.does('DecideReturnInput', decide, { orderReturnId, decision: 'APPROVE', reason });
  }

  async receives(orderReturnId: string, lines: { lineId: string; quantity: number; restock: boolean }[]): Promise<void> {
    const receive = 'receiveReturn(input: $input) { errors { code message } orderReturn { status } }';
    await this.does('ReceiveReturnInput', receive, { orderReturnId, lines });
  }

  async refunds(orderId: string, orderReturnId: string, amount: string): Promise<void> {
    const refund = 'refundOrder(input: $input) { errors { code message } payment { id } }';
    const money = { amount, currencyCode: 'EUR' };
    await this.does('RefundOrderInput', refund, { orderId, orderReturnId, amount: money, reason: 'Sent back' });
  }

  /** The payload of a mutation that is not refused. */
  private async does(type: string, mutation: string, input: object): Promise<any> {
    const named = { input: { idempotencyKey: crypto.randomUUID(), ...input } };
    const [payload] = Object.values(await this.asks(`mutation Do($input: ${type}!) { ${mutation} }`, named)) as any[];
    if (payload.errors.length) throw new Error(JSON.stringify(payload.errors));
    return payload;
  }

  private async asks(query: string, variables: object): Promise<any> {
    const { data, errors } = await this.session.post({ query, variables });
    if (!data || errors?.length) throw new Error(JSON.stringify(errors));
    return data;
  }
}

/** The carrier tells of a parcel, as tracking services do: signed by Standard Webhooks, in the words of EasyPost. */
export async function carrierTells(number: string, status: string, location = ''): Promise<void> {
  const updated_at = new Date().toISOString();
  const result = { object: 'Tracker', tracking_code: number, carrier: 'DHL', status, updated_at, location };
  const body = JSON.stringify({ object: 'Event', description: 'tracker.updated', result });
  const [id, stamp] = [crypto.randomUUID(), String(Math.floor(Date.now() / 1000))];
  const signature = createHmac('sha256', SECRET).update(`${id}.${stamp}.${body}`).digest('base64');
  const headers = { 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': `v1,${signature}` };
  const { status: answer } = await fetch(ADDRESS.replace('/graphql', '/hooks/carrier'), { method: 'POST', headers, body });
  if (answer !== 200) throw new Error(`The callback was answered by ${answer}.`);
}

/** The customer says yes on the page of their bank. */
export async function agrees(page: string): Promise<void> {
  const answer = await fetch(page, { method: 'POST', body: new URLSearchParams({ proved: 'yes' }), redirect: 'manual' });
  if (answer.status !== 302) throw new Error(`The bank answered by ${answer.status}.`);
}
