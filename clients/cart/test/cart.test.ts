import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pipe, subscribe } from 'wonka';

import { until } from 'landfall-session/testing';

import { mint, operations } from '../src/index.js';
import { Phone } from './phone.js';

const { AddCartLine, Cart, CartEvents, MergeCart, RemoveCartLine, UpdateCartLine, ValidateCart } = operations;

test('what is added and changed offline shows at once, outlives the program and lands once', async () => {
  const phone = await Phone.of(0);
  const [variant, other] = await phone.variants();
  const [id, second] = [mint('cart_line'), mint('cart_line')];
  phone.network.online = false;
  void phone.perform(AddCartLine, { id, item: { productVariantId: variant! }, quantity: 2 });
  void phone.perform(UpdateCartLine, { cartLineId: id, quantity: 3 });
  void phone.perform(AddCartLine, { id: second, item: { productVariantId: other! } });
  void phone.perform(RemoveCartLine, { cartLineId: second });
  await until(() => phone.cart.itemCount === 3 && phone.line(id)?.quantity === 3, 'the optimistic cart');

  await phone.restart();
  await until(() => phone.shown(Cart, {})?.viewer && phone.cart.itemCount === 3, 'the cart after the restart');
  assert.equal(phone.app.queue.length, 4);
  // The first answer is lost: the server is asked again, and answers as it did.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.online();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  await phone.ask(Cart, {});
  assert.deepEqual(phone.cart.lines.map((line) => [line.id, line.quantity, line.status]), [[id, 3, 'OK']]);
  await phone.app.stop();
});

test('the cart of a device is filled without a sign-in, and merged once after it', async () => {
  const [phone, buyer] = [new Phone(), await Phone.of(1)];
  const [variant] = await buyer.variants();
  const add = { id: mint('cart_line'), item: { productVariantId: variant! }, quantity: 2, idempotencyKey: crypto.randomUUID() };
  // The answer to the first write is lost.
  phone.network.deaf = true;
  await assert.rejects(phone.device.add(add), TypeError);
  phone.network.deaf = false;
  assert.deepEqual((await phone.device.add(add)).errors, []);
  assert.equal((await phone.device.cart())!.itemCount, 2);

  const mine = mint('cart_line');
  assert.deepEqual(await buyer.perform(AddCartLine, { id: mine, item: { productVariantId: variant! } }), []);
  await phone.signIn(1);
  await phone.ask(Cart, {});
  const cartToken = phone.device.token;
  const lines = [{ cartLineId: add.id, productVariantId: variant!, quantity: 2 }];
  for (let times = 0; times < 2; times += 1) assert.deepEqual(await phone.perform(MergeCart, { cartToken, lines }), []);
  assert.deepEqual(phone.cart.lines.map(({ id, quantity }) => [id, quantity]), [[mine, 3]]);
  assert.equal(await phone.device.cart(), null);
  phone.device.forget();
  assert.notEqual(phone.device.token, cartToken);
  await Promise.all([phone.app.stop(), buyer.app.stop()]);
});

test('a quantity that another device changed first comes back as it is, and both additions count', async () => {
  const [phone, other] = [await Phone.of(2), await Phone.of(2)];
  const [variant] = await phone.variants();
  const id = mint('cart_line');
  await phone.perform(AddCartLine, { id, item: { productVariantId: variant! } });
  await other.ask(Cart, {});
  phone.network.online = false;
  const late = phone.perform(UpdateCartLine, { cartLineId: id, quantity: 9, expectedVersion: 1 });
  const added = phone.perform(AddCartLine, { id: mint('cart_line'), item: { productVariantId: variant! } });
  await until(() => phone.app.queue.length === 2, 'the queue');
  assert.deepEqual(await other.perform(UpdateCartLine, { cartLineId: id, quantity: 4, expectedVersion: 1 }), []);
  await phone.backOnline();
  assert.deepEqual((await late).map(({ code }) => code), ['CONFLICT']);
  assert.deepEqual(await added, []);
  assert.deepEqual(phone.cart.lines.map((line) => line.quantity), [5]);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('an open screen shows what another device does, and the cart is quoted', async () => {
  const [phone, other] = [await Phone.of(3), await Phone.of(3)];
  const [variant] = await phone.variants();
  let heard = 0;
  const { unsubscribe } = pipe(phone.client.subscription(CartEvents, {}), subscribe(() => (heard += 1)));
  const refused = await phone.perform(ValidateCart, {});
  assert.deepEqual(refused.map(({ code }) => code), ['CART_EMPTY']);
  const id = mint('cart_line');
  await other.perform(AddCartLine, { id, item: { productVariantId: variant! }, quantity: 2 });
  for (let more = 3; !heard && more < 40; more += 1) {
    // The socket may have come too late for the first.
    await other.perform(UpdateCartLine, { cartLineId: id, quantity: (more % 9) + 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await other.perform(UpdateCartLine, { cartLineId: id, quantity: 7 });
  await until(() => phone.line(id)?.quantity === 7, 'the change of the other device');
  assert.deepEqual(await phone.perform(ValidateCart, {}), []);
  unsubscribe();
  await Promise.all([phone.app.stop(), other.app.stop()]);
});
