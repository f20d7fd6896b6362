import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from 'landfall-session/testing';

import { catchUp, follow, mint, operations } from '../src/index.js';
import { Phone } from './phone.js';
import { agrees, carrierTells, Staff } from './staff.js';

const { AddCartLine, ConfirmPayment, PlaceOrder, ResolveCartIssues } = operations;

test('a visit that begins without a connection ends with the parcel at the door', async () => {
  const [phone, staff] = [await Phone.of(4), await Staff.signedIn()];
  const brand = `Visit ${crypto.randomUUID().slice(0, 8)}`;
  const [tea, soap] = await staff.sells(brand, 40, '12.50', '8.00');
  await phone.browse(brand, 2);

  // Without a connection: the shelf is what it was, and the cart fills at the prices that were seen.
  phone.network.online = false;
  await phone.restart();
  await until(() => phone.shelf(brand).length === 2, 'the shelf after the restart');
  const price = (id: string) => phone.shelf(brand).find((product) => product.id === id)!.defaultVariant!.price;
  assert.deepEqual([price(tea!.id).amount, price(soap!.id).amount], ['12.50', '8.00']);
  const [first, second] = [mint('cart_line'), mint('cart_line')];
  const add = (id: string, article: typeof tea, quantity: number) => {
    const { amount, currencyCode } = price(article!.id);
    const item = { productVariantId: article!.variant };
    void phone.perform(AddCartLine, { id, item, quantity, seenUnitPrice: { amount, currencyCode } });
  };
  add(first, tea, 2);
  add(second, soap, 1);
  await until(() => phone.cart.itemCount === 3 && phone.app.queue.length === 2, 'the expected cart');
  assert.deepEqual(phone.cart.lines.map(({ id, quantity, unitPrice }) => [id, quantity, unitPrice.amount]), [
    [second, 1, '8.00'],
    [first, 2, '12.50'],
  ]);

  // Meanwhile the tea has become dearer: the customer is asked, and agrees.
  await staff.reprices(tea!, '13.00');
  await phone.backOnline();
  await until(() => phone.cart.lines.every(({ version }) => version === 1), 'the cart of the server');
  const line = (id: string) => phone.cart.lines.find((each) => each.id === id)!;
  assert.deepEqual([line(second).status, line(second).cartIssues], ['OK', []]);
  assert.deepEqual(
    [line(first).status, line(first).unitPrice.amount, line(first).currentUnitPrice.amount],
    ['PRICE_CHANGED', '12.50', '13.00'],
  );
  assert.deepEqual(
    line(first).cartIssues.map((each) => [each.code, each.blocking, each.oldPrice?.amount, each.newPrice?.amount]),
    [['PRICE_CHANGED', true, '12.50', '13.00']],
  );
  assert.equal((await phone.quoted()).valid, false);
  assert.deepEqual(await phone.perform(ResolveCartIssues, { resolutions: [{ cartLineId: first, kind: 'ACCEPT_PRICE' }] }), []);
  assert.deepEqual([line(first).status, line(first).unitPrice.amount], ['OK', '13.00']);
  const quote = await phone.quoted();
  assert.deepEqual([quote.valid, quote.total.amount, quote.cartIssues], [true, '38.90', []]);

  // The bank wants to see the customer.
  const placed = await phone.payload(PlaceOrder, { quoteToken: String(quote.token), source: { token: 'tok_3ds' } });
  assert.deepEqual(placed.errors, []);
  const { id } = placed.order!;
  assert.deepEqual(
    [placed.order!.status, placed.payment!.status, placed.nextAction!.kind],
    ['CREATED', 'REQUIRES_ACTION', 'REDIRECT'],
  );
  await catchUp(phone.client, phone.store);
  const unfollow = follow(phone.client, phone.store);
  await agrees(placed.nextAction!.url!);
  const confirmed = await phone.payload(ConfirmPayment, { paymentId: placed.payment!.id });
  assert.deepEqual([confirmed.errors, confirmed.payment!.status, confirmed.nextAction], [[], 'AUTHORIZED', null]);

  // From here on the open app asks nothing: it is told.
  const asked = phone.network.requests;
  const paid = await phone.sees(id, 'PROCESSING');
  assert.deepEqual([paid.total.amount, paid.canCancel, paid.fulfillments], ['38.90', true, []]);
  const { number } = await staff.packs(paid);
  await carrierTells(number, 'in_transit', 'Leipzig, DE');
  const shipped = await phone.sees(id, 'SHIPPED');
  assert.deepEqual([shipped.canCancel, shipped.orderLines.map((each) => each.shippedQuantity)], [false, [2, 1]]);
  assert.equal(
    shipped.fulfillments[0]!.trackingUrl,
    `https://www.dhl.de/en/privatkunden/pakete-empfangen/verfolgen.html?piececode=${number}`,
  );
  await carrierTells(number, 'delivered');
  const delivered = await phone.sees(id, 'DELIVERED');
  assert.deepEqual(delivered.timeline.map(({ status, actor }) => [status, actor]), [
    ['CREATED', 'CUSTOMER'],
    ['PROCESSING', 'GATEWAY'],
    ['SHIPPED', 'CARRIER'],
    ['DELIVERED', 'CARRIER'],
  ]);
  assert.deepEqual(
    delivered.fulfillments.map(({ status, carrier, trackingNumber, steps }) => [
      ...[status, carrier, trackingNumber],
      steps.map((step) => [step.status, step.place]),
    ]),
    [['DELIVERED', 'DHL', number, [['IN_TRANSIT', 'Leipzig, DE'], ['DELIVERED', null]]]],
  );
  await until(() => phone.order(id)?.payment?.status === 'CAPTURED', 'the money taken');
  assert.equal(phone.order(id)!.payment!.capturedAmount.amount, '38.90');
  assert.equal(phone.network.requests, asked);
  unfollow();
  await phone.app.stop();
});
