import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { mint } from 'landfall-session';
import { until } from 'landfall-session/testing';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';

import { codesIn, normalForm, operations, useReader } from '../src/index.js';
import { CODES, Phone } from './phone.js';

const { AddStackItem, LookUp, Stacks, SubmitBarcode, Submissions } = operations;
const [KNOWN, OTHER, UNKNOWN] = CODES as [string, string, string];

/** A program of the reader's or writer's, which apps have among their own files. */
async function program(name: string): Promise<ArrayBuffer> {
  const file = await readFile(createRequire(import.meta.url).resolve(`zxing-wasm/${name}/zxing_${name}.wasm`));
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
}

test('a code is found typed and in a picture', async () => {
  const phone = await Phone.of(0);
  useReader(await program('reader'));
  prepareZXingModule({ overrides: { wasmBinary: await program('writer') } });
  const { image } = await writeBarcode(KNOWN, { format: 'EAN-13', scale: 4 });
  assert.deepEqual(await codesIn(image!), [KNOWN]);
  const typed = `${KNOWN.slice(0, 1)} ${KNOWN.slice(1, 7)} ${KNOWN.slice(7)}`;
  const { barcodeLookup: found } = await phone.ask(LookUp, { code: typed });
  assert.deepEqual([found.status, found.gtin], ['MATCHED', normalForm(KNOWN)]);
  await phone.app.stop();
});

test('scans without a connection are matched on the device, outlive the program and land once', async () => {
  const phone = await Phone.of(1);
  const { barcodeLookup: known } = await phone.ask(LookUp, { code: KNOWN });
  const target = { newStack: { id: mint('stack'), name: 'Warm' } };
  assert.deepEqual(await phone.perform(AddStackItem, { target, productId: known.product!.id, addedFrom: 'SEARCH' }), []);
  assert.equal(await phone.scanner.warmUp(), 1);

  phone.network.online = false;
  const { match } = phone.scanner.scan(KNOWN);
  assert.equal(match!.productId, known.product!.id);
  phone.scanner.scan(KNOWN);
  assert.equal(phone.scanner.scan(UNKNOWN, true).match, null);
  phone.scanner.scan('4006381333932');
  await phone.restart();
  assert.equal(phone.scanner.waiting.length, 4);

  // The first answer is lost: what is sent again changes nothing.
  phone.network.online = true;
  phone.network.deaf = true;
  const before = phone.network.requests;
  const syncing = phone.scanner.sync();
  await until(() => phone.network.requests > before, 'a request');
  phone.network.deaf = false;
  await phone.backOnline();
  await syncing;
  assert.deepEqual(phone.scanner.waiting, []);
  await phone.ask(operations.History, { first: 20 });
  const kept = phone.scans.map(({ barcode, status, matchedFrom }) => [barcode, status, matchedFrom]).sort();
  assert.deepEqual(kept, [[KNOWN, 'MATCHED', 'LOCAL_CACHE'], [UNKNOWN, 'UNMATCHED', 'MANUAL']].sort());
  await phone.app.stop();
});

test('an unknown code is submitted without a connection, and stays queued until there is one', async () => {
  const [phone, other] = [await Phone.of(2), await Phone.of(2)];
  phone.network.online = false;
  const done = phone.perform(SubmitBarcode, { code: UNKNOWN, context: 'A white jar' });
  await until(() => phone.app.queue.length === 1, 'the queue');
  await phone.backOnline();
  assert.deepEqual(await done, []);
  const { edges } = (await other.ask(Submissions, {})).viewer!.scanner.submissions;
  assert.deepEqual(edges.map(({ node }) => [node.barcode, node.status, node.context]), [[UNKNOWN, 'PENDING', 'A white jar']]);
  await Promise.all([phone.app.stop(), other.app.stop()]);
});

test('a stack is filled without a connection, in the order in which it was done', async () => {
  const phone = await Phone.of(3);
  const [one, two] = await Promise.all([KNOWN, OTHER].map(async (code) => (await phone.ask(LookUp, { code })).barcodeLookup.product!));
  phone.network.online = false;
  const stackId = mint('stack');
  const first = phone.perform(AddStackItem, {
    target: { newStack: { id: stackId, name: 'Sleep' } },
    productId: one!.id,
    addedFrom: 'SCAN',
  });
  const second = phone.perform(AddStackItem, { target: { stackId }, productId: two!.id, addedFrom: 'SCAN' });
  const again = phone.perform(AddStackItem, { target: { stackId }, productId: two!.id, addedFrom: 'SCAN' });
  await until(() => phone.app.queue.length === 3, 'the queue');
  await phone.backOnline();
  assert.deepEqual(await Promise.all([first, second, again]), [[], [], []]);
  await phone.ask(Stacks, {});
  const [stack] = phone.stacks;
  assert.deepEqual([stack!.name, stack!.itemCount, stack!.items.map(({ product }) => product!.id)], ['Sleep', 2, [one!.id, two!.id]]);
  await phone.app.stop();
});
