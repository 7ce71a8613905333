// `maestro mock` as OpenAI's Responses API, checked by the vendor's own SDK without a gateway between.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { startMock } from './harness.js';

let mock, client;

before(async () => {
  mock = await startMock();
  client = new OpenAI({ apiKey: 'sk-mock', baseURL: `${mock.url}/v1`, maxRetries: 0 });
});
after(async () => { await mock?.stop(); });

const create = (input, extra = {}) => client.responses.create({ model: 'mock-small', input, ...extra });
const events = async (input, extra = {}) => {
  const all = [];
  for await (const event of await create(input, { stream: true, ...extra })) all.push(event);
  return all;
};
const types = (all) => all.map((e) => e.type);
const weather = {
  type: 'function', name: 'get_weather', strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};
const clock = { type: 'function', name: 'get_time', strict: true, parameters: { type: 'object', properties: {}, required: [], additionalProperties: false } };
const failure = async (promise) => { try { await promise; } catch (e) { return e; } return assert.fail('it did not fail'); };

test('a response with everything the vendor repeats', async () => {
  const r = await create('[[mock:echo]] Grüße "there"', { instructions: 'Be brief.', metadata: { a: 'b' }, temperature: 0.5 });
  assert.equal(r.object, 'response');
  assert.match(r.id, /^resp_/);
  assert.equal(r.status, 'completed');
  assert.equal(r.output_text, '[[mock:echo]] Grüße "there"');
  assert.equal(r.output.length, 1);
  assert.match(r.output[0].id, /^msg_/);
  assert.deepEqual([r.output[0].type, r.output[0].role, r.output[0].status], ['message', 'assistant', 'completed']);
  assert.equal(r.instructions, 'Be brief.');
  assert.deepEqual(r.metadata, { a: 'b' });
  assert.equal(r.temperature, 0.5);
  assert.equal(r.store, true);
  assert.equal(r.error, null);
  assert.equal(r.incomplete_details, null);
  const input = Buffer.byteLength('[[mock:echo]] Grüße "there"' + 'Be brief.');
  assert.equal(r.usage.input_tokens, Math.ceil(input / 4));
  assert.equal(r.usage.total_tokens, r.usage.input_tokens + r.usage.output_tokens);
  assert.deepEqual(r.usage.input_tokens_details, { cached_tokens: 0, cache_write_tokens: 0 });
  assert.deepEqual(r.usage.output_tokens_details, { reasoning_tokens: 0 });
});

test('a stream: its events in order, numbered without a gap, and the deltas are the text', async () => {
  const all = await events('[[mock:echo+chunks-3]] abcdefghijkl');
  assert.deepEqual(types(all), [
    'response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added',
    'response.output_text.delta', 'response.output_text.delta', 'response.output_text.delta',
    'response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.completed']);
  assert.deepEqual(all.map((e) => e.sequence_number), all.map((_, i) => i));
  const last = all.at(-1).response;
  const text = all.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
  assert.equal(text, '[[mock:echo+chunks-3]] abcdefghijkl');
  assert.equal(last.output[0].content[0].text, text);
  assert.deepEqual([all[0].response.status, all[0].response.output, all[0].response.usage], ['in_progress', [], null]);
  assert.equal(all[2].item.status, 'in_progress');
  for (const e of all.slice(3, 9)) assert.deepEqual([e.item_id, e.output_index, e.content_index], [last.output[0].id, 0, 0]);
  assert.ok(last.usage.total_tokens > 0, 'usage needs no asking');
});

test('the wire: event lines repeat the type, and there is no [DONE]', async () => {
  const r = await fetch(`${mock.url}/v1/responses`, { method: 'POST', body: JSON.stringify({ model: 'm', input: 'hi', stream: true }) });
  assert.match(r.headers.get('content-type'), /^text\/event-stream/);
  const blocks = (await r.text()).split('\n\n').filter(Boolean);
  for (const b of blocks) {
    const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(b);
    assert.equal(JSON.parse(data).type, name);
  }
});

test('the SDK assembles the stream to what a whole reply says', async () => {
  const body = { model: 'mock-small', input: '[[mock:thinking+tool-parallel]] go', tools: [weather, clock], reasoning: { summary: 'auto' } };
  const final = await client.responses.stream(body).finalResponse();
  const whole = await client.responses.create(body);
  const shape = (r) => r.output.map(({ id, call_id, parsed_arguments, ...rest }) => rest);
  assert.deepEqual(shape(final), shape(whole));
  assert.deepEqual(whole.output.map((i) => i.type), ['reasoning', 'function_call', 'function_call']);
  assert.deepEqual(final.output[1].parsed_arguments, { city: 'mock' });
  assert.equal(final.usage.total_tokens, whole.usage.total_tokens);
});

test('function calls: items, indexes, arguments, round trip', async () => {
  const all = await events('[[mock:tool-parallel]] weather?', { tools: [weather, clock] });
  const done = all.filter((e) => e.type === 'response.output_item.done');
  assert.deepEqual(done.map((e) => [e.output_index, e.item.name]), [[0, 'get_weather'], [1, 'get_time']]);
  const deltas = all.filter((e) => e.type === 'response.function_call_arguments.delta' && e.output_index === 0);
  assert.ok(deltas.length > 1);
  assert.equal(deltas.map((e) => e.delta).join(''), done[0].item.arguments);
  const finished = all.find((e) => e.type === 'response.function_call_arguments.done');
  assert.deepEqual([finished.name, finished.arguments], ['get_weather', '{"city":"mock"}']);
  assert.notEqual(done[0].item.call_id, done[1].item.call_id);
  assert.equal(all.at(-1).response.status, 'completed');

  const r = await create([{ role: 'user', content: 'weather?' }, ...done.map((e) => e.item),
    { type: 'function_call_output', call_id: done[1].item.call_id, output: 'noon' },
    { type: 'function_call_output', call_id: done[0].item.call_id, output: [{ type: 'input_text', text: 'rain' }] }], { tools: [weather] });
  assert.equal(r.output_text, 'rain', 'the result that comes last');
});

test('one call without text opens with the first step', async () => {
  assert.deepEqual(types(await events('[[mock:tool]] x', { tools: [clock] })).slice(0, 4), [
    'response.created', 'response.in_progress', 'response.output_item.added', 'response.function_call_arguments.delta']);
});

test('custom tools, and tools in a namespace', async () => {
  const all = await events('[[mock:tool]] x', { tools: [{ type: 'custom', name: 'patch' }] });
  const item = all.at(-1).response.output[0];
  assert.deepEqual([item.type, item.name, item.input], ['custom_tool_call', 'patch', 'mock "input"\nof two lines']);
  assert.match(item.id, /^ctc_/);
  assert.equal(all.filter((e) => e.type === 'response.custom_tool_call_input.delta').map((e) => e.delta).join(''), item.input);
  assert.equal(all.find((e) => e.type === 'response.custom_tool_call_input.done').input, item.input);
  const back = await create([{ role: 'user', content: 'x' }, item, { type: 'custom_tool_call_output', call_id: item.call_id, output: 'patched' }]);
  assert.equal(back.output_text, 'patched');

  const spaced = await create('[[mock:tool]] x', { tools: [{ type: 'namespace', name: 'agents', description: 'd', tools: [clock] }] });
  assert.deepEqual([spaced.output[0].name, spaced.output[0].namespace], ['get_time', 'agents']);
});

test('reasoning: a summary when asked for, sealed content when asked for, and back', async () => {
  const all = await events('[[mock:thinking]] why', { reasoning: { summary: 'auto' }, include: ['reasoning.encrypted_content'], store: false });
  const at = types(all).filter((t) => t.includes('reasoning'));
  assert.deepEqual([at[0], at[1], at.at(-2), at.at(-1)], ['response.reasoning_summary_part.added',
    'response.reasoning_summary_text.delta', 'response.reasoning_summary_text.done', 'response.reasoning_summary_part.done']);
  const output = all.at(-1).response.output;
  assert.deepEqual(output.map((i) => i.type), ['reasoning', 'message']);
  assert.equal(all.find((e) => e.type === 'response.output_text.delta').output_index, 1);
  assert.equal(output[0].summary[0].text, all.filter((e) => e.type === 'response.reasoning_summary_text.delta').map((e) => e.delta).join(''));
  assert.ok(all.at(-1).response.usage.output_tokens_details.reasoning_tokens > 0);
  const sealed = output[0].encrypted_content;
  assert.ok(sealed.length > 40);
  assert.equal((await create([...output, { role: 'user', content: '[[mock:echo]] on' }], { store: false })).output_text, '[[mock:echo]] on');
  for (const bad of [sealed.slice(0, -1), `${sealed.slice(0, -1)}x`, `${sealed}A`, 'foreign']) {
    const e = await failure(create([{ ...output[0], encrypted_content: bad }, { role: 'user', content: 'on' }]));
    assert.deepEqual([e.status, e.code], [400, 'invalid_encrypted_content']);
  }
  const plain = await create('[[mock:thinking]] why');
  assert.deepEqual(plain.output[0].summary, []);
  assert.equal(plain.output[0].encrypted_content, undefined);
  const lost = await failure(create([{ type: 'reasoning', id: 'rs_gone', summary: [] }, { role: 'user', content: 'on' }]));
  assert.equal(lost.status, 404);
});

test('another mock does not know the seal', async () => {
  const other = await startMock('--seed', '2');
  try {
    const r = await create('[[mock:thinking]] why', { include: ['reasoning.encrypted_content'] });
    const there = new OpenAI({ apiKey: 'sk-mock', baseURL: `${other.url}/v1`, maxRetries: 0 });
    const e = await failure(there.responses.create({ model: 'm', input: [...r.output, { role: 'user', content: 'on' }] }));
    assert.equal(e.code, 'invalid_encrypted_content');
  } finally { await other.stop(); }
});

test('structured output', async () => {
  const format = { type: 'json_schema', name: 'answer', strict: true,
    schema: { type: 'object', properties: { colour: { enum: ['red', 'blue'] }, n: { type: 'integer' } }, required: ['colour', 'n'], additionalProperties: false } };
  const r = await client.responses.parse({ model: 'json-out', input: 'colour?', text: { format } });
  assert.deepEqual(JSON.parse(r.output_text), { colour: 'red', n: 1 });
  assert.deepEqual(r.text.format, format);
});

test('refusal, length, filter, empty, search and citation', async () => {
  const refusal = await events('[[mock:refusal]] x');
  const part = refusal.at(-1).response.output[0].content[0];
  assert.equal(part.type, 'refusal');
  assert.equal(refusal.filter((e) => e.type === 'response.refusal.delta').map((e) => e.delta).join(''), part.refusal);
  assert.equal(refusal.find((e) => e.type === 'response.refusal.done').refusal, part.refusal);
  for (const [name, reason] of [['length', 'max_output_tokens'], ['filter', 'content_filter']]) {
    const last = (await events(`[[mock:${name}]] x`)).at(-1);
    assert.equal(last.type, 'response.incomplete');
    assert.deepEqual([last.response.status, last.response.incomplete_details.reason], ['incomplete', reason]);
    assert.equal(last.response.output[0].status, 'incomplete');
  }
  assert.deepEqual((await create('[[mock:empty]] x')).output, []);
  assert.deepEqual(types(await events('[[mock:empty]] x')), ['response.created', 'response.in_progress', 'response.completed']);
  const found = await events('[[mock:server-tool+citations]] x');
  assert.deepEqual(types(found).filter((t) => t.includes('web_search')).map((t) => t.split('.').at(-1)), ['in_progress', 'searching', 'completed']);
  assert.deepEqual(found.at(-1).response.output.map((i) => i.type), ['web_search_call', 'message']);
  const added = found.find((e) => e.type === 'response.output_text.annotation.added');
  assert.deepEqual(found.at(-1).response.output[1].content[0].annotations, [added.annotation]);
  assert.equal(added.annotation.type, 'url_citation');
});

test('usage: none, cached', async () => {
  assert.equal((await create('[[mock:no-usage]] x')).usage, null);
  const { usage } = await create(`[[mock:usage-cache]] ${'x'.repeat(400)}`);
  assert.deepEqual(usage.input_tokens_details, { cached_tokens: Math.floor(usage.input_tokens / 2), cache_write_tokens: Math.floor(usage.input_tokens / 4) });
  assert.equal(usage.output_tokens_details.reasoning_tokens, Math.floor(usage.output_tokens / 2));
});

test('previous_response_id goes on with the conversation; GET and DELETE', async () => {
  const first = await create('[[mock:tool]] weather?', { tools: [weather] });
  const call = first.output[0];
  const again = await client.responses.retrieve(first.id);
  assert.deepEqual(again.output, first.output);
  const open = await failure(create('and?', { previous_response_id: first.id }));
  assert.match(open.message, new RegExp(`No tool output found for function call ${call.call_id}`));
  const next = await create([{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }], { previous_response_id: first.id });
  assert.equal(next.output_text, 'sunny');
  assert.equal(next.previous_response_id, first.id);
  const third = await create('[[mock:echo]] thanks', { previous_response_id: next.id });
  assert.ok(third.usage.input_tokens > Math.ceil('[[mock:echo]] thanks'.length / 4), 'the past counts');
  const streamed = (await events('x')).at(-1).response;
  assert.equal((await client.responses.retrieve(streamed.id)).status, 'completed');

  await client.responses.delete(first.id);
  assert.equal((await failure(client.responses.retrieve(first.id))).status, 404);
  assert.equal((await failure(client.responses.delete(first.id))).status, 404);
  const gone = await failure(create('on', { previous_response_id: first.id }));
  assert.deepEqual([gone.status, gone.code, gone.param], [400, 'previous_response_not_found', 'previous_response_id']);
  const unkept = await create('x', { store: false });
  assert.equal(unkept.store, false);
  assert.equal((await failure(client.responses.retrieve(unkept.id))).status, 404);
});

test('only the last 64 are kept', async () => {
  const first = await create('x');
  for (let i = 0; i < 63; i++) await create('x');
  assert.equal((await client.responses.retrieve(first.id)).id, first.id);
  await create('x');
  assert.equal((await failure(client.responses.retrieve(first.id))).status, 404);
});

test('item_reference stands for what was kept', async () => {
  const r = await create('[[mock:tool]] x', { tools: [clock] });
  const input = [{ role: 'user', content: 'x' }, { type: 'item_reference', id: r.output[0].id },
    { type: 'function_call_output', call_id: r.output[0].call_id, output: 'noon' }];
  assert.equal((await create(input)).output_text, 'noon');
  const e = await failure(create([{ type: 'item_reference', id: 'msg_nowhere' }]));
  assert.deepEqual([e.status, e.param], [404, 'input']);
});

test('what the vendor refuses', async () => {
  const cases = [
    [{ input: [{ type: 'function_call_output', call_id: 'call_x', output: 'y' }] }, /No tool call found for function call output with call_id call_x/, 'input'],
    [{ input: [{ type: 'function_call', call_id: 'call_x', name: 'f', arguments: '{}' }] }, /No tool output found for function call call_x/, 'input'],
    [{ input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }, /Invalid value: 'text'/, 'input[0].content[0]'],
    [{ input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] }, /Invalid value: 'input_text'/, 'input[0].content[0]'],
    [{ input: [{ role: 'tool', content: 'x' }] }, /Invalid value: 'tool'/, 'input[0].role'],
    [{ input: [{ type: 'function_call', name: 'f', arguments: '{}' }] }, /Missing required parameter/, 'input[0].call_id'],
    [{ input: [{ type: 'nonsense' }] }, /nonsense/, 'input[0].type'],
    [{ input: 7 }, /Invalid type/, 'input'],
    [{}, /must be provided/, 'input'],
    [{ messages: [] }, /has moved to 'input'/, 'messages'],
    [{ input: 'x', max_tokens: 5 }, /has moved to 'max_output_tokens'/, 'max_tokens'],
    [{ input: 'x', tools: [{ type: 'function', function: { name: 'f' } }] }, /tools\[0\]\.name/, 'tools[0].name'],
    [{ input: 'x', text: { format: { type: 'json_schema', schema: {} } } }, /text\.format\.name/, 'text.format.name'],
  ];
  for (const [body, message, param] of cases) {
    const e = await failure(client.responses.create({ model: 'mock-small', ...body }));
    assert.ok(e instanceof OpenAI.BadRequestError, JSON.stringify(body));
    assert.match(e.message, message);
    assert.equal(e.param, param);
    assert.equal(e.type, 'invalid_request_error');
  }
});

test('faults in the shape of the dialect', async () => {
  for (const [name, type] of [['fail-429', OpenAI.RateLimitError], ['fail-401', OpenAI.AuthenticationError], ['fail-503', OpenAI.InternalServerError], ['fail-quota', OpenAI.RateLimitError]])
    assert.ok(await failure(create(`[[mock:${name}]] x`)) instanceof type, name);
  const long = await failure(create('[[mock:fail-context]] x'));
  assert.deepEqual([long.status, long.code, long.param], [400, 'context_length_exceeded', 'input']);
  const broken = await events('[[mock:stream-error]] x');
  assert.deepEqual([broken.at(-1).type, broken.at(-1).code, broken.at(-1).sequence_number], ['error', 'server_error', broken.length - 1]);
  const failed = (await events('[[mock:stream-failed]] x')).at(-1);
  assert.deepEqual([failed.type, failed.response.status, failed.response.error.code], ['response.failed', 'failed', 'server_error']);
  const ended = await failure(events('[[mock:stream-cut]] x'));
  assert.ok(ended, 'a cut stream is no clean end');
  assert.ok(await failure(events('[[mock:garbage-json]] x')) instanceof SyntaxError);
});
