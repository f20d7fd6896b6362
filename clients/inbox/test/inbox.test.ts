import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from 'landfall-session/testing';

import { banners, operations } from '../src/index.js';
import { Phone } from './phone.js';

const { AcknowledgeNotification, Inbox, MarkInboxSeen, Profile, SetChannelConsent, UpdateNotificationPreferences } = operations;

test('relayPagination joins pages of the inbox, which stays readable without a connection', async () => {
  const phone = await Phone.of(0);
  let after: string | null = null;
  for (let more = true; more; ) {
    const page: any = await phone.ask(Inbox, { first: 2, after });
    ({ hasNextPage: more, endCursor: after } = page.viewer.inbox.pageInfo);
  }
  const { edges } = phone.shown(Inbox, { first: 2, after: null })!.viewer!.inbox;
  const titles = edges.map(({ node }) => node.notification.title);
  assert.deepEqual(titles, ['Roof closed', 'Lunch is late', 'Fire drill', 'Water is off', 'Welcome']);
  await phone.ask(Inbox, {});
  phone.network.online = false;
  await phone.restart();
  const { data } = await phone.client.query(Inbox, {}).toPromise();
  assert.equal(data!.viewer!.inbox.edges[0]!.node.notification.message, 'Until Friday.');
  await phone.app.stop();
});

test('an acknowledgment offline shows at once, outlives the program and lands once, with its own moment', async () => {
  const phone = await Phone.of(0);
  const receiptId = phone.item('Fire drill').id;
  phone.network.online = false;
  const acknowledgedAt = new Date().toISOString();
  void phone.perform(AcknowledgeNotification, { target: { receiptId }, response: 'I am outside', acknowledgedAt });
  await until(() => phone.item('Fire drill').acknowledgment, 'the optimistic acknowledgment');
  assert.equal(phone.item('Fire drill').indicator, 'GREEN');

  await phone.restart();
  await until(() => phone.shown(Inbox, {})?.viewer && phone.item('Fire drill').acknowledgment, 'the acknowledgment after the restart');
  assert.equal(phone.app.queue.length, 1);
  // The first answer is lost: the server is asked again, and answers as it did.
  phone.network.deaf = true;
  phone.network.online = true;
  const before = phone.network.requests;
  phone.app.online();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  await phone.ask(Inbox, {});
  const { acknowledgment } = phone.item('Fire drill');
  assert.deepEqual([acknowledgment!.method, acknowledgment!.response, acknowledgment!.late], ['BUTTON_CLICK', 'I am outside', false]);
  assert.ok(Math.abs(Date.parse(acknowledgment!.acknowledgedAt) - Date.parse(acknowledgedAt)) < 5);

  // The first one stands.
  assert.deepEqual(await phone.perform(AcknowledgeNotification, { target: { receiptId }, response: 'Again' }), []);
  assert.equal(phone.item('Fire drill').acknowledgment!.response, 'I am outside');
  await phone.ask(Inbox, { filter: { unacknowledged: true } });
  const open = phone.shown(Inbox, { filter: { unacknowledged: true } })!.viewer!.inbox.edges;
  assert.deepEqual(open.map(({ node }) => node.notification.title), ['Water is off']);
  await phone.app.stop();
});

test('what was seen offline lowers the count at once, and on other devices once it has landed', async () => {
  const [phone, other] = [await Phone.of(1), await Phone.of(1)];
  assert.equal(phone.inbox.inboxCount, 5);
  const receiptIds = phone.inbox.inbox.edges.slice(0, 3).map(({ node }) => node.id);
  phone.network.online = false;
  void phone.perform(MarkInboxSeen, { receiptIds });
  void phone.perform(MarkInboxSeen, { receiptIds: receiptIds.slice(0, 1) });
  await until(() => phone.inbox.inboxCount === 2, 'the optimistic count');
  assert.equal((await other.ask(Inbox, {})).viewer!.inboxCount, 5);
  await phone.backOnline();
  assert.equal((await other.ask(Inbox, {})).viewer!.inboxCount, 2);
  assert.equal((await phone.ask(Inbox, {})).viewer!.inboxCount, 2);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('preferences that another device changed first come back as they are', async () => {
  const [phone, other] = [await Phone.of(2), await Phone.of(2)];
  await phone.ask(Profile, {});
  await other.ask(Profile, {});
  const { version } = phone.profile;
  phone.network.online = false;
  const late = phone.perform(UpdateNotificationPreferences, { mutedSources: ['AUDIT'], expectedVersion: version });
  await until(() => phone.profile.mutedSources.length, 'the optimistic choice');
  const quietHours = { startsAt: '22:00', endsAt: '07:30' };
  assert.deepEqual(await other.perform(UpdateNotificationPreferences, { quietHours, expectedVersion: version }), []);
  await phone.backOnline();
  assert.deepEqual((await late).map(({ code }) => code), ['CONFLICT']);
  const { mutedSources, quietHours: kept } = phone.profile;
  assert.deepEqual([mutedSources, kept!.startsAt, kept!.endsAt, phone.profile.version], [[], '22:00', '07:30', version + 1]);
  const again = { mutedSources: ['AUDIT'] as never, expectedVersion: version + 1 };
  assert.deepEqual(await phone.perform(UpdateNotificationPreferences, again), []);
  assert.deepEqual(phone.profile.mutedSources, ['AUDIT']);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('consent to texts is given with the wording that was agreed to', async () => {
  const phone = await Phone.of(2);
  await phone.ask(Profile, {});
  const refused = await phone.perform(SetChannelConsent, { channel: 'SMS', status: 'GRANTED' });
  assert.deepEqual(refused.map(({ code }) => code), ['REQUIRED']);
  const proof = 'Text me about drills. (v1, checkbox)';
  phone.network.online = false;
  const done = phone.perform(SetChannelConsent, { channel: 'SMS', status: 'GRANTED', proof });
  await until(() => phone.app.queue.length === 1, 'the queue');
  await phone.backOnline();
  assert.deepEqual(await done, []);
  const [sms] = phone.profile.consents;
  assert.deepEqual([sms!.channel, sms!.status, sms!.proof], ['SMS', 'GRANTED', proof]);
  await phone.app.stop();
});

test('a banner shows what arrives, which is on top of the inbox then', async () => {
  const phone = await Phone.of(3);
  const seen: string[] = [];
  const stop = banners(phone.client, ({ notification }) => seen.push(notification.title));
  await until(() => seen.length, 'a banner');
  assert.match(seen[0]!, /^Banner \d+$/);
  assert.equal(phone.inbox.inbox.edges[0]!.node.notification.title, seen.at(-1));
  stop();
  await phone.app.stop();
});
