// `maestro mock` speaks Anthropic Messages: checked by the vendor's own SDK, without the gateway between them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { startMock, user } from './harness.js';

let mock, client;

before(async () => {
  mock = await startMock();
  client = new Anthropic({ apiKey: 'sk-ant-any', baseURL: mock.url, maxRetries: 0 });
});
after(async () => { await mock?.stop(); });

const weather = {
  name: 'get_weather',
  description: 'Weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const params = (text, extra = {}) => ({ model: 'claude-mock', max_tokens: 4096, messages: user(text), ...extra });
const ask = (text, extra) => client.messages.create(params(text, extra));
const streamed = (text, extra) => client.messages.stream(params(text, extra));
const refused = async (promise, status, type, message) => {
  const e = await promise.then(() => assert.fail('no error'), (x) => x);
  assert.equal(e.status, status, e.message);
  assert.equal(e.error.error.type, type);
  assert.match(e.error.error.message, message);
  assert.equal(e.requestID, e.error.request_id);
  return e;
};

test('an answer with usage and ids', async () => {
  const { data, response } = await ask('[[mock:echo]] hello').withResponse();
  assert.equal(data.type, 'message');
  assert.equal(data.role, 'assistant');
  assert.match(data.id, /^msg_01[A-Za-z0-9]{22}$/);
  assert.equal(data.model, 'claude-mock');
  assert.deepEqual(data.content, [{ type: 'text', text: '[[mock:echo]] hello' }]);
  assert.equal(data.stop_reason, 'end_turn');
  assert.equal(data.stop_sequence, null);
  assert.deepEqual([data.usage.input_tokens, data.usage.output_tokens], [5, 5]);
  assert.match(response.headers.get('request-id'), /^req_/);
});

test('a stream: named events in the documented order', async () => {
  const events = [];
  const stream = await client.messages.create({ ...params('hi'), stream: true });
  for await (const e of stream) events.push(e);
  const names = events.map((e) => e.type).filter((t, i, all) => t !== all[i - 1]);
  assert.deepEqual(names, ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop',
    'message_delta', 'message_stop']);
  assert.equal(events[0].message.usage.input_tokens, 1);
  assert.ok(events.at(-2).usage.output_tokens > 1);
  const raw = await (await fetch(`${mock.url}/v1/messages`, { method: 'POST', body: JSON.stringify(params('hi', { stream: true })) })).text();
  assert.match(raw, /event: ping\ndata: \{"type":"ping"\}\n\n/);
});

test('a stream adds up to the whole answer', async () => {
  for (const name of ['echo', 'unicode', 'tool', 'tool-parallel', 'thinking', 'thinking+tool', 'thinking-redacted',
    'server-tool', 'citations', 'server-tool+citations', 'empty', 'refusal', 'length', 'stop-sequence', 'pause-turn', 'usage-cache']) {
    const extra = { tools: [weather], stop_sequences: ['###'] };
    const whole = await ask(`[[mock:${name}]] x`, extra);
    const last = await streamed(`[[mock:${name}]] x`, extra).finalMessage();
    const plain = (m) => JSON.parse(JSON.stringify(m.content, (k, v) => (k === 'id' || k === 'tool_use_id' ? '-' : v)));
    assert.deepEqual(plain(last), plain(whole), name);
    assert.equal(last.stop_reason, whole.stop_reason, name);
    assert.equal(last.usage.output_tokens, whole.usage.output_tokens, name);
    assert.equal(last.usage.cache_read_input_tokens, whole.usage.cache_read_input_tokens, name);
  }
});

test('stop reasons', async () => {
  const reasons = { length: 'max_tokens', refusal: 'refusal', 'pause-turn': 'pause_turn', tool: 'tool_use', 'stop-sequence': 'stop_sequence' };
  for (const [name, reason] of Object.entries(reasons)) {
    const data = await ask(`[[mock:${name}]]`, { tools: [weather], stop_sequences: ['###'] });
    assert.equal(data.stop_reason, reason);
    assert.equal(data.stop_sequence, reason === 'stop_sequence' ? '###' : null);
  }
});

test('tools: a call, its result, parallel calls with ids of their own', async () => {
  const tools = [weather, { ...weather, name: 'get_time' }];
  const first = await streamed('[[mock:tool]] weather', { tools }).finalMessage();
  const call = first.content[0];
  assert.match(call.id, /^toolu_01[A-Za-z0-9]{22}$/);
  assert.deepEqual([call.name, call.input], ['get_weather', { city: 'mock' }]);
  const messages = [...user('[[mock:tool]] weather'), { role: 'assistant', content: first.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: [{ type: 'text', text: '12 degrees' }] }] }];
  const second = await client.messages.create({ ...params(''), messages, tools });
  assert.deepEqual(second.content, [{ type: 'text', text: '12 degrees' }]);
  const both = await ask('[[mock:tool-parallel]]', { tools });
  assert.deepEqual(both.content.map((c) => c.name), ['get_weather', 'get_time']);
  assert.notEqual(both.content[0].id, both.content[1].id);
});

test('calls and results belong together', async () => {
  const result = { type: 'tool_result', tool_use_id: 'toolu_none', content: 'x' };
  await refused(client.messages.create({ ...params(''), messages: [{ role: 'user', content: [result] }] }), 400, 'invalid_request_error',
    /^messages\.0\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_none\. Each/);
  const messages = [...user('x'), { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] }, ...user('y')];
  await refused(client.messages.create({ ...params(''), messages }), 400, 'invalid_request_error',
    /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1\. Each/);
});

test('a signature survives a turn, or is refused', async () => {
  for (const name of ['thinking+tool', 'thinking-redacted+tool']) {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const first = await streamed(`[[mock:${name}]]`, { tools: [weather], thinking }).finalMessage();
    const [block, call] = first.content;
    assert.equal(call.type, 'tool_use');
    const turn = (b) => client.messages.create({ ...params(''), thinking, tools: [weather], messages: [...user(`[[mock:${name}]]`),
      { role: 'assistant', content: [b, call] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'ok' }] }] });
    assert.equal((await turn(block)).content[0].text, 'ok');
    if (block.type === 'thinking') {
      await refused(turn({ ...block, signature: 'Zm9yZWlnbg==' }), 400, 'invalid_request_error', /^messages\.1\.content\.0: Invalid `signature` in `thinking` block/);
      await refused(turn({ ...block, thinking: 'changed' }), 400, 'invalid_request_error', /Invalid `signature`/);
    } else {
      await refused(turn({ ...block, data: 'Zm9yZWlnbg==' }), 400, 'invalid_request_error', /Invalid `data` in `redacted_thinking` block/);
    }
  }
});

test('omitted thinking: a signature without text', async () => {
  const thinking = { type: 'adaptive', display: 'omitted' };
  const [block] = (await streamed('[[mock:thinking]]', { thinking }).finalMessage()).content;
  assert.equal(block.thinking, '');
  assert.equal(block.signature.length, 64);
});

test('a search by the vendor, with its sealed results', async () => {
  const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
  const data = await streamed('[[mock:server-tool+citations]]', { tools }).finalMessage();
  const [use, result, text] = data.content;
  assert.deepEqual([use.type, use.name, use.input], ['server_tool_use', 'web_search', { query: 'mock' }]);
  assert.equal(result.tool_use_id, use.id);
  assert.match(use.id, /^srvtoolu_01/);
  assert.equal(text.citations[0].type, 'web_search_result_location');
  assert.equal(data.usage.server_tool_use.web_search_requests, 1);
  result.content[0].encrypted_content = 'changed';
  await refused(client.messages.create({ ...params(''), tools, messages: [...user('x'), { role: 'assistant', content: data.content }, ...user('y')] }),
    400, 'invalid_request_error', /encrypted_content/);
});

test('structured output, in both places of the schema', async () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' }, s: { enum: ['a', 'b'] } }, required: ['n', 's'], additionalProperties: false };
  const a = await ask('[[mock:json-out]]', { output_config: { format: { type: 'json_schema', schema } } });
  assert.deepEqual(JSON.parse(a.content[0].text), { n: 1, s: 'a' });
  const b = await ask('[[mock:json-out]]', { output_format: { type: 'json_schema', schema } });
  assert.equal(b.content[0].text, a.content[0].text);
});

test('cache usage is beside the input tokens', async () => {
  const { usage } = await ask(`[[mock:usage-cache]] ${'x'.repeat(382)}`);
  assert.deepEqual([usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens], [26, 50, 25]);
  assert.equal(usage.cache_creation.ephemeral_5m_input_tokens, 25);
});

test('counting and models', async () => {
  assert.deepEqual(await client.messages.countTokens({ model: 'm', messages: user('12345678'), system: '1234' }), { input_tokens: 3 });
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  assert.ok(ids.includes('mock-small') && ids.includes('echo'));
  const one = await client.models.retrieve('echo');
  assert.deepEqual([one.type, one.id, one.display_name], ['model', 'echo', 'echo']);
  await refused(client.models.retrieve('none'), 404, 'not_found_error', /none/);
  assert.equal((await (await fetch(`${mock.url}/v1/models`)).json()).object, 'list', 'without anthropic-version: the usual list');
});

test('what the API refuses', async () => {
  const bad = async (change, message) => {
    const body = { ...params('x'), ...change };
    await refused(client.messages.create(body), 400, 'invalid_request_error', message);
  };
  await bad({ max_tokens: undefined }, /^max_tokens: Field required$/);
  await bad({ model: undefined }, /^model: Field required$/);
  await bad({ messages: [] }, /^messages: at least one message is required$/);
  await bad({ messages: [{ role: 'tool', content: 'x' }] }, /^messages\.0\.role: Input should be/);
  await bad({ messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, /text content blocks must be non-empty/);
  await bad({ thinking: { type: 'enabled', budget_tokens: 100 } }, /greater than or equal to 1024/);
  await bad({ thinking: { type: 'enabled', budget_tokens: 4096 } }, /`max_tokens` must be greater than `thinking.budget_tokens`/);
  const system = [...user('x'), { role: 'system', content: 'be brief' }];
  assert.equal((await client.messages.create({ ...params(''), messages: system })).type, 'message', 'a system message among others');
});

test('errors by status, with the types of the vendor', async () => {
  const types = { 400: 'invalid_request_error', 401: 'authentication_error', 402: 'billing_error', 403: 'permission_error', 404: 'not_found_error',
    413: 'request_too_large', 429: 'rate_limit_error', 500: 'api_error', 503: 'api_error', 504: 'timeout_error', 529: 'overloaded_error' };
  for (const [status, type] of Object.entries(types))
    await refused(ask(`[[mock:fail-${status}]]`), Number(status), type, /./);
  await refused(ask('[[mock:fail-context]]'), 400, 'invalid_request_error', /^prompt is too long: \d+ tokens > \d+ maximum$/);
  await refused(ask('[[mock:fail-quota]]'), 400, 'invalid_request_error', /credit balance/);
  for (const [method, path, status] of [['GET', '/v1/messages', 405], ['POST', '/v1/messages/nothing', 404]]) {
    const r = await fetch(mock.url + path, { method });
    assert.equal(r.status, status);
    assert.equal((await r.json()).type, 'error');
  }
});

test('faults in mid-stream are seen as such', async () => {
  const failing = async (name) => streamed(`[[mock:${name}]]`).finalMessage().then(() => assert.fail(`${name}: no error`), (e) => e);
  const e = await failing('stream-error');
  assert.equal(e.error.error.type, 'api_error');
  await failing('stream-cut');
  await failing('stream-cut-700');
  await failing('garbage-json');
  await failing('fail-empty');
});
