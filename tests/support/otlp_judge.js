// SPDX-License-Identifier: Apache-2.0
// otlp_judge.js DIRECTORY EXCHANGES: are the spans that came whole trees, and do they belong to the contexts that the service was told?
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');

const [directory, exchanges] = [process.argv[2], Number(process.argv[3])];
const read = (file) => (fs.existsSync(path.join(directory, file)) ? fs.readFileSync(path.join(directory, file), 'utf8').trim().split('\n') : []);
const hex = (base64) => (base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex'));
assert.deepStrictEqual(read('faults.txt'), [], 'faults');

const spans = read('spans.ndjson').map((line) => JSON.parse(line)).map((span) => ({ ...span, traceId: hex(span.traceId), spanId: hex(span.spanId), parentSpanId: hex(span.parentSpanId) }));
const byId = new Map(spans.map((span) => [span.spanId, span]));
assert.strictEqual(byId.size, spans.length, 'an id twice');
const client = '00f067aa0ba902b7';
const attribute = (span, key) => Object.values((span.attributes ?? []).find((a) => a.key === key)?.value ?? {})[0];
const parentOf = (span) => byId.get(span.parentSpanId);

const SERVER = 2, CLIENT = 3;
const roots = spans.filter((span) => span.kind === SERVER);
assert.strictEqual(roots.length, exchanges, 'exchanges');
for (const span of spans) {
  assert.strictEqual(span.service, 'shop');
  assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), 'it ends before it begins');
  if (span.kind === SERVER) {
    assert.ok(span.parentSpanId === undefined || span.parentSpanId === client, `a strange parent of ${span.name}`);
    assert.match(span.name, /^(GET|POST) \/(items|fail)\/\*$/);
    continue;
  }
  const parent = parentOf(span);
  assert.ok(parent, `${span.name} has no parent`);
  assert.strictEqual(parent.traceId, span.traceId, 'another trace');
  assert.strictEqual(parent.kind, span.kind === CLIENT ? 1 : SERVER, `${span.name} below ${parent.name}`);
  if (span.kind === CLIENT) assert.strictEqual(parent.name, 'forward');
  assert.ok(BigInt(parent.startTimeUnixNano) <= BigInt(span.startTimeUnixNano), `${span.name} begins before ${parent.name}`);
}
for (const root of roots) {
  const below = spans.filter((span) => span.parentSpanId === root.spanId).map((span) => span.name);
  assert.deepStrictEqual(below, ['match', 'authenticate', 'forward', 'respond'], root.name);
}

// What the service was told is the try's own span, of the same trace.
const contexts = read('contexts.ndjson').map((line) => JSON.parse(line));
const tries = spans.filter((span) => span.kind === CLIENT);
assert.strictEqual(contexts.length, tries.length, 'tries');
for (const context of contexts) {
  const span = byId.get(context.spanId);
  assert.ok(span && span.kind === CLIENT && span.traceId === context.traceId, `${context.url} was told of a span that nobody has`);
  assert.ok(context.sampled);
}
const failed = tries.filter((span) => attribute(span, 'http.response.status_code') === '502');
assert.ok(failed.length > 0 && failed.every((span) => span.status.code === 2), 'failed tries are no errors');
assert.ok(tries.some((span) => attribute(span, 'http.request.resend_count') === '1'), 'no second try');
const continued = roots.filter((span) => span.parentSpanId === client);
assert.ok(continued.length > 0 && continued.every((span) => span.traceId === '4bf92f3577b34da6a3ce929d0e0e4736'), 'a trace that was begun elsewhere does not go on');
console.log(`${spans.length} spans of ${roots.length} exchanges, ${tries.length} tries`);
