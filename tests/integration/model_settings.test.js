// What is set for models and binds everybody who calls them: rates that models and callers share, the most a request may
// have, and what a call is charged beside what its provider asks.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { journal, usd } from './journal.js';
import { KEY, makeHome, run, sleep, startMock, startServe, until, user } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
let mock, serve;

const config = () => ({
  providers: {
    up: {
      type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-1',
      models: {
        'qwen-small': { price: { in: 1, out: 2 }, contextWindow: 100000, maxOutput: 4000 },
        'qwen-large': { price: { in: 3, out: 7 } },
        other: { price: { in: 1, out: 2 } },
        unpriced: {},
      },
    },
    spare: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-2', models: { 'spare-qwen': {} } },
    local: { type: 'ollama', baseURL: mock.url, models: { llama: {} } },
  },
  aliases: { fast: 'up/other' },
});

async function admin(method, path, body) {
  const reply = await fetch(`${serve.url}/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : undefined };
}
async function ok(method, path, body) {
  const reply = await admin(method, path, body);
  assert.ok(reply.status >= 200 && reply.status < 300, `${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}
const set = (row) => ok('POST', '/model-config', row);
const drop = (row) => ok('DELETE', `/model-config/${row.id}`);

const post = (path, body, token = KEY) => fetch(serve.url + path, {
  method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
});
const chat = (model, token = KEY, more = {}, text = '[[mock:echo]] hi') =>
  post('/v1/chat/completions', { model, messages: user(text), ...more }, token);
const listed = async () =>
  (await (await fetch(`${serve.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })).json()).data;
const early = async () => { while (new Date().getSeconds() > 45) await sleep(500); };

before(async () => {
  mock = await startMock();
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '2' } });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

test('what is set is shown, changed, and refused with its member', async () => {
  const row = await set({ model_prefix: 'shown', requests_per_minute: 5, tokens_per_minute: 4000000000, max_context_length: '8K', cost_multiplier: '1.25' });
  const said = ({ requests_per_minute, tokens_per_minute, max_context_length, cost_multiplier }) =>
    ({ requests_per_minute, tokens_per_minute, max_context_length, cost_multiplier });
  const first = { requests_per_minute: 5, tokens_per_minute: 4000000000, max_context_length: 8192, cost_multiplier: 1.25 };
  assert.deepEqual(said(row), first);
  const plain = { requests_per_minute: null, tokens_per_minute: null, max_context_length: null, cost_multiplier: 1 };
  assert.deepEqual(said(await ok('PUT', `/model-config/${row.id}`, { requests_per_minute: null, tokens_per_minute: null, max_context_length: null, cost_multiplier: null })), plain);
  const { logs } = await ok('GET', '/audit-logs?limit=5&entity_type=model_config');
  assert.deepEqual([said(logs[0].details.before), said(logs[0].details.after)], [first, plain]);
  for (const [member, value] of [['requests_per_minute', 0], ['requests_per_minute', 1.5], ['tokens_per_minute', -1], ['max_context_length', 0],
    ['cost_multiplier', 0], ['cost_multiplier', 1000.1], ['cost_multiplier', -1], ['cost_multiplier', 1e-10], ['cost_multiplier', true]]) {
    const reply = await admin('PUT', `/model-config/${row.id}`, { [member]: value });
    assert.equal(reply.status, 422, `${member}: ${value}`);
    assert.equal(reply.body.error.param, member);
  }
  const crossed = await admin('PUT', `/model-config/${row.id}`, { default_context_length: 9000, max_context_length: 8000 });
  assert.equal(crossed.status, 422);
  assert.equal(crossed.body.error.param, 'default_context_length');
  assert.deepEqual(said(await ok('GET', `/model-config/${row.id}`)), plain);
  await drop(row);
});

test('rates are the row\'s: shared by its models and all callers, and another candidate is asked instead', async () => {
  await early();
  const { token } = await ok('POST', '/users', { username: 'ann', has_all_models: true });
  const row = await set({ model_prefix: 'qwen', requests_per_minute: 3 });
  assert.equal((await chat('up/qwen-small')).status, 200);
  assert.equal((await chat('up/qwen-large', token)).status, 200);
  const last = await chat('up/qwen-small', token);
  assert.equal(last.status, 200);
  assert.equal(last.headers.get('x-ratelimit-limit-requests'), '3');
  assert.equal(last.headers.get('x-ratelimit-remaining-requests'), '0');
  for (const [path, body, place] of [
    ['/v1/chat/completions', { model: 'up/qwen-large', messages: user('hi') }, (b) => b.error.message],
    ['/v1/messages', { model: 'up/qwen-small', max_tokens: 9, messages: user('hi') }, (b) => b.error.message],
    ['/v1beta/models/up%2Fqwen-small:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }, (b) => b.error.message],
    ['/api/chat', { model: 'up/qwen-small', messages: user('hi') }, (b) => b.error],
  ]) {
    const refused = await post(path, body);
    assert.equal(refused.status, 429, path);
    assert.ok(Number(refused.headers.get('retry-after')) > 0, path);
    assert.match(place(await refused.json()), /this model's limit of 3 requests a minute is reached/, path);
  }
  assert.equal((await chat('up/other')).status, 200, 'no model of the row');
  const group = await ok('POST', '/model-groups', { name: 'either', strategy: 'priority' });
  await ok('POST', '/model-groups/either/members', { model_display_name: 'up/qwen-small', priority: 1 });
  await ok('POST', '/model-groups/either/members', { model_display_name: 'spare/spare-qwen', priority: 2 });
  assert.equal((await chat('either')).headers.get('x-maestro-model'), 'spare/spare-qwen');
  await ok('DELETE', `/model-groups/${group.name}`);
  const health = await (await fetch(`${serve.url}/healthz`, { headers: { authorization: `Bearer ${KEY}` } })).json();
  assert.equal(health.limits.find((l) => l.name === 'model_config qwen').requests_per_minute, 3);
  await ok('PUT', `/model-config/${row.id}`, { requests_per_minute: 4 });
  assert.equal((await chat('up/qwen-small')).status, 200, 'what was counted stays');
  assert.equal((await chat('up/qwen-small')).status, 429);
  const exact = await set({ model_prefix: 'qwen-large', is_exact_match: true });
  assert.equal((await chat('up/qwen-large')).status, 200, 'the longer row governs it alone, and has no rates');
  await drop(exact);
  await drop(row);
  const again = await set({ model_prefix: 'qwen', requests_per_minute: 1 });
  assert.equal((await chat('up/qwen-small')).status, 200, 'a row that is made again has counted nothing');
  await drop(again);
  const tokens = await set({ model_prefix: 'qwen', tokens_per_minute: 60 });
  assert.equal((await chat('up/qwen-small', KEY, { max_tokens: 20 }, '[[mock:echo]] some words to be told again and again, and once more')).status, 200);
  const full = await chat('up/qwen-large', KEY, { max_tokens: 20 });
  assert.equal(full.status, 429);
  assert.match((await full.json()).error.message, /this model's limit of 60 tokens a minute/);
  const never = await chat('up/qwen-large', KEY, { max_tokens: 2000 });
  assert.match((await never.json()).error.message, /this call alone needs more than this model's limit/);
  assert.equal(never.headers.get('retry-after'), null);
  await drop(tokens);
});

test('the most that a request may have, in each vendor\'s words; lists show no more', async () => {
  const long = 'word '.repeat(3000);
  const row = await set({ model_prefix: 'qwen-small', max_context_length: 1000 });
  const llama = await set({ model_prefix: 'llama', max_context_length: '1K' });
  const name = await set({ model_prefix: 'fast', max_context_length: 1500 });
  const models = await listed();
  const shown = (id) => models.find((m) => m.id === id);
  assert.deepEqual([shown('up/qwen-small').max_context_window_tokens, shown('up/qwen-small').max_model_len], [1000, 1000]);
  assert.equal(shown('local/llama').max_model_len, 1024, 'where nothing else is known');
  assert.equal(shown('fast').max_model_len, 1500, 'by the name that is asked for');
  assert.notEqual(shown('up/other').max_model_len, 1500);
  for (const [path, body, words, place] of [
    ['/v1/chat/completions', { model: 'up/qwen-small', messages: user(long) }, /^This model's maximum context length is 1000 tokens. However, your messages resulted in \d+ tokens/, (b) => b.error.message],
    ['/v1/messages', { model: 'up/qwen-small', max_tokens: 9, messages: user(long) }, /^prompt is too long: \d+ tokens > 1000 maximum/, (b) => b.error.message],
    ['/v1beta/models/up%2Fqwen-small:generateContent', { contents: [{ role: 'user', parts: [{ text: long }] }] }, /exceeds the maximum number of tokens allowed \(1000\)/, (b) => b.error.message],
    ['/api/chat', { model: 'local/llama', messages: user(long) }, /exceeds the context length \(1024\)/, (b) => b.error],
    ['/v1/chat/completions', { model: 'fast', messages: user(long) }, /maximum context length is 1500 tokens/, (b) => b.error.message],
  ]) {
    await mock.reset();
    const refused = await post(path, body);
    assert.equal(refused.status, 400, path);
    assert.match(place(await refused.json()), words, path);
    assert.equal((await mock.requests()).requests.length, 0, 'it was not sent');
  }
  assert.equal((await chat('up/other', KEY, {}, `[[mock:echo]] ${long}`)).status, 200, 'by its own name it is not bound');
  assert.equal((await chat('up/qwen-small')).status, 200);
  await chat('local/llama');
  const bare = JSON.parse((await mock.requests()).requests.at(-1).body);
  assert.equal(bare.options?.num_ctx, undefined, 'a most is no default');
  await ok('POST', '/model-mappings', { display_name: 'roomy', real_name: 'local/llama', context_length: '1M' });
  await chat('roomy');
  assert.equal(JSON.parse((await mock.requests()).requests.at(-1).body).options.num_ctx, 1024, 'and bounds what is said of others');
  await ok('DELETE', '/model-mappings/roomy');
  for (const r of [row, llama, name]) await drop(r);
});

test('a charge is so many times the price: reserved, billed, told and logged alike', async () => {
  const row = await set({ model_prefix: 'qwen-large', cost_multiplier: 1.5 });
  const { token } = await ok('POST', '/users', { username: 'bea', has_all_models: true });
  const cost = (u, factor) => Math.round((u.input * 3 + u.output * 7) * 1000 * factor); // nano-USD
  for (const stream of [false, true]) {
    const reply = await chat('up/qwen-large', token, { maestro: {}, stream, ...(stream && { stream_options: { include_usage: true } }) });
    const text = await reply.text();
    assert.equal(reply.status, 200, text);
    const receipt = JSON.parse(/"maestro":(\{"trace_id".*?"overhead_us":\d+\})/.exec(text)[1]);
    const [turn] = receipt.route;
    if (!stream) assert.deepEqual([turn.usage.input, turn.usage.output], [JSON.parse(text).usage.prompt_tokens, JSON.parse(text).usage.completion_tokens]);
    assert.equal(Math.round(receipt.cost_usd * 1e9), cost(turn.usage, 1.5));
    assert.equal(turn.cost_usd, receipt.cost_usd, 'the turns add up to the whole');
    assert.equal(Math.round(Object.values(turn.cost).reduce((a, b) => a + b) * 1e9), cost(turn.usage, 1.5));
    assert.equal(turn.cost_multiplier, 1.5);
    if (!stream) assert.equal(Number(reply.headers.get('x-maestro-cost-usd')), receipt.cost_usd);
    const [booked] = journal(serve.home).rows.filter((r) => r.trace === receipt.trace_id);
    assert.equal(usd(booked.amount), receipt.cost_usd);
    assert.ok(booked.amount <= booked.reserved);
    await until('its row in the log', async () => {
      const { logs } = await ok('GET', '/dashboard/requests-log?limit=20');
      return logs.find((l) => l.trace_id === receipt.trace_id)?.cost_usd === receipt.cost_usd;
    });
  }
  // A budget that the plain price would fit into, and that so many times does not.
  const ask = { max_tokens: 100 };
  await ok('POST', '/users/bea/limits', { budget_usd: 1 });
  assert.equal((await chat('up/qwen-large', token, ask)).status, 200);
  const bytes = Buffer.byteLength(JSON.stringify({ model: 'up/qwen-large', messages: user('[[mock:echo]] hi'), ...ask }));
  const plain = ((bytes + 512) * 3 + 100 * 7) / 1e6;
  const { balances: [{ spent_usd: spent }] } = await ok('GET', '/users/bea/balance');
  await ok('POST', '/users/bea/limits', { budget_usd: (spent + plain * 1.2).toFixed(9) });
  const refused = await chat('up/qwen-large', token, ask);
  assert.equal(refused.status, 402);
  await ok('PUT', `/model-config/${row.id}`, { cost_multiplier: 1 });
  const back = await chat('up/qwen-large', token, { ...ask, maestro: {} });
  assert.equal(back.status, 200);
  assert.equal((await back.json()).maestro.route[0].cost_multiplier, undefined);
  await ok('PUT', `/model-config/${row.id}`, { model_prefix: 'unpriced', cost_multiplier: 3 });
  const unknown = await (await chat('up/unpriced', KEY, { maestro: {} })).json();
  assert.deepEqual([unknown.maestro.cost_usd, unknown.maestro.route[0].cost_usd], [null, null], 'an unknown price stays unknown');
  await drop(row);
});

test('the most that a request may have counts what is no text, what is odd and what cannot be read', async () => {
  const long = 'word '.repeat(3000), ids = Array(3000).fill(1234);
  const rows = [await set({ model_prefix: 'qwen-small', max_context_length: 1000 }), await set({ model_prefix: 'llama', max_context_length: 1000 })];
  const small = { model: 'up/qwen-small' }, llama = { model: 'local/llama' };
  for (const [path, body] of [
    ['/v1/chat/completions', { ...small, messages: user(long), temperature: '0.5' }],
    ['/v1/chat/completions', { ...small, messages: [{ role: 'odd', content: long }] }],
    ['/v1/completions', { ...small, prompt: ids }],
    ['/v1/completions', { ...small, prompt: ['short', long] }],
    ['/v1/completions', { ...small, prompt: 'short', suffix: long }],
    ['/api/generate', { ...llama, prompt: 'short', suffix: long }],
    ['/api/generate', { ...llama, prompt: 'short', context: ids }],
    ['/api/generate', { ...llama, prompt: 'short', template: long }],
  ]) {
    const reply = await post(path, body), text = await reply.text();
    assert.equal(reply.status, 400, JSON.stringify(body).slice(0, 80));
    assert.match(text, /context length/, JSON.stringify(body).slice(0, 80));
  }
  assert.equal((await post('/v1/chat/completions', { ...small, messages: user('short'), temperature: '0.5' })).status, 200, 'its provider may read it');
  for (const row of rows) await drop(row);
});

test('settings outlive the server by an export', async () => {
  const row = await set({ model_prefix: 'kept', requests_per_minute: 7, cost_multiplier: '0.000000001', max_context_length: 77 });
  const file = join(serve.home, 'names.jsonl'), other = makeHome();
  assert.equal((await run(['store', 'export', file], { home: serve.home })).code, 0);
  const imported = await run(['store', 'import', file], { home: other });
  assert.equal(imported.code, 0, imported.stderr);
  const first = serve;
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '1' }, home: other });
  try {
    const back = await ok('GET', '/model-config/kept');
    assert.deepEqual([back.requests_per_minute, back.tokens_per_minute, back.cost_multiplier, back.max_context_length], [7, null, 1e-9, 77]);
  } finally {
    await serve.stop();
    serve = first;
  }
  await drop(row);
});
