// What answers carry beside their content, where one API is answered by another: receipts, costs, what was left out; and
// Bedrock's frames through the gateway.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startMock, startServe, user } from './harness.js';

const weather = { name: 'f', input_schema: { type: 'object', properties: { a: { type: 'string' } } } };

test('receipts, costs and names of what was left out', async () => {
  const mock = await startMock();
  const serve = await startServe({ config: { providers: {
    ant: { type: 'anthropic', baseURL: mock.url, apiKey: 'k', models: { m: {} } },
    oai: { type: 'openai', baseURL: `${mock.url}/v1`, apiKey: 'k', models: { e: { price: { in: 1, out: 2 } } } },
    bed: { type: 'bedrock', baseURL: mock.url, apiKey: 'k', models: { b: {} } },
  } } });
  const count = await serve.post('/v1/messages/count_tokens', { model: 'ant/m', messages: user('hi') }, { 'x-maestro-receipt': '1' });
  assert.deepEqual(Object.keys(await count.json()), ['input_tokens'], 'the body of a count stays exact');

  const vectors = await serve.post('/v1/embeddings', { model: 'oai/e', input: 'hello' });
  assert.equal(vectors.status, 200);
  assert.match(vectors.headers.get('x-maestro-cost-usd') ?? 'none', /^0\.0*[1-9]/, 'vectors cost their input');

  const refused = await serve.post('/v1/chat/completions', { model: 'ant/m', messages: user('hi'), user: 'u', logit_bias: { 1: 1 } });
  assert.equal(refused.status, 400);
  assert.equal((await refused.json()).error.param, 'logit_bias');
  assert.equal(refused.headers.get('x-maestro-dropped'), null, 'nothing was sent, so nothing was left out');

  const body = { model: 'bed/b', max_tokens: 50, stream: true, tools: [weather] };
  const called = await (await serve.post('/v1/messages', { ...body, messages: user('[[mock:tool]] hi') })).text();
  assert.match(called, /"type":"tool_use"/);
  assert.match(called, /event: message_stop/);
  const cut = await (await serve.post('/v1/messages', { ...body, messages: user('[[mock:stream-cut]] hi') })).text();
  assert.match(cut, /event: error/);
  assert.doesNotMatch(cut, /message_stop/);
  await serve.stop();
  await mock.stop();
});
