import assert from 'node:assert/strict';
import { test } from 'node:test';

import { operations } from '../src/index.js';
import { Phone } from './phone.js';
import { type Article, Staff } from './staff.js';

const { Cart, PlaceOrder, ResolveCartIssues, RetryPayment, UpdateCartLine } = operations;
const VISA = { token: 'tok_visa' };

/** An article of the test's own, 10.00 euros each, five of them; two are in the cart. */
async function shopping(person: number): Promise<{ phone: Phone; staff: Staff; article: Article; line: string }> {
  const [phone, staff] = [await Phone.of(person), await Staff.signedIn()];
  const [article] = await staff.sells(`Checkout ${crypto.randomUUID().slice(0, 8)}`, 5, '10.00');
  return { phone, staff, article: article!, line: await phone.adds(article!.variant, 2) };
}

test('what is gone from the stock is told with a fresh quote, and ordered when there is less of it', async () => {
  const { phone, staff, article, line } = await shopping(5);
  const quote = await phone.quoted();
  assert.deepEqual([quote.valid, quote.total.amount], [true, '24.90']);
  await staff.leaves(article, 1);
  const refused = await phone.payload(PlaceOrder, { quoteToken: String(quote.token), source: VISA });
  assert.deepEqual([refused.errors.map(({ code }) => code), refused.order, refused.payment], [['OUT_OF_STOCK'], null, null]);
  const fresh = refused.checkoutQuote!;
  assert.deepEqual(
    [fresh.valid, fresh.cartIssues.map((issue) => [issue.code, issue.blocking, issue.lineId, issue.availableQuantity])],
    [false, [['INSUFFICIENT_STOCK', true, line, 1]]],
  );
  assert.deepEqual(await phone.perform(ResolveCartIssues, { resolutions: [{ cartLineId: line, kind: 'REDUCE_QUANTITY' }] }), []);
  assert.deepEqual(phone.cart.lines.map((each) => [each.id, each.quantity, each.status]), [[line, 1, 'OK']]);
  const placed = await phone.payload(PlaceOrder, { quoteToken: await phone.quote(), source: VISA });
  assert.deepEqual([placed.errors, placed.order!.status, placed.order!.total.amount], [[], 'PROCESSING', '14.90']);
  assert.deepEqual(phone.orders.map(({ id }) => id), [placed.order!.id]);
  await phone.app.stop();
});

test('a price that rose is asked about before the quote, and the quote is honored after it', async () => {
  const { phone, staff, article, line } = await shopping(6);
  await staff.reprices(article, '12.00');
  const dearer = await phone.quoted();
  assert.deepEqual(
    [dearer.valid, dearer.cartIssues.map((issue) => [issue.code, issue.lineId, issue.oldPrice?.amount, issue.newPrice?.amount])],
    [false, [['PRICE_CHANGED', line, '10.00', '12.00']]],
  );
  // Nothing can be ordered by it.
  assert.equal(dearer.token, null);
  assert.deepEqual(await phone.perform(ResolveCartIssues, { resolutions: [{ cartLineId: line, kind: 'ACCEPT_PRICE' }] }), []);
  const quote = await phone.quoted();
  assert.deepEqual([quote.valid, quote.total.amount], [true, '28.90']);
  await staff.reprices(article, '15.00');
  const placed = await phone.payload(PlaceOrder, { quoteToken: String(quote.token), source: VISA });
  assert.deepEqual([placed.errors, placed.order!.status, placed.order!.total.amount], [[], 'PROCESSING', '28.90']);
  assert.deepEqual(placed.order!.orderLines.map(({ unitPrice }) => unitPrice.amount), ['12.00']);
  await phone.app.stop();
});

test('a quote of the cart as it was brings the one of the cart as it is', async () => {
  const { phone, line } = await shopping(7);
  const quoteToken = await phone.quote();
  const other = await Phone.of(7);
  assert.deepEqual(await other.perform(UpdateCartLine, { cartLineId: line, quantity: 3 }), []);
  const stale = await phone.payload(PlaceOrder, { quoteToken, source: VISA });
  assert.deepEqual([stale.errors.map(({ code }) => code), stale.order, stale.payment], [['QUOTE_STALE'], null, null]);
  const fresh = stale.checkoutQuote!;
  assert.deepEqual([fresh.valid, fresh.total.amount, phone.cart.itemCount], [true, '34.90', 3]);
  const placed = await phone.payload(PlaceOrder, { quoteToken: String(fresh.token), source: VISA });
  assert.deepEqual([placed.errors, placed.order!.status, placed.order!.total.amount], [[], 'PROCESSING', '34.90']);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('a card that is declined charges nothing, and another one pays for the same order', async () => {
  const { phone } = await shopping(8);
  const declined = await phone.payload(PlaceOrder, { quoteToken: await phone.quote(), source: { token: 'tok_insufficient' } });
  assert.deepEqual(declined.errors.map(({ code }) => code), ['PAYMENT_DECLINED']);
  const { id } = declined.order!;
  assert.deepEqual(
    [declined.order!.status, declined.payment!.status, declined.payment!.failureCode, declined.payment!.attemptCount],
    ['CREATED', 'FAILED', 'INSUFFICIENT_FUNDS', 1],
  );
  const again = await phone.payload(RetryPayment, { orderId: id, source: { token: 'tok_declined' } });
  assert.deepEqual([again.errors.map(({ code }) => code), again.order!.status], [['PAYMENT_DECLINED'], 'CREATED']);
  const paid = await phone.payload(RetryPayment, { orderId: id, source: VISA });
  assert.deepEqual([paid.errors, paid.order!.id, paid.order!.status], [[], id, 'PROCESSING']);
  assert.deepEqual(
    [paid.payment!.id, paid.payment!.status, paid.payment!.failureCode, paid.payment!.attemptCount],
    [declined.payment!.id, 'AUTHORIZED', null, 3],
  );
  await phone.ask(Cart, {});
  assert.equal(phone.cart.itemCount, 0);
  await phone.app.stop();
});
