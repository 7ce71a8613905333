// `maestro mock` speaks Ollama: checked by the vendor's own client, without the gateway between them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import { startMock, user } from './harness.js';

let mock, ollama;

before(async () => {
  mock = await startMock();
  ollama = new Ollama({ host: mock.url });
});
after(async () => { await mock?.stop(); });

const weather = { type: 'function', function: { name: 'get_weather', description: 'w', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const now = { type: 'function', function: { ...weather.function, name: 'now' } };
const ask = (text, extra = {}) => ollama.chat({ model: 'llama-mock', messages: user(text), ...extra });
const streamed = async (text, extra = {}) => {
  const lines = [];
  for await (const line of await ask(text, { ...extra, stream: true })) lines.push(line);
  return lines;
};
const refused = async (promise, status, message) => {
  const e = await promise.then(() => assert.fail('no error'), (x) => x);
  assert.equal(e.status_code, status, e.message);
  assert.match(e.error, message);
};

test('an answer with counts and durations', async () => {
  const r = await ask('[[mock:echo]] hello');
  assert.equal(r.model, 'llama-mock');
  assert.deepEqual(r.message, { role: 'assistant', content: '[[mock:echo]] hello' });
  assert.deepEqual([r.done, r.done_reason, r.prompt_eval_count, r.eval_count], [true, 'stop', 5, 5]);
  assert.equal(r.total_duration, r.load_duration + r.prompt_eval_duration + r.eval_duration);
  assert.ok(Math.abs(Date.parse(r.created_at) - Date.now()) < 60000);
});

test('streams are lines, and the default', async () => {
  const r = await fetch(`${mock.url}/api/chat`, { method: 'POST', body: JSON.stringify({ model: 'm', messages: user('[[mock:echo+chunks-3]]') }) });
  assert.equal(r.headers.get('content-type'), 'application/x-ndjson');
  const lines = (await r.text()).trimEnd().split('\n').map((l) => JSON.parse(l));
  assert.equal(lines.map((l) => l.message.content).join(''), '[[mock:echo+chunks-3]]');
  assert.deepEqual(lines.map((l) => l.done), [false, false, false, true]);
  assert.equal(lines.at(-1).eval_count, 6);
});

test('a stream adds up to the whole answer', async () => {
  const extra = { tools: [weather, now] };
  for (const name of ['echo', 'unicode', 'tool', 'tool-parallel', 'thinking', 'thinking+tool', 'empty', 'length', 'refusal', 'big-40']) {
    const whole = await ask(`[[mock:${name}]]`, extra);
    const lines = await streamed(`[[mock:${name}]]`, extra);
    assert.equal(lines.map((l) => l.message.content).join(''), whole.message.content, name);
    assert.equal(lines.map((l) => l.message.thinking ?? '').join(''), whole.message.thinking ?? '', name);
    const calls = (list) => list.flatMap((l) => l.message.tool_calls ?? []).map((c) => c.function);
    assert.deepEqual(calls(lines), calls([whole]), name);
    for (const key of ['done_reason', 'eval_count', 'prompt_eval_count']) assert.equal(lines.at(-1)[key], whole[key], name);
  }
});

test('tools: arguments are objects, a result is repeated', async () => {
  const first = await ask('[[mock:tool]] weather', { tools: [weather] });
  const [call] = first.message.tool_calls;
  assert.deepEqual(call.function, { index: 0, name: 'get_weather', arguments: { city: 'mock' } });
  const messages = [...user('[[mock:tool]] weather'), first.message, { role: 'tool', tool_name: 'get_weather', content: '12 degrees' }];
  assert.equal((await ollama.chat({ model: 'm', messages, tools: [weather] })).message.content, '12 degrees');
  const broken = [{ ...first.message, tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] }];
  await refused(ollama.chat({ model: 'm', messages: broken }), 400, /cannot unmarshal string/);
});

test('thoughts, unless think is false', async () => {
  assert.ok((await ask('[[mock:thinking]]', { think: true })).message.thinking.length > 5);
  assert.equal((await ask('[[mock:thinking]]', { think: false })).message.thinking, undefined);
  assert.ok((await streamed('[[mock:thinking]]', { think: false })).every((l) => !('thinking' in l.message)));
  await refused(ask('x', { think: 'enormous' }), 400, /invalid think value/);
});

test('formats', async () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
  assert.deepEqual(JSON.parse((await ask('[[mock:json-out]]', { format: schema })).message.content), { n: 1 });
  assert.equal(typeof JSON.parse((await ask('[[mock:json-out]]', { format: 'json' })).message.content), 'object');
  await refused(ask('x', { format: 'xml' }), 400, /invalid format/);
});

test('generate', async () => {
  const r = await ollama.generate({ model: 'm', prompt: '[[mock:echo]] hi', system: 's' });
  assert.equal(r.response, '[[mock:echo]] hi');
  assert.deepEqual([r.done_reason, r.context.length > 0, r.prompt_eval_count], ['stop', true, 5]);
  const lines = [];
  for await (const l of await ollama.generate({ model: 'm', prompt: '[[mock:thinking]]', stream: true })) lines.push(l);
  assert.match(lines.map((l) => l.response).join(''), /deterministic answer/);
  assert.ok(lines.map((l) => l.thinking ?? '').join('').length > 5);
  assert.equal((await ollama.generate({ model: 'm', prompt: '' })).done_reason, 'load');
  assert.equal((await ollama.chat({ model: 'm', messages: [], keep_alive: 0 })).done_reason, 'unload');
});

test('images are bare base64', async () => {
  assert.equal((await ask('', { messages: [{ role: 'user', content: '[[mock:echo]]', images: ['aGVsbG8='] }] })).message.content, '[[mock:echo]]');
  await refused(ask('', { messages: [{ role: 'user', content: 'x', images: ['data:image/png;base64,aGVsbG8='] }] }), 400, /illegal base64 data at input byte 4/);
});

test('embeddings', async () => {
  const r = await ollama.embed({ model: 'm', input: ['a', 'b', 'a'] });
  assert.deepEqual(r.embeddings[0], r.embeddings[2]);
  assert.notDeepEqual(r.embeddings[0], r.embeddings[1]);
  assert.equal(r.prompt_eval_count, 1);
  const { embedding } = await ollama.embeddings({ model: 'm', prompt: 'a' });
  assert.deepEqual(embedding, r.embeddings[0]);
  assert.equal((await ollama.embed({ model: 'm', input: 'a', dimensions: 5 })).embeddings[0].length, 5);
});

test('models and versions', async () => {
  const { models } = await ollama.list();
  assert.ok(models.some((m) => m.name === 'echo:latest' && m.details.format === 'gguf'));
  assert.equal((await ollama.ps()).models[0].context_length, 8192);
  const shown = await ollama.show({ model: 'echo' });
  assert.deepEqual(shown.capabilities, ['completion', 'tools', 'thinking', 'vision']);
  assert.match((await ollama.version()).version, /^\d+\.\d+\.\d+$/);
  const r = await ask('say', { model: 'echo:latest' });
  assert.deepEqual([r.model, r.message.content], ['echo:latest', 'say']);
});

const names = async () => (await ollama.list()).models.map((m) => m.name);
const progress = async (stream) => {
  const lines = [];
  for await (const line of await stream) lines.push(line);
  return lines;
};

test('models are pulled, copied, created, pushed and deleted', async () => {
  const lines = await progress(ollama.pull({ model: 'llama3.2:1b', stream: true }));
  assert.equal(lines[0].status, 'pulling manifest');
  assert.deepEqual(lines.slice(-3).map((l) => l.status), ['verifying sha256 digest', 'writing manifest', 'success']);
  const layers = lines.filter((l) => l.digest);
  assert.ok(layers.length > 3 && layers.every((l) => l.status.startsWith('pulling ') && l.digest.startsWith('sha256:')));
  assert.ok(layers.every((l, i) => l.completed <= l.total && (i === 0 || l.completed > layers[i - 1].completed)));
  assert.equal(layers.at(-1).completed, layers.at(-1).total);
  assert.ok((await names()).includes('llama3.2:1b'));
  assert.deepEqual(await ollama.pull({ model: 'qwen3' }), { status: 'success' });
  assert.ok((await names()).includes('qwen3:latest'), 'a name without a tag has the tag latest');
  await ollama.copy({ source: 'qwen3', destination: 'me/copy:v1' });
  assert.deepEqual(await ollama.create({ model: 'made', from: 'qwen3', system: 's' }), { status: 'success' });
  assert.ok((await progress(ollama.create({ model: 'made2', from: 'qwen3', stream: true }))).length > 2);
  assert.equal((await progress(ollama.push({ model: 'me/copy:v1', stream: true }))).at(-1).status, 'success');
  assert.deepEqual(await ollama.push({ model: 'me/copy:v1' }), { status: 'success' });
  for (const name of ['llama3.2:1b', 'qwen3', 'me/copy:v1', 'made', 'made2', 'echo']) await ollama.delete({ model: name });
  const left = await names();
  for (const name of ['llama3.2:1b', 'qwen3:latest', 'me/copy:v1', 'made:latest', 'made2:latest', 'echo:latest']) assert.ok(!left.includes(name), name);
  await mock.reset();
  assert.ok((await names()).includes('echo:latest'));
});

test('what cannot be managed', async () => {
  await refused(ollama.delete({ model: 'nothing' }), 404, /^model 'nothing' not found$/);
  await refused(ollama.copy({ source: 'nothing', destination: 'x' }), 404, /^model "nothing" not found$/);
  await refused(ollama.copy({ source: '', destination: 'x' }), 400, /source/);
  await refused(ollama.create({ model: 'm' }), 400, /neither 'from' or 'files'/);
  await refused(ollama.pull({ model: '' }), 400, /model is required/);
  await refused(ollama.pull({ model: 'fail-503' }), 503, /./);
  await refused(ollama.pull({ model: 'stream-error' }), 500, /./);
  await assert.rejects(progress(ollama.pull({ model: 'stream-error', stream: true })), /unexpected EOF/);
  await assert.rejects(progress(ollama.pull({ model: 'stream-cut', stream: true })));
  await refused(ollama.delete({ model: 'fail-500' }), 500, /./);
  for (const name of ['stream-error', 'fail-503']) assert.ok(!(await names()).includes(name), 'what failed is not there');
  const slow = await ollama.pull({ model: 'pace-200', stream: true });
  const from = Date.now();
  let seen = 0;
  for await (const line of slow) if (line.digest && ++seen === 2) break;
  slow.abort();
  assert.ok(Date.now() - from >= 200);
  assert.ok(!(await names()).includes('pace-200:latest'));
});

test('errors are text', async () => {
  for (const status of [400, 401, 404, 429, 500, 503]) {
    await refused(ask(`[[mock:fail-${status}]]`), status, /./);
    await refused(streamed(`[[mock:fail-${status}]]`), status, /./);
  }
  await refused(ask('[[mock:fail-context]]'), 400, /exceeds the context length/);
  await refused(ask('x', { model: '' }), 400, /model is required/);
  await refused(ask('', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }), 400, /cannot unmarshal array/);
  await refused(ask('', { messages: [{ role: 'developer', content: 'x' }] }), 400, /invalid role/);
  const r = await fetch(`${mock.url}/api/nothing`);
  assert.deepEqual([r.status, typeof (await r.json()).error], [404, 'string']);
});

test('faults in mid-stream are seen as such', async () => {
  for (const name of ['stream-error', 'stream-cut']) await assert.rejects(streamed(`[[mock:${name}]]`), name);
  const r = await fetch(`${mock.url}/api/chat`, { method: 'POST', body: JSON.stringify({ model: 'stream-error', messages: user('x') }) });
  assert.match((await r.text()).trimEnd().split('\n').at(-1), /^\{"error":"[^"]+"\}$/);
});
