// The table of scenarios: what every client must see from every target. `[[mock:NAME]]` in a question tells the mock what to
// do (docs/mock.md); what it says then is in its documents and not taken from the gateway's output.
import assert from 'node:assert/strict';
import { sleep, until } from '../harness.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const THOUGHTS = 'The user wrote something. A short answer will do.';
const property = (type) => ({ type });
const weather = {
  name: 'get_weather', description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: property('string') }, required: ['city'] },
};
const time = {
  name: 'get_time', description: 'Time of a zone',
  parameters: { type: 'object', properties: { zone: property('string'), precise: property('boolean') }, required: ['zone', 'precise'] },
};
const schema = {
  type: 'object', properties: { city: property('string'), count: property('integer') }, required: ['city', 'count'],
  additionalProperties: false,
};
const tokens = (text) => Math.ceil(Buffer.byteLength(text) / 4); // the mock's way of counting

let questions = 0;
/** A question nobody asked before, so that the mock's record of it can be found. */
const question = (behaviour, text = 'hello') => `[[mock:${behaviour}]] ${text} nr${++questions}.`;
const textIn = (body) => { // all strings of a body in a row, however its dialect cuts texts into parts
  const texts = [];
  JSON.stringify(body, (k, v) => { if (typeof v === 'string' && k !== 'type' && k !== 'role') texts.push(v); return v; });
  return texts.join('');
};
const seen = async (mock, text) => {
  const mark = text.slice(text.lastIndexOf(' ') + 1);
  return (await mock.requests()).requests.filter((r) => r.body.includes(mark)).map((r) => JSON.parse(r.body));
};
const asker = (c) => (q) => c.client.ask(c.at, { model: c.model, stream: c.stream, ...q });
const failure = async (c, q) => {
  const e = await asker(c)(q).then((r) => assert.fail(`no error, but ${JSON.stringify(r)}`), (x) => x);
  if (e.code === 'ERR_ASSERTION') throw e;
  return { e, ...c.client.errorOf(e) };
};
const failsWith = (status, behaviour) => async (c) => {
  const got = await failure(c, { turns: [{ user: question(behaviour) }] });
  assert.equal(got.status, status, got.e.message);
  return got;
};

/** A stream that breaks: what came is delivered, then the SDK throws. */
const breaks = (behaviour) => async (c) => {
  let parts = 0;
  await failure(c, { turns: [{ user: question(behaviour) }], stream: true, onPart: () => { parts++; } });
  assert.ok(parts > 0, 'what came before the break is delivered');
};

const aborts = (behaviour, stream) => async (c) => {
  const before = await c.mock.stats();
  const control = new AbortController();
  let settled = false;
  const running = asker(c)({ turns: [{ user: question(behaviour) }], stream, signal: control.signal })
    .then(() => { throw new Error('an aborted answer looks complete'); }, () => {}).finally(() => { settled = true; });
  await until('the mock to have the request', async () => (await c.mock.stats()).requests > before.requests);
  if (stream) await sleep(30);
  control.abort();
  await until('the upstream to be closed', async () => (await c.mock.stats()).aborted > before.aborted);
  await until('the SDK to end', () => settled);
  await running;
};

const roundTrip = async (c, behaviour, extra = {}) => {
  const text = question(behaviour, 'weather');
  const ask = asker(c);
  const first = await ask({ turns: [{ user: text }], tools: [weather, time], ...extra });
  assert.equal(first.calls.length, 1);
  assert.equal(first.calls[0].name, 'get_weather');
  assert.deepEqual(first.calls[0].args, { city: 'mock' });
  assert.equal(first.stop, 'tool');
  const last = await ask({
    turns: [{ user: text }, { answer: first }, { results: [[first.calls[0], 'sunny, 21 C']] }], tools: [weather, time], ...extra,
  });
  if (c.client.shows.wrapsResults && c.target.type === c.client.dialect) assert.match(last.text, /"content":"sunny, 21 C"/);
  else assert.equal(last.text, 'sunny, 21 C');
  assert.equal(last.stop, 'stop');
  return { first, sent: (await seen(c.mock, text)).at(-1) };
};

/** What comes where a target cannot say more: an ordinary end. */
async function plainly(c) {
  const r = await asker(c)({ turns: [{ user: question('refusal') }] });
  assert.equal(r.stop, 'stop');
}

async function countsAnswer(c) {
  const user = question('echo', 'what is counted');
  const r = await asker(c)({ turns: [{ user }] });
  assert.ok(r.usage.out >= tokens(user) && r.usage.out <= tokens(user) + 2, `${r.usage.out}`);
}

async function refusesChoice(c) {
  const { e, status } = await failure(c, { turns: [{ user: question('tool') }], schema });
  assert.equal(status, 400);
  assert.match(e.message, /tool_choice/);
}

/** `both`: run whole and streamed. */
export const scenarios = [
  { id: 'text', both: true, async run(c) {
    const user = question('echo', 'Grüße "quoted" \\ and\nlines');
    const r = await asker(c)({ turns: [{ user }] });
    assert.equal(r.text, user);
    assert.equal(r.stop, 'stop');
  } },
  { id: 'usage', both: true, async run(c) {
    const user = question('echo', 'what is counted');
    const r = await asker(c)({ turns: [{ user }] });
    assert.equal(r.usage.in, tokens(user));
    assert.equal(r.usage.out, tokens(user));
  } },
  { id: 'a conversation', both: true, async run(c) {
    const ask = asker(c);
    const first = await ask({ turns: [{ user: question('unicode') }] });
    const user = question('echo', 'and then');
    const r = await ask({ turns: [{ user: 'before' }, { answer: first }, { user }] });
    assert.equal(r.text, user);
    assert.match(textIn((await seen(c.mock, user)).at(-1)), /Grüße aus Zürich — 你好，世界 👋🏽 שלום e\u0301\./);
  } },
  { id: 'tool round trip', both: true, run: (c) => roundTrip(c, 'tool') },
  { id: 'parallel tools', both: true, async run(c) {
    const user = question('tool-parallel');
    const ask = asker(c);
    const first = await ask({ turns: [{ user }], tools: [weather, time] });
    assert.deepEqual(first.calls.map((x) => [x.name, x.args]), [['get_weather', { city: 'mock' }], ['get_time', { zone: 'mock', precise: true }]]);
    assert.equal(first.stop, 'tool');
    if (first.calls[0].id !== undefined) assert.notEqual(first.calls[0].id, first.calls[1].id);
    const results = [[first.calls[0], 'result one'], [first.calls[1], 'result two']];
    const last = await ask({ turns: [{ user }, { answer: first }, { results }], tools: [weather, time] });
    assert.match(last.text, /result two/);
    const sent = JSON.stringify((await seen(c.mock, user)).at(-1));
    assert.ok(sent.indexOf('result one') > 0 && sent.indexOf('result one') < sent.indexOf('result two'), sent);
  } },
  { id: 'structured output', both: true, async run(c) {
    const user = question(c.client.shows.objectByTool ? 'tool' : 'json-out');
    const r = await asker(c)({ turns: [{ user }], schema });
    assert.deepEqual(r.object ?? JSON.parse(r.text), { city: 'mock', count: 1 });
  } },
  { id: 'thinking', both: true, async run(c) {
    const r = await asker(c)({ turns: [{ user: question('thinking') }], think: true });
    if (!c.client.shows.noThinking) assert.equal(r.thinking.trim(), THOUGHTS);
    assert.match(r.text, /deterministic answer/);
    assert.equal(r.stop, 'stop');
  } },
  // The mock refuses what it did not sign; that nothing is lost either is seen in what it was sent.
  { id: 'thinking comes back', both: true, async run(c) {
    const { sent } = await roundTrip(c, 'strict-signature+thinking+tool', { think: true });
    const text = JSON.stringify(sent);
    if (c.target.id === 'bedrock') assert.match(text, /"reasoningText":\{[^}]*"signature":"[^"]{64}"/);
    if (c.target.id === 'anthropic') assert.match(text, /"type":"thinking"[^}]*"signature":"[^"]{64}"|"signature":"[^"]{64}"[^}]*"type":"thinking"/);
    if (c.target.id === 'gemini') assert.match(text, /"thoughtSignature":"[^"]{64}"/);
  } },
  { id: 'image', both: false, async run(c) {
    const user = question('echo', 'look');
    const r = await asker(c)({ turns: [{ user, image: PNG }] });
    assert.equal(r.text, user);
    assert.ok(JSON.stringify((await seen(c.mock, user)).at(-1)).includes(PNG));
  } },
  { id: 'length', both: true, async run(c) {
    const r = await asker(c)({ turns: [{ user: question('length') }], maxTokens: 1234 });
    assert.equal(r.stop, 'length');
    assert.match(r.text, /deterministic answer/);
  } },
  { id: 'limit reaches the target', both: false, async run(c) {
    const user = question('echo');
    await asker(c)({ turns: [{ user }], maxTokens: 1234 });
    assert.match(JSON.stringify((await seen(c.mock, user)).at(-1)), /"(max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens|maxTokens|num_predict)":1234/);
  } },
  { id: 'stop sequence', both: true, async run(c) {
    const user = question('stop-sequence');
    const r = await asker(c)({ turns: [{ user }], stop: '###' });
    assert.equal(r.stop, 'stop');
    if (c.client.id === 'anthropic' && c.target.id === 'anthropic') assert.equal(r.stopSequence, '###');
    assert.match(JSON.stringify((await seen(c.mock, user)).at(-1)), /###/);
  } },
  { id: 'refusal', both: true, async run(c) {
    const r = await asker(c)({ turns: [{ user: question('refusal') }] });
    assert.match(r.stop, /^(refusal|filter)$/);
  } },
  { id: 'filter', both: true, async run(c) {
    const r = await asker(c)({ turns: [{ user: question('filter') }] });
    assert.match(r.stop, /^(refusal|filter)$/);
  } },
  { id: 'empty answer', both: true, async run(c) {
    const r = await asker(c)({ turns: [{ user: question('empty') }] });
    assert.equal(r.text, '');
    assert.equal(r.calls.length, 0);
    assert.equal(r.stop, 'stop');
  } },
  { id: 'cached tokens', both: true, async run(c) {
    const user = question('usage-cache', 'x'.repeat(200));
    const r = await asker(c)({ turns: [{ user }] });
    assert.equal(r.usage.in, tokens(user), 'all of the prompt');
    if (c.client.shows.cached) assert.equal(r.usage.cached, Math.floor(tokens(user) / 2));
  } },
  { id: 'error 400', both: true, run: failsWith(400, 'fail-400') },
  { id: 'error 401 of the provider', both: false, async run(c) {
    const { e } = await failsWith(401, 'fail-401')(c);
    assert.match(`${e.message}`, new RegExp(`${c.target.id}`), 'the provider is named');
  } },
  { id: 'error 404 of the provider', both: false, run: failsWith(404, 'fail-404') },
  { id: 'error 429', both: true, async run(c) {
    const { retryAfter } = await failsWith(429, 'fail-429')(c);
    if (c.client.shows.retryAfter) assert.equal(retryAfter, '2');
  } },
  { id: 'error 500', both: true, run: failsWith(500, 'fail-500') },
  { id: 'error 503', both: false, run: failsWith(503, 'fail-503') },
  { id: 'prompt too long', both: false, run: failsWith(400, 'fail-context') },
  { id: 'HTML instead of an answer', both: true, run: failsWith(502, 'fail-html') },
  { id: 'unknown model', both: true, async run(c) {
    const { status, e } = await failure({ ...c, model: `${c.target.id}/none` }, { turns: [{ user: 'hi' }] });
    assert.equal(status, 404, e.message);
    assert.match(e.message, new RegExp(`${c.target.id}/m`), 'the nearest name is told');
  } },
  { id: 'wrong key', both: false, async run(c) {
    const wrong = { ...c, at: { ...c.at, key: 'sk-maestro-wrong' } };
    for (let tries = 1; ; tries++) {
      const { status, e } = await failure(wrong, { turns: [{ user: 'hi' }] });
      if (status === 429 && tries < 8) { await sleep(1100); continue; } // so many wrong keys from here are held off for a second
      assert.equal(status, 401, e.message);
      return;
    }
  } },
  { id: 'error in mid-stream', run: breaks('stream-error') },
  { id: 'stream is cut', run: breaks('stream-cut') },
  { id: 'broken event', run: breaks('garbage-json') },
  { id: 'tool stream is cut', async run(c) {
    await failure(c, { turns: [{ user: question('tool+stream-cut') }], tools: [weather], stream: true });
  } },
  { id: 'abort of a stream', run: aborts('stream-stall', true) },
  { id: 'abort before the answer', run: aborts('hang', false) },
  { id: 'model list', async run(c) {
    if (!c.client.models) return;
    const ids = await c.client.models(c.at);
    assert.ok(ids.includes(c.model) && ids.includes('maestro-auto'), ids.join(' '));
  } },
  { id: 'token count', async run(c) {
    if (!c.client.count) return;
    const text = 'x'.repeat(400);
    const n = await c.client.count(c.at, { model: c.model, text });
    assert.ok(n > 20 && n < 400, `${n}`);
  } },
  { id: 'embeddings', async run(c) {
    if (!c.client.embed) return;
    const texts = ['the first text', 'another one'];
    const { vectors } = await c.client.embed(c.at, { model: c.model, texts });
    assert.equal(vectors.length, 2);
    assert.ok(vectors.every((v) => v.length >= 16 && v.every(Number.isFinite)), `${vectors.map((v) => v.length)}`);
    assert.notDeepEqual(vectors[0], vectors[1]);
    assert.ok(Math.abs(vectors[0].reduce((sum, x) => sum + x * x, 0) - 1) < 0.001, 'of length one');
  } },
];

/** What a vendor cannot do: the first row that fits a cell says what happens instead (`run`), or that there is nothing to see. */
export const limits = [
  { scenario: 'stop sequence', client: 'openai_responses', reason: 'Responses has no stop sequences' },
  { scenario: 'refusal', client: 'langchain-openai', target: ['compat', 'openai'], reason: 'LangChain passes no refusals on', run: plainly },
  { scenario: ['usage', 'cached tokens'], client: 'langchain-anthropic', stream: true,
    reason: 'LangChain takes the prompt from the first event, where other vendors do not know it yet, and adds up what is cumulative',
    run: countsAnswer },
  { scenario: 'structured output', client: ['langchain-responses', 'langchain-anthropic'], stream: true,
    reason: 'LangChain parses each piece of the stream by itself' },
  { scenario: 'structured output', client: ['ai-anthropic', 'langchain-anthropic'], target: 'ollama',
    reason: 'the SDK forces a tool, which Ollama cannot', run: refusesChoice },
  { scenario: 'thinking', client: 'langchain-responses', target: 'openai',
    reason: 'LangChain asks no model whose name it does not know for a summary' },
  { scenario: 'refusal', target: 'ollama', reason: 'Ollama has no refusals', run: plainly },
  { scenario: 'filter', target: 'ollama', reason: 'Ollama has no filter', run: plainly },
  { scenario: 'cached tokens', target: 'ollama', reason: 'Ollama does not tell of its cache', async run(c) {
    const r = await asker(c)({ turns: [{ user: question('usage-cache', 'x'.repeat(200)) }] });
    assert.ok(r.usage.in > 50);
    assert.ok(!r.usage.cached);
  } },
  { scenario: 'embeddings', target: ['anthropic', 'bedrock'], reason: 'Anthropic and Converse have no embeddings', async run(c) {
    if (!c.client.embed) return;
    const e = await c.client.embed(c.at, { model: c.model, texts: ['x'] }).then(() => assert.fail('no error'), (x) => x);
    assert.equal(c.client.errorOf(e).status, 400);
    assert.match(e.message, /(anthropic|bedrock).*does not serve embeddings; ask a model of another one/);
  } },
];
