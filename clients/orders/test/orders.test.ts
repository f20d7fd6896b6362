import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from 'landfall-session/testing';

import { operations } from '../src/index.js';
import { Phone } from './phone.js';

const { AddCartLine, ApplyQuickReorder, Cart, ClearCart, DeleteQuickReorder, History, PlaceOrder, QuickReorders } = operations;
const { ReorderItems, SaveQuickReorder, UpdateQuickReorder } = operations;

test('a checkout whose answer is lost is one order, which is read without a connection', async () => {
  const phone = await Phone.of(0);
  const [variant] = await phone.variants();
  await phone.perform(AddCartLine, { item: { productVariantId: variant! }, quantity: 2 });
  const quoteToken = await phone.quote();
  phone.network.deaf = true;
  const before = phone.network.requests;
  const placed = phone.perform(PlaceOrder, { quoteToken, source: { token: 'tok_visa' } });
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  assert.deepEqual(await placed, []);
  await phone.ask(History, {});
  assert.deepEqual(phone.orders.map(({ status, itemCount }) => [status, itemCount]), [['PROCESSING', 2]]);

  phone.network.online = false;
  await phone.restart();
  await until(() => phone.shown(History, {})?.viewer, 'the history after the restart');
  assert.equal(phone.orders[0]!.orderLines.length, 1);
  assert.deepEqual(phone.orders[0]!.timeline.map(({ status }) => status), ['CREATED', 'PROCESSING']);
  await phone.app.stop();
});

test('a reorder waits for a connection, outlives the program and adds nothing twice', async () => {
  const phone = await Phone.of(1);
  const [one, two] = await phone.variants();
  await phone.buys(one!, two!);
  await phone.ask(History, {});
  await phone.ask(Cart, {});
  const orderId = phone.orders[0]!.id;
  phone.network.online = false;
  void phone.perform(ReorderItems, { orderId, outOfStock: 'SKIP' });
  await until(() => phone.app.queue.length === 1, 'the queue');
  await phone.restart();
  // The first answer is lost: the server is asked again, and answers as it did.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.online();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  await phone.ask(Cart, {});
  assert.deepEqual(phone.cart.lines.map(({ quantity }) => quantity), [2, 2]);
  await phone.app.stop();
});

test('an order is placed again by one tap, and charged once', async () => {
  const phone = await Phone.of(2);
  const [variant] = await phone.variants();
  await phone.buys(variant!);
  await phone.ask(History, {});
  const orderId = phone.orders[0]!.id;
  const tap = { orderId, kind: 'PLACE_ORDER' as const, source: { token: 'tok_visa' }, requestedAt: new Date().toISOString() };
  assert.deepEqual(await phone.perform(ReorderItems, tap), []);
  assert.deepEqual(phone.orders.map(({ orderSource, status }) => [orderSource, status]), [
    ['REORDER', 'PROCESSING'],
    ['CART', 'PROCESSING'],
  ]);
  await phone.app.stop();
});

test('lists are edited without a connection, and put into the cart', async () => {
  const phone = await Phone.of(3);
  const [variant, other] = await phone.variants();
  const contents = (productVariantId: string) => ({ items: [{ productVariantId, quantity: 3 }] });
  assert.deepEqual(await phone.perform(SaveQuickReorder, { name: 'Monthly', contents: contents(variant!) }), []);
  assert.deepEqual(await phone.perform(SaveQuickReorder, { name: 'Trip', contents: contents(other!) }), []);
  await phone.ask(QuickReorders, {});
  const [first, second] = phone.lists;
  phone.network.online = false;
  void phone.perform(UpdateQuickReorder, { quickReorderId: first!.id, name: 'Weekly', expectedVersion: 1 });
  void phone.perform(DeleteQuickReorder, { quickReorderId: second!.id });
  await until(() => phone.lists[0]?.name === 'Weekly', 'the optimistic name');
  await phone.backOnline();
  await phone.ask(QuickReorders, {});
  assert.deepEqual(phone.lists.map(({ name, version }) => [name, version]), [['Weekly', 2]]);
  assert.deepEqual(await phone.perform(ApplyQuickReorder, { quickReorderId: first!.id, cartBehavior: 'REPLACE' }), []);
  await phone.ask(Cart, {});
  assert.deepEqual(phone.cart.lines.map(({ quantity }) => quantity), [3]);
  assert.deepEqual(await phone.perform(ClearCart, {}), []);
  await phone.app.stop();
});
