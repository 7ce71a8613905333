// Hostile callers and providers of every dialect: what one cannot say in the other's words ends in that caller's own
// error, never in a clean end, a broken frame or the process's memory.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { rawProvider, startServe } from './harness.js';

const OWNER = 'sk-maestro-attack-key-owner', OTHER = 'sk-maestro-attack-key-other';
const targets = {
  compat: ['openai-compatible', '/v1', 'text/event-stream'],
  anthropic: ['anthropic', '/v1', 'text/event-stream'],
  gemini: ['gemini', '/v1beta', 'text/event-stream'],
  ollama: ['ollama', '', 'application/x-ndjson'],
};
const behaviours = new Map(); // x-session-id of a request: the bytes of its answer
const bodies = []; // what the provider was asked
let provider, serve, count = 0;

before(async () => {
  provider = await rawProvider(({ head, body }) => {
    bodies.push(Buffer.from(body, 'latin1').toString());
    return behaviours.get(/x-session-id: (\S+)/i.exec(head)?.[1]);
  });
  const { url } = provider;
  serve = await startServe({
    key: null,
    env: { MAESTRO_API_KEYS: `${OWNER},${OTHER}` },
    config: {
      guards: { runaway: { enabled: false } }, // megabytes of one letter are what some of these tests are about
      server: { workers: 1, limits: { bodyBytes: 4194304 } },
      fallback: { strategy: 'none' },
      providers: Object.fromEntries(Object.entries(targets).map(([id, [type, path]]) => [id, {
        type, baseURL: url + path, apiKey: `sk-upstream-secret-${id}`, models: { m: {} },
      }])),
    },
  });
});
after(async () => {
  await serve?.stop();
  provider?.close();
});

const tools = { chat: [{ type: 'function', function: { name: 'a', parameters: { type: 'object' } } }] };
/** A request of each caller's dialect: [path, body]. */
const callers = {
  chat: (t, stream) => ['/v1/chat/completions', { model: `${t}/m`, stream, messages: [{ role: 'user', content: 'hi' }], tools: tools.chat }],
  responses: (t, stream) => ['/v1/responses', { model: `${t}/m`, stream, input: 'hi', tools: [{ type: 'function', name: 'a', parameters: { type: 'object' } }] }],
  anthropic: (t, stream) => ['/v1/messages', { model: `${t}/m`, stream, max_tokens: 99, messages: [{ role: 'user', content: 'hi' }], tools: [{ name: 'a', input_schema: { type: 'object' } }] }],
  gemini: (t, stream) => [`/v1beta/models/${t}%2Fm:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, { contents: [{ role: 'user', parts: [{ text: 'hi' }] }], tools: [{ functionDeclarations: [{ name: 'a' }] }] }],
  ollama: (t, stream) => ['/api/chat', { model: `${t}/m`, stream, messages: [{ role: 'user', content: 'hi' }], tools: tools.chat }],
};
/** What only a complete stream may have, by caller. */
const cleanEnd = {
  chat: /data: \[DONE\]/, responses: /event: response\.(completed|incomplete)\n/, anthropic: /event: message_stop/,
  gemini: /"finishReason"/, ollama: /"done":true/,
};

const post = (path, body, key = OWNER, headers = {}) => serve.post(path, body, { authorization: `Bearer ${key}`, ...headers });
/** Asks `caller` for an answer of `target`, which sends those bytes and closes. */
async function ask(caller, target, bytes, stream = true, more = {}) {
  const key = `a${count++}`, type = stream ? targets[target][2] : 'application/json';
  behaviours.set(key, `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nConnection: close\r\n\r\n${bytes}`);
  const [path, body] = callers[caller](target, stream);
  const reply = await post(path, { ...body, ...more }, OWNER, { 'x-session-id': key });
  return { status: reply.status, text: await reply.text() };
}
const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const call = (more) => chunk({ tool_calls: [{ index: 0, ...more }] });
const event = (type, more) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const foreign = (target) => Object.keys(callers).filter((c) => !(c === target || (c === 'chat' && target === 'compat')));

async function isRefused(target, bytes, stream = true) {
  for (const caller of foreign(target)) {
    const { status, text } = await ask(caller, target, bytes, stream);
    if (status === 200) assert.doesNotMatch(text, cleanEnd[caller], `${caller} of ${target} ends as if it were complete`);
    else assert.equal(status, 502, `${caller} of ${target}: ${text}`);
    assert.match(text, /"error"|"type":"error"/, `${caller} of ${target}`);
    assert.doesNotMatch(text, /127\.0\.0\.1|secret/);
  }
}

test('a short body that names a large stored item often is refused, not written out', async () => {
  behaviours.set('stored', `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${JSON.stringify({
    id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  })}`);
  const create = (input, key = OWNER, more = {}) => post('/v1/responses', { model: 'compat/m', input, ...more }, key, { 'x-session-id': 'stored' });
  const first = await create([{ type: 'message', id: 'large', role: 'user', content: 'y'.repeat(500000) }]);
  assert.equal(first.status, 200);
  const { id } = await first.json();
  const reference = { type: 'item_reference', id: 'large' };
  const bomb = await create(Array(20000).fill(reference));
  assert.equal(bomb.status, 413);
  const { error } = await bomb.json();
  assert.equal(error.param, 'input');
  assert.equal((await create([reference, { role: 'user', content: 'and?' }])).status, 200);
  const others = await create([reference], OTHER);
  assert.equal(others.status, 404, 'it is its owner\'s alone');
  assert.equal((await others.json()).error.param, 'input[0].id');
  assert.equal((await create('x', OTHER, { previous_response_id: id })).status, 404);
});

test('an answer that is too large to be passed on ends between two frames', async () => {
  const bytes = chunk({ content: 'z'.repeat(3_500_000) }).repeat(6) + chunk({}, 'stop') + 'data: [DONE]\n\n';
  const { status, text } = await ask('responses', 'compat', bytes);
  assert.equal(status, 200);
  for (const frame of text.split('\n\n').filter(Boolean)) {
    const [, type, data] = /^event: (\S+)\ndata: (.*)$/.exec(frame) ?? assert.fail(frame.slice(0, 100));
    assert.equal(JSON.parse(data).type, type);
  }
  assert.doesNotMatch(text, cleanEnd.responses);
  assert.match(text, /event: response\.failed/);
});

test('a text of a few megabytes survives the frames that repeat it', async () => {
  const bytes = chunk({ content: 'z'.repeat(3_500_000) }) + chunk({}, 'stop') + 'data: [DONE]\n\n';
  assert.match((await ask('responses', 'compat', bytes)).text, cleanEnd.responses);
});

test('a call without a name is no call', async () => {
  await isRefused('gemini', `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ functionCall: { args: {} } }] }, finishReason: 'STOP' }] })}\r\n\r\n`);
  await isRefused('gemini', JSON.stringify({ candidates: [{ content: { parts: [{ functionCall: { name: 1 } }] }, finishReason: 'STOP' }] }), false);
  const start = event('message_start', { message: { id: 'msg_1', role: 'assistant', content: [], model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } });
  const block = event('content_block_start', { index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: null, input: {} } });
  const end = event('content_block_stop', { index: 0 }) + event('message_delta', { delta: { stop_reason: 'tool_use' } }) + event('message_stop', {});
  await isRefused('anthropic', start + block + end);
});

test('a piece of another type leaves no hole: the stream fails', async () => {
  const begin = call({ id: 'c', type: 'function', function: { name: 'a', arguments: '{"x":' } });
  const end = call({ function: { arguments: '1}' } }) + chunk({}, 'tool_calls') + 'data: [DONE]\n\n';
  for (const arguments_ of [1, true, [1]]) await isRefused('compat', begin + call({ function: { arguments: arguments_ } }) + end);
  for (const bad of [chunk(true), chunk({ content: 5 }), chunk({ tool_calls: 'x' }), 'data: {"id":"x","choices":7}\n\n'])
    await isRefused('compat', begin + bad + end);
  const start = event('message_start', { message: { id: 'msg_1', role: 'assistant', content: [], model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } })
    + event('content_block_start', { index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: 'a', input: {} } });
  const rest = event('content_block_stop', { index: 0 }) + event('message_delta', { delta: { stop_reason: 'tool_use' } }) + event('message_stop', {});
  for (const delta of [5, { type: 'input_json_delta', partial_json: {} }, { partial_json: '{}' }])
    await isRefused('anthropic', start + event('content_block_delta', { index: 0, delta }) + rest);
});

test('content in a type that cannot be read is never left out of an answer that ends well', async () => {
  const gemini = (content) => `data: ${JSON.stringify({ candidates: [{ content, finishReason: 'STOP' }] })}\r\n\r\n`;
  const line = (more) => `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: 'a' }, done: false, ...more })}\n`;
  for (const delta of [{ content: [1] }, { tool_calls: ['a'] }, { tool_calls: [{ index: 0, id: 'c', function: 'a' }] }])
    await isRefused('compat', chunk({ content: 'a' }) + chunk(delta) + chunk({}, 'stop') + 'data: [DONE]\n\n');
  for (const content of ['a', { parts: { text: 'a' } }, { parts: [{ functionCall: 'a' }] }]) await isRefused('gemini', gemini(content));
  for (const message of [{ content: 5 }, { content: '', tool_calls: { a: 1 } }]) await isRefused('ollama', line() + line({ message }) + line({ done: true }));
  const start = event('message_start', { message: { id: 'msg_1', role: 'assistant', content: [], model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } });
  const rest = event('content_block_stop', { index: 0 }) + event('message_delta', { delta: { stop_reason: 'end_turn' } }) + event('message_stop', {});
  for (const [block, delta] of [[{ text: '' }, { type: 'text_delta', text: 'a' }], [{ type: 'text', text: '' }, { type: 'input_json_delta', partial_json: '{}' }]])
    await isRefused('anthropic', start + event('content_block_start', { index: 0, content_block: block }) + event('content_block_delta', { index: 0, delta }) + rest);
  await isRefused('ollama', line().trim(), false); // the first line of a stream that was not asked for, cut behind it
  for (const body of ['{}', '{"message":"no"}']) assert.equal((await ask('gemini', 'gemini', body, false)).status, 502);
});

test('a character that two events share arrives', async () => {
  const [high, low] = ['\\ud83d', '\\ude00'];
  const bytes = chunk({ content: 'aHIGH' }) + chunk({ content: 'LOWb' })
    + call({ id: 'c', type: 'function', function: { name: 'a', arguments: '{"x":"HIGH' } }) + call({ function: { arguments: 'LOW"}' } })
    + chunk({}, 'tool_calls') + 'data: [DONE]\n\n';
  for (const caller of foreign('compat')) {
    const { text } = await ask(caller, 'compat', bytes.replaceAll('HIGH', high).replaceAll('LOW', low));
    assert.match(text, cleanEnd[caller]);
    assert.equal([...text.matchAll(/\u{1F600}/gu)].length >= 2, true, `${caller}: ${text}`);
    assert.doesNotMatch(text, /\uFFFD|\\ud83d/i);
  }
});

test('half a character in a request is not worth refusing it for', async () => {
  const done = `${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }] })}`;
  behaviours.set('half', `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${done}`);
  const asked = bodies.length;
  const reply = await post('/v1/chat/completions', '{"model":"gemini/m","messages":[{"role":"user","content":"cut \\ud83d"}]}', OWNER, { 'x-session-id': 'half' });
  assert.equal(reply.status, 200);
  assert.equal(JSON.parse(bodies[asked]).contents[0].parts[0].text, 'cut \uFFFD');
});

test('calls that share an id are told apart, in answers and in what is handed back', async () => {
  const two = ['a', 'a'].map((name, index) => chunk({ tool_calls: [{ index, id: 'same', type: 'function', function: { name, arguments: `{"n":${index}}` } }] })).join('');
  const { text } = await ask('anthropic', 'compat', two + chunk({}, 'tool_calls') + 'data: [DONE]\n\n');
  const ids = [...text.matchAll(/"type":"tool_use","id":"([^"]+)"/g)].map((m) => m[1]);
  assert.equal(ids.length, 2);
  assert.equal(new Set(ids).size, 2, ids.join());
  behaviours.set('same', `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }] })}`);
  const asked = bodies.length, fn = (name) => ({ id: 'same', type: 'function', function: { name, arguments: '{}' } });
  const reply = await post('/v1/chat/completions', { model: 'gemini/m', messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', tool_calls: [fn('a'), fn('b')] },
    { role: 'tool', tool_call_id: 'same', content: 'of a' }, { role: 'tool', tool_call_id: 'same', content: 'of b' }] }, OWNER, { 'x-session-id': 'same' });
  assert.equal(reply.status, 200);
  const { contents } = JSON.parse(bodies[asked]), parts = contents.flatMap((c) => c.parts);
  const calls = parts.filter((p) => p.functionCall).map((p) => [p.functionCall.id, p.functionCall.name]);
  const results = parts.filter((p) => p.functionResponse).map((p) => [p.functionResponse.id, p.functionResponse.name, p.functionResponse.response.output]);
  assert.notEqual(calls[0][0], calls[1][0]);
  assert.deepEqual(results, [[...calls[0], 'of a'], [...calls[1], 'of b']]);
});

test('a call without its result, and a result without its call, are refused with their paths where the vendor takes none', async () => {
  const fn = { id: 'c', type: 'function', function: { name: 'a', arguments: '{}' } };
  const rows = [[[{ role: 'user', content: 'hi' }, { role: 'assistant', tool_calls: [fn] }, { role: 'user', content: 'never mind' }], 'messages[1].tool_calls[0]'],
    [[{ role: 'user', content: 'hi' }, { role: 'tool', tool_call_id: 'gone', content: 'r' }], 'messages[1].content']];
  for (const [messages, param] of rows) {
    const reply = await post('/v1/chat/completions', { model: 'anthropic/m', messages });
    assert.equal(reply.status, 400);
    assert.equal((await reply.json()).error.param, param);
  }
  const reply = await post('/api/chat', { model: 'anthropic/m', stream: false, messages: [{ role: 'user', content: 'hi' }, { role: 'tool', content: 'r', tool_name: 'a' }] });
  assert.match((await reply.json()).error, /^messages\[1\]/, 'an envelope of one text names the member in it');
});

test('of several relayed answers each has to end', async () => {
  const one = (index, delta, finish = null) => `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta, finish_reason: finish }] })}\n\n`;
  const part = (index, finishReason) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'a' }] }, index, finishReason }] })}\r\n\r\n`;
  const rows = [['chat', 'compat', one(0, { content: 'a' }) + one(1, { content: 'b' }) + one(0, {}, 'stop'), one(1, {}, 'stop'), { n: 2 }],
    ['gemini', 'gemini', part(0) + part(1) + part(0, 'STOP'), part(1, 'STOP'), { generationConfig: { candidateCount: 2 } }]];
  for (const [caller, target, cut, rest, more] of rows) {
    assert.match((await ask(caller, target, cut, true, more)).text, /upstream_cut/, caller);
    assert.doesNotMatch((await ask(caller, target, cut + rest, true, more)).text, /error/, caller);
  }
});

test('a relayed CR LF that a cut divides is whole, so that the error behind it is an event of its own', async () => {
  const half = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'hi' }] } }] })}\r\n\r`;
  const { text } = await ask('gemini', 'gemini', half);
  const events = text.split('\r\n\r\n').filter(Boolean); // as Google's clients divide them
  assert.equal(events.length, 2, JSON.stringify(text));
  assert.match(JSON.parse(events[1].replace(/^data: /, '')).error.details[0].reason, /upstream_cut/);
  const whole = half.replace('}]}', '}]},"finishReason":"STOP"') + '\n';
  assert.equal((await ask('gemini', 'gemini', whole)).text, (await ask('gemini', 'gemini', whole.slice(0, -1))).text);
});

test('"error": null is none', async () => {
  const answer = { candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'MAX_TOKENS' }], error: null };
  assert.equal(JSON.parse((await ask('chat', 'gemini', JSON.stringify(answer), false)).text).choices[0].finish_reason, 'length');
  await isRefused('gemini', '{"error":null}', false);
});

test('a relayed stream that is cut inside an event ends with whole events', async () => {
  for (const rest of ['d', 'data', 'data:', 'data: ', 'data: {"id"', 'event: x\ndata']) {
    const { text } = await ask('chat', 'compat', chunk({ content: 'a' }) + rest);
    const events = text.split('\n\n').filter(Boolean);
    assert.equal(events.length, 2, JSON.stringify(rest));
    for (const one of events) JSON.parse(one.replace(/^data: /, ''));
    assert.match(events[1], /upstream_cut/);
  }
});

test('[DONE] behind a relayed Gemini stream is not the caller\'s', async () => {
  const bytes = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }] })}\r\n\r\ndata: [DONE]\r\n\r\n`;
  const { text } = await ask('gemini', 'gemini', bytes);
  assert.match(text, cleanEnd.gemini);
  assert.doesNotMatch(text, /DONE|error/);
});

test('members of a call that nobody else knows are named where they are left out', async () => {
  behaviours.set('whole', `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${JSON.stringify({
    candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }],
  })}`);
  const reply = await post('/v1/chat/completions', {
    model: 'gemini/m',
    messages: [{ role: 'user', content: 'hi' },
      { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', extra: { a: 1 }, function: { name: 'a', arguments: '{}', note: 'x' } }] },
      { role: 'tool', tool_call_id: 'c', content: 'r' }],
  }, OWNER, { 'x-session-id': 'whole' });
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.headers.get('x-maestro-dropped').split(', '),
    ['messages[1].tool_calls[0].extra', 'messages[1].tool_calls[0].function.note']);
});
