import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from 'landfall-session/testing';

import { act, operations } from '../src/index.js';
import { Phone } from './phone.js';

const { MoveFavorite, RemoveFavorite, SyncFavorites, Wishlist } = operations;

test('a product saved offline shows on top at once, outlives the program and lands once', async () => {
  const phone = await Phone.of(0);
  const [first, second] = phone.products as [string, string];
  assert.deepEqual(await phone.save(first), []);
  phone.network.online = false;
  void phone.save(second);
  await until(() => phone.targets.length === 2, 'the optimistic favorite');
  assert.deepEqual(phone.targets, [second, first]);
  assert.ok('name' in phone.favorites[0]!.target!);

  await phone.restart();
  await until(() => phone.shown(Wishlist, {})?.viewer && phone.targets.length === 2, 'the list after the restart');
  assert.equal(phone.app.queue.length, 1);
  // The first answer is lost: the server is asked again, and answers as it did.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.online();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  assert.deepEqual(await phone.read(), [second, first]);
  const { favoriteCount, version } = phone.shown(Wishlist, {})!.viewer!.favoriteList;
  assert.deepEqual([favoriteCount, version], [2, 2]);
  await phone.app.stop();
});

test('two devices save one product offline, and the first id stands on both', async () => {
  const [phone, other] = [await Phone.of(1), await Phone.of(1)];
  const [product] = phone.products as [string];
  phone.network.online = other.network.online = false;
  void phone.save(product);
  void other.save(product);
  await until(() => phone.targets.length && other.targets.length, 'both stars');
  assert.notEqual(phone.favorites[0]!.id, other.favorites[0]!.id);
  await phone.backOnline();
  await other.backOnline();
  await until(() => other.favorites[0]?.id === phone.favorites[0]?.id, 'the first id on both');
  assert.deepEqual([await phone.read(), await other.read()], [[product], [product]]);

  // A star that is taken away on one leaves the other when it reads again.
  assert.deepEqual(await other.perform(RemoveFavorite, { targetId: product }), []);
  assert.deepEqual([other.targets, await phone.read()], [[], []]);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('what one device moves offline and the other online ends in one order', async () => {
  const [phone, other] = [await Phone.of(2), await Phone.of(2)];
  const [a, b, c] = phone.products as [string, string, string];
  for (const each of [c, b, a]) assert.deepEqual(await phone.save(each), []);
  await other.read();
  phone.network.online = false;
  void phone.perform(MoveFavorite, { targetId: c });
  await until(() => phone.targets[0] === c, 'the optimistic order');
  assert.deepEqual(phone.targets, [c, a, b]);
  assert.deepEqual(await other.perform(MoveFavorite, { targetId: a, afterTargetId: b }), []);
  assert.deepEqual(other.targets, [b, a, c]);
  await phone.backOnline();
  assert.deepEqual([await phone.read(), await other.read()], [[c, b, a], [c, b, a]]);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('a device that was away sends its whole list, and gets the one that both agree on', async () => {
  const [phone, other] = [await Phone.of(3), await Phone.of(3)];
  const [kept, gone, mine, theirs] = phone.products as [string, string, string, string];
  for (const each of [gone, kept]) assert.deepEqual(await phone.save(each), []);
  assert.deepEqual(await other.save(theirs), []);
  const now = () => new Date().toISOString();
  const input = {
    kind: 'PRODUCT',
    local: [mine, kept].map((targetId, position) => ({ targetId, position, savedAt: now() })),
    removed: [{ targetId: gone, removedAt: now() }],
  } as const;
  const { data } = await phone.client.mutation(SyncFavorites, { input: act(input) as never }).toPromise();
  const { errors, differences, token } = data!.syncFavorites!;
  assert.deepEqual([errors, Boolean(token)], [[], true]);
  const told = Object.fromEntries(differences!.map(({ targetId, kind, proposal }) => [targetId, [kind, proposal]]));
  assert.deepEqual(told, { [mine]: ['ONLY_LOCAL', 'ADD'], [gone]: ['REMOVED_LOCALLY', 'REMOVE'], [theirs]: ['ONLY_SERVER', 'KEEP'] });
  assert.deepEqual(phone.targets, [mine, theirs, kept]);
  assert.deepEqual(await other.read(), [mine, theirs, kept]);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});
