// Tokens: counts that are made here, and prompts that do not fit, as clients of each API see them.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startMock, startServe, user } from './harness.js';

test('counts of models that nobody else counts', async () => {
  const mock = await startMock();
  const serve = await startServe({ config: { providers: {
    oai: { type: 'openai', baseURL: `${mock.url}/v1`, apiKey: 'k', models: { 'gpt-4o': {} } },
  } } });
  const count = async (text) => {
    const reply = await serve.post('/v1/messages/count_tokens', { model: 'oai/gpt-4o', messages: user(text) });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('x-maestro-estimated'), '1');
    const body = await reply.json();
    assert.deepEqual(Object.keys(body), ['input_tokens']);
    return body.input_tokens;
  };
  // " word" is one token of o200k_base; the frame is the same for both.
  assert.equal((await count(' word'.repeat(1000))) - (await count(' word')), 999);
  // Beyond what is counted on the loop, many at once.
  const counts = await Promise.all(Array.from({ length: 12 }, () => count(' word'.repeat(100000))));
  assert.deepEqual(counts, counts.map(() => counts[0]));
  assert.equal(counts[0] - (await count(' word')), 99999);

  const gemini = await serve.post('/v1beta/models/oai%2Fgpt-4o:countTokens', { contents: [{ role: 'user', parts: [{ text: ' word'.repeat(50) }] }] });
  assert.equal(gemini.status, 200);
  const { totalTokens } = await gemini.json();
  assert.ok(totalTokens >= 50 && totalTokens < 62, `${totalTokens}`);
  await serve.stop();
  await mock.stop();
});

test('prompts beyond the context are refused in the words of each API, or go where there is room', async () => {
  const mock = await startMock();
  const config = (extra = {}) => ({ ...extra, providers: {
    small: { type: 'anthropic', baseURL: mock.url, apiKey: 'k', models: { m: { contextWindow: 2000 }, only: { contextWindow: 2000 } } },
    large: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'k', models: { m: { contextWindow: 100000 } } },
  } });
  const serve = await startServe({ config: config() });
  const long = ' word'.repeat(20000);
  const anthropic = await serve.post('/v1/messages', { model: 'small/only', max_tokens: 10, messages: user(long) });
  assert.equal(anthropic.status, 400);
  const { error } = await anthropic.json();
  assert.equal(error.type, 'invalid_request_error');
  assert.match(error.message, /^prompt is too long: 2\d{4} tokens > 2000 maximum$/);

  const openai = await serve.post('/v1/chat/completions', { model: 'small/only', messages: user(long) });
  assert.equal(openai.status, 400);
  assert.equal((await openai.json()).error.code, 'context_length_exceeded');

  const gemini = await serve.post('/v1beta/models/small%2Fonly:generateContent', { contents: [{ role: 'user', parts: [{ text: long }] }] });
  assert.equal(gemini.status, 400);
  const told = (await gemini.json()).error;
  assert.equal(told.status, 'INVALID_ARGUMENT');
  assert.match(told.message, /^The input token count \(\d+\) exceeds the maximum number of tokens allowed \(2000\)\.$/);
  const sentAnywhere = (await mock.requests()).requests.filter((r) => !r.path.includes('/models'));
  assert.deepEqual(sentAnywhere, [], 'nothing was sent');

  const elsewhere = await serve.post('/v1/chat/completions', { model: 'm', messages: user(long) });
  assert.equal(elsewhere.status, 200);
  assert.equal(elsewhere.headers.get('x-maestro-model'), 'large/m');
  const fits = await serve.post('/v1/messages', { model: 'small/only', max_tokens: 10, messages: user('hi') });
  assert.equal(fits.status, 200);
  await serve.stop();

  const off = await startServe({ config: config({ routing: { contextCheck: 'off' } }) });
  const sent = await off.post('/v1/messages', { model: 'small/only', max_tokens: 10, messages: user(long) });
  assert.equal(sent.status, 200);
  await off.stop();
  await mock.stop();
});

// [caller's path, body, the receipt of its whole answer, of its stream's text]
const lastOf = (pick) => (text) => text.split('\n').filter((l) => l.includes('"maestro"')).map((l) => pick(JSON.parse(l.replace(/^data: /, '')))).at(-1);
const callers = {
  openai: ['/v1/chat/completions', (model, stream) => ({ model, stream, messages: user('[[mock:no-usage]] hi'), maestro: {} })],
  anthropic: ['/v1/messages', (model, stream) => ({ model, stream, max_tokens: 100, messages: user('[[mock:no-usage]] hi'), maestro: {} })],
  ollama: ['/api/chat', (model, stream) => ({ model, stream, messages: user('[[mock:no-usage]] hi'), maestro: {} })],
};

test('what an upstream does not report is counted here and marked', async () => {
  const mock = await startMock();
  const models = { 'gpt-4o': { price: { in: 1, out: 10 } }, free: {} };
  const serve = await startServe({ config: { providers: {
    compat: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'k', models },
    claude: { type: 'anthropic', baseURL: mock.url, apiKey: 'k', models },
    local: { type: 'ollama', baseURL: mock.url, models },
  } } });
  for (const [name, [path, body]] of Object.entries(callers))
    for (const provider of ['compat', 'claude', 'local'])
      for (const stream of [false, true]) {
        const reply = await serve.post(path, body(`${provider}/gpt-4o`, stream));
        assert.equal(reply.status, 200);
        const text = await reply.text();
        const receipt = stream ? lastOf((x) => x.maestro)(text) : JSON.parse(text).maestro;
        const where = `${name} -> ${provider}, stream ${stream}: ${text}`;
        assert.ok(receipt, where);
        assert.equal(receipt.estimated, true, where);
        const { in: input, out: output } = receipt.usage_by_model[`${provider}/gpt-4o`];
        assert.ok(input >= 10 && input <= 40, where);
        assert.ok(output >= 3 && output <= 40, where);
        assert.ok(receipt.cost_usd > 0, where);
        // Anthropic's API has no answer without numbers of tokens; by them its clients know when to shorten.
        if (name !== 'anthropic' || provider === 'claude') continue;
        const last = stream ? lastOf((x) => x.usage)(text) : JSON.parse(text).usage;
        assert.deepEqual([last.input_tokens, last.output_tokens], [input, output], where);
      }
  const unpriced = await (await serve.post(...[callers.openai[0], callers.openai[1]('compat/free', false)])).json();
  assert.equal(unpriced.maestro.cost_usd, null);
  assert.equal(unpriced.maestro.estimated, true);
  await serve.stop();
  await mock.stop();
});
