// The model "test": a fixed answer without a provider, which every SDK must find whole and streamed. No provider is
// configured that answers; one whose model has the same name must not be asked.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { KEY, configFor, startMock, startServe, user } from './harness.js';
import { aiOpenaiClients, aiVendorClients } from './sdk/clients_ai.js';
import { anthropicClients } from './sdk/clients_anthropic.js';
import { googleClients } from './sdk/clients_google.js';
import { langchainClients } from './sdk/clients_langchain.js';
import { ollamaClients } from './sdk/clients_ollama.js';
import { openaiClients } from './sdk/clients_openai.js';

const TEXT = /^Maestro is up/;
let mock, serve;

before(async () => {
  mock = await startMock();
  serve = await startServe({ config: configFor(mock, {}, ['test', 'other']) });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

const clients = [...openaiClients, ...anthropicClients, ...googleClients, ...ollamaClients, ...aiOpenaiClients, ...aiVendorClients, ...langchainClients];
for (const client of clients)
  for (const stream of [false, true])
    test(`${client.id}${stream ? ', streamed' : ''}`, async () => {
      const r = await client.ask({ url: serve.url, key: KEY }, { model: 'test', stream, turns: [{ user: 'hello' }] });
      assert.match(r.text, TEXT);
      assert.equal(r.stop, 'stop');
      assert.equal(r.calls.length, 0);
      // LangChain adds up what Anthropic tells cumulatively.
      if (!(stream && client.id === 'langchain-anthropic')) assert.deepEqual([r.usage.in, r.usage.out], [10, 10]);
    });

const whole = [
  ['/v1/chat/completions', { messages: user('hi') }, (r) => [r.choices[0].message.content, r.choices[0].finish_reason, r.usage.total_tokens], ['stop', 20]],
  ['/v1/completions', { prompt: 'hi' }, (r) => [r.choices[0].text, r.choices[0].finish_reason, r.usage.total_tokens], ['stop', 20]],
  ['/v1/responses', { input: 'hi' }, (r) => [r.output[0].content[0].text, r.status, r.usage.total_tokens], ['completed', 20]],
  ['/v1/messages', { max_tokens: 10, messages: user('hi') }, (r) => [r.content[0].text, r.stop_reason, r.usage.input_tokens + r.usage.output_tokens], ['end_turn', 20]],
  ['/v1beta/models/test:generateContent', { contents: [{ parts: [{ text: 'hi' }] }] },
    (r) => [r.candidates[0].content.parts[0].text, r.candidates[0].finishReason, r.usageMetadata.totalTokenCount], ['STOP', 20]],
  ['/api/chat', { stream: false, messages: user('hi') }, (r) => [r.message.content, r.done_reason, r.prompt_eval_count + r.eval_count], ['stop', 20]],
  ['/api/generate', { stream: false, prompt: 'hi' }, (r) => [r.response, r.done_reason, r.prompt_eval_count + r.eval_count], ['stop', 20]],
];
for (const [path, body, look, ends] of whole)
  test(`${path}, with a receipt that has cost nothing`, async () => {
    const r = await serve.post(path, { ...(path.includes('v1beta') ? {} : { model: 'test' }), ...body }, { 'x-maestro-receipt': '1' });
    assert.equal(r.status, 200);
    assert.deepEqual([r.headers.get('x-maestro-model'), r.headers.get('x-maestro-mode'), r.headers.get('x-maestro-cost-usd')], ['test', 'passthrough', '0']);
    const json = await r.json();
    const [text, ...rest] = look(json);
    assert.match(text, TEXT);
    assert.deepEqual(rest, ends);
    const { maestro } = json;
    assert.deepEqual([maestro.mode, maestro.cost_usd, maestro.route[0].model, maestro.route[0].provider, maestro.route[0].attempts, maestro.estimated],
      ['passthrough', 0, 'test', 'maestro', 0, false]);
    assert.deepEqual(maestro.usage_by_model, { test: { in: 10, out: 10 } });
  });

test('a response that goes on with another says so', async () => {
  const ask = async (more) => (await serve.post('/v1/responses', { model: 'test', input: 'hi', ...more })).json();
  const first = await ask({});
  assert.equal(first.previous_response_id, null);
  const next = await ask({ previous_response_id: first.id });
  assert.equal(next.previous_response_id, first.id);
  const kept = await (await fetch(`${serve.url}/v1/responses/${next.id}`, { headers: { authorization: `Bearer ${KEY}` } })).json();
  assert.equal(kept.previous_response_id, first.id);
  const stream = await (await serve.post('/v1/responses', { model: 'test', input: 'hi', previous_response_id: next.id, stream: true })).text();
  assert.equal(stream.split(`"previous_response_id":"${next.id}"`).length - 1, 3); // created, in_progress, completed
});

test('a stream of Gemini that is a JSON array', async () => {
  const r = await serve.post('/v1beta/models/test:streamGenerateContent', { contents: [{ parts: [{ text: 'hi' }] }] });
  const chunks = await r.json();
  assert.match(chunks.flatMap((c) => c.candidates[0].content.parts).map((p) => p.text).join(''), TEXT);
  assert.equal(chunks.at(-1).candidates[0].finishReason, 'STOP');
});

test('as many choices as are asked for', async () => {
  const r = await (await serve.post('/v1/chat/completions', { model: 'test', n: 3, messages: user('hi') })).json();
  assert.deepEqual(r.choices.map((c) => [c.index, TEXT.test(c.message.content)]), [[0, true], [1, true], [2, true]]);
});

test('counts are estimated', async () => {
  const text = 'x'.repeat(400);
  for (const [path, body, look] of [
    ['/v1/messages/count_tokens', { model: 'test', messages: user(text) }, (r) => r.input_tokens],
    ['/v1beta/models/test:countTokens', { contents: [{ parts: [{ text }] }] }, (r) => r.totalTokens],
  ]) {
    const r = await serve.post(path, body);
    assert.equal(r.status, 200, path);
    assert.equal(r.headers.get('x-maestro-estimated'), '1');
    const n = look(await r.json());
    assert.ok(n > 20 && n < 400, `${n}`);
  }
});

test('what is no request is refused as ever', async () => {
  const r = await serve.post('/v1/chat/completions', { model: 'test', messages: 7 });
  assert.equal(r.status, 400);
  assert.equal((await r.json()).error.param, 'messages');
});

test('vectors it has none', async () => {
  const r = await serve.post('/v1/embeddings', { model: 'test', input: 'x' });
  assert.equal(r.status, 400);
  assert.match((await r.json()).error.message, /text, not .*vectors/);
});

test('it stands in no list, and a provider is asked for its own by full name only', async () => {
  const headers = { authorization: `Bearer ${KEY}` };
  const list = await (await fetch(`${serve.url}/v1/models`, { headers })).json();
  const ids = list.data.map((m) => m.id);
  assert.ok(ids.includes('up/test') && !ids.includes('test'), ids.join(' '));
  await mock.reset();
  const own = await (await serve.post('/v1/chat/completions', { model: 'up/test', messages: user('hello there') })).json();
  assert.doesNotMatch(own.choices[0].message.content, TEXT);
  const mine = await (await serve.post('/v1/chat/completions', { model: 'test', messages: user('hello there') })).json();
  assert.match(mine.choices[0].message.content, TEXT);
  assert.equal((await mock.requests()).requests.length, 1);
});

test('it answers where nothing is configured', async () => {
  const bare = await startServe({ config: { providers: {} } });
  const r = await bare.post('/v1/chat/completions', { model: 'test', messages: user('hi') });
  assert.match((await r.json()).choices[0].message.content, TEXT);
  await bare.stop();
});
