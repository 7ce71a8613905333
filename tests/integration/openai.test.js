// The official OpenAI SDK through Maestro to a mock of the vendor: what its users rely on.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { KEY, configFor, sleep, sse, startMock, startServe, until, user } from './harness.js';

let mock, serve, client;

before(async () => {
  mock = await startMock();
  serve = await startServe({ config: configFor(mock) });
  client = new OpenAI({ apiKey: KEY, baseURL: `${serve.url}/v1`, maxRetries: 0 });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

const ask = (text, extra = {}, options = {}) =>
  client.chat.completions.create({ model: 'up/mock-model', messages: user(text), ...extra }, options);

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};

test('an answer, with the qualified model and usage', async () => {
  const { data, response } = await ask('[[mock:echo]] hello there').withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.match(data.choices[0].message.content, /hello there/);
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.equal(data.model, 'up/mock-model');
  assert.ok(data.usage.prompt_tokens > 0 && data.usage.completion_tokens > 0);
  assert.equal(data.maestro, undefined, 'a passthrough answer has no receipt unless asked for');
  assert.equal(response.headers.get('x-maestro-model'), 'up/mock-model');
  assert.equal(response.headers.get('x-maestro-mode'), 'passthrough');
  assert.match(response.headers.get('x-request-id'), /^tr_/);
});

test('an exact model name without its provider', async () => {
  const data = await client.chat.completions.create({ model: 'mock-model', messages: user('hi') });
  assert.equal(data.model, 'up/mock-model');
});

test('the paths of /api/openai and without prefix', async () => {
  for (const path of ['/api/openai/v1/chat/completions', '/chat/completions']) {
    const r = await serve.post(path, { model: 'mock-model', messages: user('hi') });
    assert.equal(r.status, 200, path);
  }
});

test('a stream: content in order, finish, no usage unless asked', async () => {
  const chunks = await collect(await ask('[[mock:chunks-40]] go', { stream: true }));
  const text = chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('');
  assert.ok(text.length > 0);
  assert.ok(chunks.length >= 40);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  for (const c of chunks) {
    assert.equal(c.model, 'up/mock-model');
    assert.ok(!('usage' in c), 'usage was not asked for');
    assert.equal(c.choices.length, 1, 'the usage chunk is withheld');
  }
});

test('a stream with usage, when asked', async () => {
  const chunks = await collect(await ask('go', { stream: true, stream_options: { include_usage: true } }));
  const last = chunks.at(-1);
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.total_tokens > 0);
  assert.equal(chunks[0].usage, null);
});

test('the upstream is asked for usage, so that the log has tokens though the client did not ask', async () => {
  await mock.reset();
  await collect(await ask('count me', { stream: true }));
  const seen = (await mock.requests()).requests;
  const body = JSON.parse(seen.at(-1).body);
  assert.equal(body.stream_options.include_usage, true);
  const line = await until('the log line', () => serve.logs().findLast((l) => l.event === 'request' && l.stream));
  assert.ok(line.input_tokens > 0 && line.output_tokens > 0);
});

test('unknown members, their order and their spelling reach the upstream byte for byte', async () => {
  await mock.reset();
  const raw = '{ "x_first":[1.50e+2,{"Y":null}],"model" : "up/mock-model",\n "messages":[{"role":"user","content":"a\\u00e9\\/b"}],"zz": 12345678901234567890123 }';
  const r = await serve.post('/v1/chat/completions', raw);
  assert.equal(r.status, 200);
  const seen = (await mock.requests()).requests;
  assert.equal(seen.at(-1).body, raw.replace('"up/mock-model"', '"mock-model"'));
});

test('credentials of the caller never reach the upstream', async () => {
  await mock.reset();
  await serve.post('/v1/chat/completions', { model: 'mock-model', messages: user('hi') },
    { cookie: 'a=b', 'x-api-key': KEY, 'x-goog-api-key': 'unused' });
  const seen = (await mock.requests()).requests;
  const headers = JSON.stringify(seen.at(-1).headers).toLowerCase();
  assert.ok(!headers.includes(KEY) && !headers.includes('cookie') && !headers.includes('x-api-key'));
});

const tools = [{
  type: 'function',
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}];

test('a tool call and its round trip', async () => {
  const first = await ask('[[mock:tool]] weather?', { tools });
  const call = first.choices[0].message.tool_calls[0];
  assert.equal(first.choices[0].finish_reason, 'tool_calls');
  assert.equal(call.function.name, 'get_weather');
  assert.ok('city' in JSON.parse(call.function.arguments));
  const second = await client.chat.completions.create({
    model: 'mock-model', tools,
    messages: [...user('weather?'), first.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'sunny, 21 C' }],
  });
  assert.match(second.choices[0].message.content, /sunny, 21 C/);
});

test('streamed parallel tool calls, assembled by the SDK', async () => {
  const runner = client.chat.completions.stream({ model: 'mock-model', tools, messages: user('[[mock:tool-parallel]] two') });
  const final = await runner.finalChatCompletion();
  const calls = final.choices[0].message.tool_calls;
  assert.equal(calls.length, 2);
  for (const c of calls) JSON.parse(c.function.arguments);
});

test('reasoning, refusals, length and empty answers pass', async () => {
  const thinking = await collect(await ask('[[mock:thinking]] x', { stream: true }));
  assert.ok(thinking.some((c) => c.choices[0]?.delta?.reasoning_content));
  assert.ok((await ask('[[mock:refusal]] x')).choices[0].message.refusal);
  assert.equal((await ask('[[mock:length]] x')).choices[0].finish_reason, 'length');
  assert.ok(!(await ask('[[mock:empty]] x')).choices[0].message.content);
  const empty = await collect(await ask('[[mock:empty]] x', { stream: true }));
  assert.equal(empty.at(-1).choices[0].finish_reason, 'stop');
});

test('multi-byte text survives a stream', async () => {
  const whole = await ask('[[mock:unicode]] x');
  const parts = await collect(await ask('[[mock:unicode]] x', { stream: true }));
  assert.equal(parts.map((c) => c.choices[0]?.delta?.content ?? '').join(''), whole.choices[0].message.content);
});

test('errors keep status, class, code and Retry-After', async () => {
  await assert.rejects(ask('[[mock:fail-429]] x'), (e) => e instanceof OpenAI.RateLimitError && e.status === 429 && e.headers.get('retry-after') === '2');
  await assert.rejects(ask('[[mock:fail-500]] x'), (e) => e instanceof OpenAI.InternalServerError);
  await assert.rejects(ask('[[mock:fail-context]] x'), (e) => e instanceof OpenAI.BadRequestError && e.code === 'context_length_exceeded');
  await assert.rejects(ask('[[mock:fail-quota]] x'), (e) => e.status === 429 && e.code === 'insufficient_quota');
  await assert.rejects(ask('[[mock:fail-401]] x'), (e) => e.status === 401 && /"up"/.test(e.message));
  await assert.rejects(ask('[[mock:fail-400]] x', { stream: true }), (e) => e instanceof OpenAI.BadRequestError);
});

test('an upstream that answers garbage, HTML, nothing, or an error as 200', async () => {
  for (const name of ['garbage', 'fail-html', 'fail-empty', 'garbage-json', 'reset', 'redirect']) {
    for (const stream of [false, true]) {
      if (name === 'garbage-json' && stream) continue; /* a good beginning, then a fault: another test */
      await assert.rejects(ask(`[[mock:${name}]] x`, { stream }), (e) => e.status === 502, `${name} stream=${stream}`);
    }
  }
  for (const stream of [false, true])
    await assert.rejects(ask('[[mock:ok-error]] x', { stream }), (e) => e.status >= 400, `ok-error stream=${stream}`);
});

test('a stream that breaks ends in an error, never cleanly', async () => {
  for (const name of ['stream-cut', 'stream-error', 'garbage-json']) {
    const got = [];
    await assert.rejects(async () => {
      for await (const c of await ask(`[[mock:${name}]] x`, { stream: true })) got.push(c);
    }, (e) => e instanceof OpenAI.APIError, name);
    assert.ok(got.length > 0, `${name}: what came before is delivered`);
    const text = await (await serve.post('/v1/chat/completions', { model: 'mock-model', stream: true, messages: user(`[[mock:${name}]] y`) })).text();
    const events = sse(text);
    assert.ok(!events.includes('[DONE]'), `${name}: no success mark`);
    assert.ok(JSON.parse(events.at(-1)).error.message, name);
  }
});

test('upstream cut at every byte of a stream: an error event or an error, never a clean end', async () => {
  const body = (text) => ({ model: 'mock-model', stream: true, messages: user(text) });
  const whole = (await (await serve.post('/v1/chat/completions', body('[[mock:echo]] cut'))).text()).length;
  assert.ok(whole > 500);
  const cuts = [];
  for (let k = 1; k < 900; k += 23) cuts.push(k);
  await Promise.all(cuts.map(async (k) => {
    const r = await serve.post('/v1/chat/completions', body(`[[mock:echo+stream-cut-${k}]] cut`));
    const text = await r.text();
    if (r.status !== 200) { assert.equal(r.status, 502, `cut at ${k}`); return; }
    const events = sse(text);
    const complete = events.some((e) => e !== '[DONE]' && JSON.parse(e).choices?.[0]?.finish_reason);
    if (!complete) assert.ok(JSON.parse(events.at(-1)).error, `cut at ${k}: ${events.at(-1)}`);
  }));
});

test('an abort reaches the upstream, streaming or not', async () => {
  for (const [name, stream] of [['hang', false], ['stream-stall', true], ['slow-60000', false], ['slow-60000', true]]) {
    const before = await mock.stats();
    const control = new AbortController();
    const running = (async () => { const r = await ask(`[[mock:${name}]] x`, { stream }, { signal: control.signal }); if (stream) await collect(r); })();
    running.catch(() => {});
    await sleep(300);
    control.abort();
    await running.catch(() => {}); /* the SDK ends a begun stream quietly */
    await until(`the mock to see the close (${name})`, async () => {
      return (await mock.stats()).aborted > before.aborted;
    });
  }
});

test('the SDK retries by itself what we pass on', async () => {
  const patient = new OpenAI({ apiKey: KEY, baseURL: `${serve.url}/v1`, maxRetries: 2 });
  const r = await patient.chat.completions.create({ model: 'mock-model', messages: user(`[[mock:fail-500-once]] once ${Date.now()}`) });
  assert.ok(r.choices[0].message.content);
});

test('10 MB up, 1 MB down', async () => {
  const big = 'x"\\\n'.repeat(2_600_000);
  const r = await ask(`[[mock:big-1mb]] ${big}`);
  assert.ok(r.choices[0].message.content.length >= 1 << 20);
  const chunks = await collect(await ask('[[mock:big-1mb]] x', { stream: true }));
  assert.ok(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('').length >= 1 << 20);
});

test('models: list, one, none', async () => {
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  assert.ok(ids.includes('up/mock-model') && ids.includes('maestro-auto'));
  assert.equal((await client.models.retrieve('up/mock-model')).id, 'up/mock-model');
  await assert.rejects(client.models.retrieve('nope'), OpenAI.NotFoundError);
  await assert.rejects(client.chat.completions.create({ model: 'up/mock-modle', messages: user('x') }),
    (e) => e instanceof OpenAI.NotFoundError && e.code === 'model_not_found' && /up\/mock-model/.test(e.message));
});

test('receipts: asked for by member or header, in JSON and in streams', async () => {
  const a = await ask('x', { maestro: {} });
  assert.equal(a.maestro.mode, 'passthrough');
  assert.equal(a.maestro.route[0].model, 'up/mock-model');
  assert.equal(a.maestro.cost_usd, null, 'the price of this model is unknown');
  const b = await collect(await ask('x', { stream: true }, { headers: { 'x-maestro-receipt': '1' } }));
  const finish = b.find((c) => c.choices[0]?.finish_reason);
  assert.ok(finish.maestro.usage_by_model['up/mock-model'].out > 0, 'usage had arrived before the receipt went out');
  const c = await collect(await ask('x', { stream: true, stream_options: { include_usage: true }, maestro: {} }));
  assert.ok(c.at(-1).usage && c.at(-1).maestro, 'on the usage chunk when the client asked for one');
  const auto = await client.chat.completions.create({ model: 'maestro-auto', messages: user('hi') });
  assert.equal(auto.maestro.mode, 'auto');
});

// Last: from here on this provider counts as one that does not know the option.
test('a provider that does not know stream_options is asked once and then no more', async () => {
  await mock.reset();
  const first = await collect(await ask('[[mock:reject-usage-option]] a', { stream: true }));
  assert.equal(first.at(-1).choices[0].finish_reason, 'stop');
  await mock.reset();
  await collect(await ask('[[mock:reject-usage-option]] b', { stream: true }));
  const seen = (await mock.requests()).requests;
  assert.equal(seen.length, 1);
  assert.ok(!('stream_options' in JSON.parse(seen[0].body)));
});
