// `maestro mock` as OpenAI's chat completions, checked by the vendor's own SDK: what is beyond text and calls, and the
// calls that gateways must repair.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { startMock, user } from './harness.js';

let mock, client;

before(async () => {
  mock = await startMock();
  client = new OpenAI({ apiKey: 'sk-mock', baseURL: `${mock.url}/v1`, maxRetries: 0 });
});
after(async () => { await mock?.stop(); });

const ask = (text, extra = {}) => client.chat.completions.create({ model: 'mock-small', messages: user(text), ...extra });
const chunks = async (text, extra = {}) => {
  const all = [];
  for await (const chunk of await ask(text, { stream: true, ...extra })) all.push(chunk);
  return all;
};
const deltas = async (text, extra = {}) => (await chunks(text, extra)).map((c) => c.choices[0]?.delta);
const failure = async (promise) => { try { await promise; } catch (e) { return e; } return assert.fail('it did not fail'); };
const weather = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const clock = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };

test('audio: the transcript is the text, the sound is a WAV file or raw samples', async () => {
  const written = (await ask('x')).choices[0].message.content;
  const { message } = (await ask('[[mock:audio]] x', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } })).choices[0];
  assert.equal(message.content, null);
  assert.equal(message.audio.transcript, written);
  assert.match(message.audio.id, /^audio_/);
  assert.ok(message.audio.expires_at > Date.now() / 1000);
  assert.equal(Buffer.from(message.audio.data, 'base64').toString('latin1', 0, 4), 'RIFF');
  const all = (await deltas('[[mock:audio]] x')).map((d) => d.audio).filter(Boolean);
  assert.equal(new Set(all.map((a) => a.id)).size, 1);
  assert.equal(all.map((a) => a.transcript ?? '').join(''), written);
  assert.ok(all.some((a) => a.data) && all.at(-1).expires_at);
  assert.ok((await deltas('[[mock:audio]] x')).every((d) => !d.content));
});

test('citations are annotations', async () => {
  const { annotations } = (await ask('[[mock:citations]] x')).choices[0].message;
  assert.equal(annotations[0].type, 'url_citation');
  assert.match(annotations[0].url_citation.url, /^https:/);
  const told = (await deltas('[[mock:citations]] x')).flatMap((d) => d.annotations ?? []);
  assert.deepEqual(told, annotations);
});

test('reasoning in the two fashions; OpenRouter signs its own', async () => {
  const plain = (await ask('[[mock:thinking]] x')).choices[0].message;
  assert.ok(plain.reasoning_content && !('reasoning' in plain));
  const { message } = (await ask('[[mock:reasoning-openrouter]] x')).choices[0];
  assert.equal(message.reasoning, plain.reasoning_content);
  assert.ok(!('reasoning_content' in message));
  const [detail] = message.reasoning_details;
  assert.deepEqual([detail.type, detail.text], ['reasoning.text', message.reasoning]);
  const all = await deltas('[[mock:reasoning-openrouter]] x');
  assert.equal(all.map((d) => d.reasoning ?? '').join(''), message.reasoning);
  const details = all.flatMap((d) => d.reasoning_details ?? []);
  assert.deepEqual(details.map((d) => Boolean(d.signature)), details.map((_, i) => i === details.length - 1));
  const again = (reasoning_details) => client.chat.completions.create({ model: 'm', messages: [...user('x'), { role: 'assistant', content: 'y', reasoning_details }, ...user('z')] });
  assert.equal((await again(message.reasoning_details)).object, 'chat.completion');
  assert.equal((await again(details)).object, 'chat.completion');
  assert.equal((await failure(again([{ ...detail, text: 'changed' }]))).status, 400);
  assert.equal((await failure(again([{ ...detail, signature: undefined }]))).status, 400);
});

test('reasoning and a call', async () => {
  const { message, finish_reason } = (await ask('[[mock:reasoning-openrouter+tool]] x', { tools: [weather] })).choices[0];
  assert.ok(message.reasoning && message.tool_calls.length === 1);
  assert.equal(finish_reason, 'tool_calls');
});

test('legacy functions', async () => {
  const functions = [weather.function];
  const { message, finish_reason } = (await ask('[[mock:tool-parallel]] x', { functions })).choices[0];
  assert.deepEqual(message.function_call, { name: 'get_weather', arguments: '{"city":"mock"}' });
  assert.equal(message.tool_calls, undefined);
  assert.equal(finish_reason, 'function_call');
  const all = (await deltas('[[mock:tool]] x', { functions })).map((d) => d.function_call).filter(Boolean);
  assert.equal(all[0].name, 'get_weather');
  assert.equal(all.map((c) => c.arguments).join(''), '{"city":"mock"}');
  const back = await client.chat.completions.create({ model: 'tool', functions, messages: [...user('x'), message, { role: 'function', name: 'get_weather', content: 'rain' }] });
  assert.equal(back.choices[0].message.content, 'rain');
});

test('custom tools', async () => {
  const tools = [{ type: 'custom', custom: { name: 'patch' } }];
  const [call] = (await ask('[[mock:tool]] x', { tools })).choices[0].message.tool_calls;
  assert.deepEqual([call.type, call.custom], ['custom', { name: 'patch', input: 'mock "input"\nof two lines' }]);
  const all = (await deltas('[[mock:tool]] x', { tools })).flatMap((d) => d.tool_calls ?? []);
  assert.deepEqual([all[0].index, all[0].type, all[0].custom.name], [0, 'custom', 'patch']);
  assert.equal(all.map((c) => c.custom.input).join(''), call.custom.input);
});

test('logprobs: one token a piece, and the pieces are the text', async () => {
  for (const name of ['echo', 'unicode']) {
    const { message, logprobs } = (await ask(`[[mock:${name}]] Grüße`, { logprobs: true })).choices[0];
    assert.equal(logprobs.content.map((t) => t.token).join(''), message.content);
    assert.equal(Buffer.from(logprobs.content.flatMap((t) => t.bytes)).toString(), message.content);
    const all = (await chunks(`[[mock:${name}]] Grüße`, { logprobs: true })).map((c) => c.choices[0]);
    for (const c of all) assert.equal(c.logprobs?.content[0].token, c.delta.content || undefined);
  }
  assert.equal((await ask('x')).choices[0].logprobs, null);
});

test('calls that are said wrongly', async () => {
  const tools = [weather, clock];
  const calls = async (name) => (await deltas(`[[mock:${name}]] x`, { tools })).flatMap((d) => d.tool_calls ?? []);
  const whole = async (name) => (await ask(`[[mock:${name}]] x`, { tools })).choices[0].message.tool_calls;

  const missing = await calls('tool-index-missing');
  assert.ok(missing.every((c) => !('index' in c)));
  assert.deepEqual(missing.filter((c) => c.id).map((c) => c.function.name), ['get_weather', 'get_time']);

  const dup = await calls('tool-index-dup');
  assert.ok(dup.every((c) => c.index === 0));
  assert.equal(new Set(dup.filter((c) => c.id).map((c) => c.id)).size, 2);

  assert.ok((await calls('tool-id-missing')).every((c) => !('id' in c) && c.index === 0));
  assert.ok((await whole('tool-id-missing')).every((c) => !('id' in c) && c.function.name));

  const broken = (await calls('tool-args-invalid')).map((c) => c.function.arguments).join('');
  assert.throws(() => JSON.parse(broken));
  assert.equal((await whole('tool-args-invalid'))[0].function.arguments, broken);

  assert.deepEqual((await calls('tool-args-object')).map((c) => c.function.arguments), [{ city: 'mock' }]);
  assert.deepEqual((await whole('tool-args-object'))[0].function.arguments, { city: 'mock' });
  assert.deepEqual((await whole('tool-parallel+tool-args-object')).map((c) => c.function.arguments), [{ city: 'mock' }, {}]);

  const r = await client.responses.create({ model: 'tool-args-invalid', input: 'x', tools: [{ type: 'function', ...weather.function, strict: false }] });
  assert.throws(() => JSON.parse(r.output[0].arguments));
});
