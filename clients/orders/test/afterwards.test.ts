import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from 'landfall-session/testing';

import { catchUp, mint, operations } from '../src/index.js';
import { Phone } from './phone.js';
import { Staff } from './staff.js';

const { CancelOrder, History, RequestReturn } = operations;

test('a cancellation without a connection outlives the program and lands once', async () => {
  const phone = await Phone.of(9);
  const [variant] = await phone.variants();
  const id = await phone.buys(variant!);
  await catchUp(phone.client, phone.store);
  phone.network.online = false;
  void phone.perform(CancelOrder, { orderId: id, reason: 'ORDERED_BY_MISTAKE', expectedVersion: phone.order(id)!.version });
  await until(() => phone.app.queue.length === 1, 'the queue');
  await phone.restart();
  await until(() => phone.order(id)?.status === 'PROCESSING', 'the order after the restart');
  // The first answer is lost: the server is asked again, and answers as it did.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.online();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  assert.ok((await catchUp(phone.client, phone.store)).includes(id));
  const order = phone.order(id)!;
  assert.deepEqual([order.status, order.cancelReason, order.canCancel], ['CANCELLED', 'ORDERED_BY_MISTAKE', false]);
  assert.deepEqual(order.timeline.map(({ status, actor }) => [status, actor]), [
    ['CREATED', 'CUSTOMER'],
    ['PROCESSING', 'GATEWAY'],
    ['CANCELLED', 'CUSTOMER'],
  ]);
  await phone.catchesUp(() => phone.order(id)?.payment?.status === 'VOIDED', 'the payment called off');
  await phone.app.stop();
});

test('a cancellation that comes after the parcel has left shows the order as it is', async () => {
  const [phone, staff] = [await Phone.of(10), await Staff.signedIn()];
  const [variant] = await phone.variants();
  const id = await phone.buys(variant!);
  phone.network.online = false;
  const late = phone.payload(CancelOrder, { orderId: id, reason: 'TAKES_TOO_LONG' });
  await until(() => phone.app.queue.length === 1, 'the queue');
  const parcel = await staff.packs(phone.order(id)!);
  await staff.moves(parcel.id, 'IN_TRANSIT');
  await phone.backOnline();
  const { errors, order } = await late;
  assert.deepEqual(errors.map(({ code }) => code), ['NOT_CANCELLABLE']);
  assert.deepEqual([order!.status, order!.canCancel, order!.cancelReason], ['SHIPPED', false, null]);
  const shown = phone.order(id)!;
  assert.deepEqual([shown.status, shown.canCancel, shown.fulfillments.map(({ status }) => status)], ['SHIPPED', false, ['IN_TRANSIT']]);
  assert.deepEqual(shown.timeline.map(({ status, actor }) => [status, actor]).at(-1), ['SHIPPED', 'STAFF']);
  await phone.app.stop();
});

test('a return that is asked for without a connection is decided, received and paid back', async () => {
  const [phone, staff] = [await Phone.of(11), await Staff.signedIn()];
  const [article] = await staff.sells(`Return ${crypto.randomUUID().slice(0, 8)}`, 5, '10.00');
  const id = await phone.buys(article!.variant);
  const parcel = await staff.packs(phone.order(id)!);
  await staff.moves(parcel.id, 'DELIVERED');
  await phone.catchesUp(() => phone.order(id)?.payment?.status === 'CAPTURED', 'the money taken');
  const delivered = phone.order(id)!;
  assert.deepEqual([delivered.status, delivered.canReturn, delivered.returns], ['DELIVERED', true, []]);

  phone.network.online = false;
  const [back, { lineId }] = [mint('order_return'), delivered.orderLines[0]!];
  const lines = [{ lineId, quantity: 1, reason: 'DAMAGED' as const }];
  void phone.perform(RequestReturn, { id: back, orderId: id, lines, note: 'The cap was broken.' });
  const mine = () => phone.order(id)?.returns.find((each) => each.id === back);
  await until(() => mine()?.status === 'REQUESTED' && mine()?.version === 0, 'the expected return');
  await phone.restart();
  await until(() => mine()?.note === 'The cap was broken.', 'the return after the restart');
  await phone.backOnline();
  await catchUp(phone.client, phone.store);
  assert.deepEqual([mine()!.status, mine()!.version, mine()!.refundAmount], ['REQUESTED', 1, null]);

  await staff.approves(back, 'Sorry about the cap.');
  assert.deepEqual(await catchUp(phone.client, phone.store), [back]);
  assert.deepEqual(
    [mine()!.status, mine()!.decisionReason, mine()!.refundAmount?.amount],
    ['APPROVED', 'Sorry about the cap.', '10.00'],
  );
  await staff.receives(back, [{ lineId, quantity: 1, restock: false }]);
  assert.deepEqual((await catchUp(phone.client, phone.store)).sort(), [id, back].sort());
  assert.deepEqual(
    [mine()!.status, mine()!.returnLines, phone.order(id)!.orderLines[0]!.returnedQuantity],
    ['RECEIVED', [{ ...lines[0], receivedQuantity: 1, restocked: false }], 1],
  );
  await staff.refunds(id, back, '10.00');
  await phone.catchesUp(() => mine()?.status === 'REFUNDED', 'the refund');
  const order = phone.order(id)!;
  assert.deepEqual(
    [mine()!.status, order.status, order.refundedTotal.amount, order.payment!.status, order.payment!.refundedAmount.amount],
    ['REFUNDED', 'DELIVERED', '10.00', 'PARTIALLY_REFUNDED', '10.00'],
  );
  await phone.ask(History, {});
  assert.deepEqual(phone.order(id), order);
  await phone.app.stop();
});
