// SPDX-License-Identifier: Apache-2.0
// otlp_receiver.js DIRECTORY: a collector and a service, both of OpenTelemetry's own packages, on ports of their own, which it prints.
// The collector takes OTLP/JSON by the protocol's own descriptors and refuses whatever they do not know; the first request of each run
// is told to come back in a second. The service reads the W3C context with OpenTelemetry's propagator. What both have seen is in
// DIRECTORY/spans.ndjson, DIRECTORY/contexts.ndjson and DIRECTORY/faults.txt.
'use strict';
const assert = require('assert');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { ROOT_CONTEXT, defaultTextMapGetter, trace } = require('@opentelemetry/api');
const { W3CTraceContextPropagator } = require('@opentelemetry/core');
const { ExportTraceServiceRequest } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry.proto.collector.trace.v1;

const directory = process.argv[2];
const append = (file, line) => fs.appendFileSync(path.join(directory, file), line + '\n');

// OTLP/JSON has ids in hexadecimal, where proto3's own JSON has base64.
function idsAsOctets(span) {
  const out = { ...span };
  for (const [key, digits] of [['traceId', 32], ['spanId', 16], ['parentSpanId', 16]]) {
    if (!(key in span)) continue;
    assert.match(span[key], new RegExp(`^[0-9a-f]{${digits}}$`), `${key}: ${span[key]}`);
    assert.doesNotMatch(span[key], /^0+$/, key);
    out[key] = Buffer.from(span[key], 'hex').toString('base64');
  }
  return out;
}

function readStrictly(text) {
  const json = JSON.parse(text);
  for (const resource of json.resourceSpans) for (const scope of resource.scopeSpans) scope.spans = scope.spans.map(idsAsOctets);
  const message = ExportTraceServiceRequest.fromObject(json);
  const problem = ExportTraceServiceRequest.verify(message);
  assert.strictEqual(problem, null, problem);
  const again = ExportTraceServiceRequest.decode(ExportTraceServiceRequest.encode(message).finish());
  // What the protocol does not know has been lost on the way.
  assert.deepStrictEqual(JSON.parse(JSON.stringify(ExportTraceServiceRequest.toObject(again, { longs: String, bytes: String }))), json);
  return json.resourceSpans;
}

let requests = 0;
const collector = http.createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const answer = (status, headers, text) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(text);
    try {
      assert.strictEqual(request.method + ' ' + request.url, 'POST /v1/traces');
      assert.strictEqual(request.headers['content-type'], 'application/json');
      assert.strictEqual(request.headers['x-token'], 'collector');
      const resources = readStrictly(Buffer.concat(pieces).toString('utf8'));
      if (++requests === 1) return answer(503, { 'Retry-After': '1' }, '{}');
      for (const resource of resources) {
        const service = resource.resource.attributes.find((a) => a.key === 'service.name').value.stringValue;
        for (const scope of resource.scopeSpans) for (const span of scope.spans) append('spans.ndjson', JSON.stringify({ service, ...span }));
      }
      answer(200, {}, '{"partialSuccess":{}}');
    } catch (error) {
      append('faults.txt', String(error.message));
      answer(400, {}, '{}');
    }
  });
});

const propagator = new W3CTraceContextPropagator();
const service = http.createServer((request, response) => {
  const context = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter));
  if (!context) append('faults.txt', `no context in ${JSON.stringify(request.headers)}`);
  else append('contexts.ndjson', JSON.stringify({ url: request.url, traceId: context.traceId, spanId: context.spanId, sampled: (context.traceFlags & 1) === 1, state: context.traceState?.serialize() ?? '' }));
  setTimeout(() => response.writeHead(request.url.startsWith('/fail') ? 502 : 200, { 'Content-Type': 'application/json' }).end('{}'), 5);
});

collector.listen(0, '127.0.0.1', () => service.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, collector: collector.address().port, service: service.address().port }))));
process.on('SIGTERM', () => process.exit(0));
