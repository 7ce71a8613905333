// Models that leak, seen through the vendors' own SDKs: what a model writes into its text as markup must reach the program
// as a tool call or a thought, text that only looks like it as the text it is, and what is a guard's as an error.
//
// The mock's leaking models (docs/mock.md) stand behind providers that are no vendor's own endpoint: `compat` (relayed to
// OpenAI's callers), `anthropic` and `ollama`. That the mock itself says markup as text, and no call, is checked first, by the
// same SDKs without the gateway. One test: SDK_ONLY='google -> compat: leak-glm'.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { KEY, until } from './harness.js';
import { aiOpenaiClients } from './sdk/clients_ai.js';
import { anthropicClients } from './sdk/clients_anthropic.js';
import { googleClients } from './sdk/clients_google.js';
import { ollamaClients } from './sdk/clients_ollama.js';
import { openaiClients } from './sdk/clients_openai.js';
import { startTargets } from './sdk/targets.js';

const clients = [...openaiClients, ...anthropicClients, ...googleClients, ...ollamaClients,
  ...aiOpenaiClients.filter((c) => c.id === 'ai-compat')];
const targets = [{ id: 'compat', dialect: 'openai_chat' }, { id: 'anthropic', dialect: 'anthropic' }, { id: 'ollama', dialect: 'ollama' }];
/** The AI SDK is slow to stream, and says what OpenAI's own does. */
const targetsOf = (client) => client.id === 'ai-compat' ? targets.slice(0, 1) : targets;
const only = process.env.SDK_ONLY ? new RegExp(process.env.SDK_ONLY) : /./;

// The mock calls the first tool with each required member's default; a schema's types decide what a text value is.
const expected = {
  city: '42',
  note: 'if [ a < b ] && echo "ok"; then\n  第二行\nfi',
  days: 3,
  exact: true,
  tags: ['a', '7'],
  place: { lat: 1.5, names: ['x'] },
};
const types = { city: 'string', note: 'string', days: 'integer', exact: 'boolean', tags: 'array', place: 'object' };
const lookup = {
  name: 'web_lookup', description: 'Looks something up',
  parameters: {
    type: 'object', required: Object.keys(types),
    properties: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, {
      type, default: expected[name], ...(type === 'array' && { items: { type: 'string' } }),
    }])),
  },
};
const time = { name: 'get_time', description: 'Time of a zone', parameters: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] } };
const tools = [lookup, time];

/** Leaks that are calls; `marker` is how each begins, `open`: nothing can follow the call. */
const leaks = [
  { id: 'leak-xml', marker: '<tool_calls>' },
  { id: 'leak-dsml', marker: '<｜DSML｜function_calls>' },
  { id: 'leak-dsml4', marker: '<｜DSML｜tool_calls>' },
  { id: 'leak-deepseek', marker: '<｜tool▁calls▁begin｜>' },
  { id: 'leak-deepseek31', marker: '<｜tool▁calls▁begin｜>' },
  { id: 'leak-kimi', marker: '<|tool_calls_section_begin|>' },
  { id: 'leak-hermes', marker: '<tool_call>' },
  { id: 'leak-qwen-coder', marker: '<tool_call>\n<function=web_lookup>' },
  { id: 'leak-glm', marker: '<tool_call>web_lookup\n<arg_key>' },
  { id: 'leak-minimax', marker: '<minimax:tool_call>' },
  { id: 'leak-mistral', marker: '[TOOL_CALLS]', open: true },
  { id: 'leak-mistral11', marker: '[TOOL_CALLS]web_lookup[ARGS]', open: true },
  { id: 'leak-harmony', marker: '<|channel|>commentary to=functions.web_lookup', open: true },
  { id: 'leak-llama', marker: '<|python_tag|>', open: true },
  { id: 'leak-anthropic', marker: '<function_calls>' },
  { id: 'leak-mcp', marker: '<CallMcpTool><serverName>web</serverName>' },
];
const texts = [
  { id: 'leak-text', marker: '```xml\n<tool_calls>' },
  { id: 'leak-unclosed', marker: '{"unfinished' },
  { id: 'leak-unknown', marker: '<invoke name="mock_no_such_tool">' },
  { id: 'think-mention', marker: '`<think>`' },
];
const BEFORE = 'I will look that up.', AFTER = 'That should do.';
const THOUGHTS = 'The user wrote something. A short answer will do.';

let servers, questions = 0;
before(async () => { servers = await startTargets(); });
after(async () => { await servers?.stop(); });
const question = (behaviour) => `[[mock:${behaviour}]] look it up nr${++questions}.`;

/** One test whole and one streamed; run gets ask(q) for the client at the target. */
function both(client, target, id, run) {
  for (const stream of [false, true]) {
    const name = `${client.id} -> ${target?.id ?? 'mock'}: ${id}${stream ? ', streamed' : ''}`;
    if (only.test(name))
      test(name, { timeout: 60_000 }, async () => {
        const at = { url: target ? servers.serve.url : servers.mock.url, key: KEY };
        await run((q) => client.ask(at, { model: target ? `${target.id}/m` : 'mock-small', stream, ...q }));
      });
  }
}
/** What the mock says with its own mouth. */
async function direct(behaviour, withTools = true) {
  const functions = withTools ? tools.map((f) => ({ type: 'function', function: f })) : undefined;
  const r = await fetch(`${servers.mock.url}/v1/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: behaviour, messages: [{ role: 'user', content: 'x' }], tools: functions }),
  });
  return (await r.json()).choices[0].message.content;
}
const isText = (answer, text) => {
  assert.equal(answer.text, text);
  assert.deepEqual(answer.calls, []);
  assert.equal(answer.stop, 'stop');
};
const isCall = (answer, text = '') => {
  assert.deepEqual(answer.calls.map((c) => [c.name, c.args]), [['web_lookup', expected]]);
  assert.equal(answer.stop, 'tool');
  assert.equal(answer.text.trim().replace(/\s+/g, ' '), text);
};

// --- the mock itself: markup is text to every SDK ------------------------------------------------------------------------

for (const client of clients)
  for (const leak of [...leaks, ...texts].filter(({ id }) => client.id === 'openai-chat' || /leak-(xml|dsml|kimi|text)$/.test(id)))
    both(client, null, leak.id, async (ask) => {
      const answer = await ask({ turns: [{ user: question(`${leak.id}+leak-prose`) }], tools });
      assert.ok(answer.text.startsWith(BEFORE) && answer.text.includes(leak.marker), answer.text);
      isText(answer, await direct(`${leak.id}+leak-prose`));
    });

// --- calls ----------------------------------------------------------------------------------------------------------------

for (const client of clients)
  for (const target of targetsOf(client))
    for (const leak of leaks)
      both(client, target, leak.id, async (ask) => {
        const user = question(`${leak.id}+leak-prose`);
        const first = await ask({ turns: [{ user }], tools });
        isCall(first, BEFORE);
        const results = [[first.calls[0], 'sunny, 21 C']];
        const last = await ask({ turns: [{ user }, { answer: first }, { results }], tools });
        assert.match(last.text, /sunny, 21 C/);
        assert.equal(last.stop, 'stop');
        assert.deepEqual(last.calls, []);
      });

for (const client of clients)
  for (const target of targetsOf(client))
    both(client, target, 'leak-parallel', async (ask) => {
      const user = question('leak-parallel');
      const first = await ask({ turns: [{ user }], tools });
      assert.deepEqual(first.calls.map((c) => [c.name, c.args]), [['web_lookup', expected], ['web_lookup', expected]]);
      assert.equal(first.stop, 'tool');
      if (first.calls[0].id !== undefined) assert.notEqual(first.calls[0].id, first.calls[1].id);
      const results = [[first.calls[0], 'result one'], [first.calls[1], 'result two']];
      assert.match((await ask({ turns: [{ user }, { answer: first }, { results }], tools })).text, /result two/);
    });

// OpenAI's caller is relayed, Anthropic's is translated.
for (const client of clients.filter((c) => c.id === 'openai-chat' || c.id === 'anthropic'))
  for (const leak of leaks.filter(({ id }) => client.id === 'openai-chat' || id === 'leak-dsml')) {
    both(client, targets[0], `${leak.id} alone`, async (ask) => isCall(await ask({ turns: [{ user: question(leak.id) }], tools })));
    both(client, targets[0], `${leak.id} in escapes`, async (ask) =>
      isCall(await ask({ turns: [{ user: question(`${leak.id}+leak-prose+escaped`) }], tools }), BEFORE));
    both(client, targets[0], `${leak.id} without tools`, async (ask) =>
      isText(await ask({ turns: [{ user: question(leak.id) }] }), await direct(leak.id, false)));
    if (!leak.open)
      both(client, targets[0], `${leak.id} amid words`, async (ask) =>
        isCall(await ask({ turns: [{ user: question(`${leak.id}+leak-prose-around`) }], tools }), `${BEFORE} ${AFTER}`));
  }

// --- what stays text --------------------------------------------------------------------------------------------------------

for (const client of clients)
  for (const target of targetsOf(client))
    for (const { id } of texts)
      both(client, target, id, async (ask) => isText(await ask({ turns: [{ user: question(id) }], tools }), await direct(id)));

// --- streams that are cut within a marker or a call -------------------------------------------------------------------------

const failing = async (client, target, q) => {
  const all = { model: `${target.id}/m`, stream: true, ...q };
  const e = await client.ask({ url: servers.serve.url, key: KEY }, all).then((a) => assert.fail(`no error, but ${JSON.stringify(a)}`), (x) => x);
  if (e.code === 'ERR_ASSERTION') throw e;
  return e;
};
for (const client of clients)
  for (const target of targetsOf(client))
    for (const bytes of [2500, 5000]) {
      const name = `${client.id} -> ${target.id}: leak-hermes is cut after ${bytes} bytes`;
      if (only.test(name))
        test(name, { timeout: 60_000 }, () => failing(client, target, { turns: [{ user: question(`leak-hermes+leak-prose+stream-cut-${bytes}`) }], tools }));
    }

// --- thoughts -------------------------------------------------------------------------------------------------------------

for (const client of clients)
  for (const target of targetsOf(client).filter((t) => t.dialect !== client.dialect)) {
    both(client, target, 'think-inline', async (ask) => {
      const answer = await ask({ turns: [{ user: question('think-inline') }], think: true });
      assert.equal(answer.text.trim(), 'This comes after the thoughts.');
      assert.equal(answer.thinking.trim(), THOUGHTS);
      assert.equal(answer.stop, 'stop');
    });
    both(client, target, 'leak-think', async (ask) => {
      const answer = await ask({ turns: [{ user: question('leak-think') }], tools, think: true });
      isCall(answer);
      assert.match(answer.thinking, /A call will do/);
    });
  }

// --- guards: streams end with an error ------------------------------------------------------------------------------------

/** The wire's own view, for what an SDK might hide. */
const wires = {
  openai_chat: { path: '/v1/chat/completions', body: (model, content) => ({ model, stream: true, messages: [{ role: 'user', content }] }) },
  openai_responses: { path: '/v1/responses', body: (model, input) => ({ model, stream: true, input }) },
  anthropic: { path: '/v1/messages', body: (model, content) => ({ model, stream: true, max_tokens: 64000, messages: [{ role: 'user', content }] }) },
  gemini: { path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`, body: (model, text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }) },
  ollama: { path: '/api/chat', body: (model, content) => ({ model, stream: true, messages: [{ role: 'user', content }] }) },
};
const ENDINGS = /"finish_reason":\s*"|response\.completed|message_stop|"finishReason"|"done":\s*true|\[DONE\]/;
/** All of a stream; a connection that breaks is an end too, and says so. */
async function wire(dialect, model, text) {
  const { path, body } = wires[dialect];
  const r = await servers.serve.post(typeof path === 'string' ? path : path(model), body(model, text));
  let bytes = 0, head = '', tail = '';
  for await (const chunk of r.body.pipeThrough(new TextDecoderStream())) {
    bytes += chunk.length;
    if (head.length < 65536) head += chunk;
    tail = (tail + chunk).slice(-300_000);
  }
  return { status: r.status, bytes, head, tail };
}

for (const dialect of Object.keys(wires))
  for (const target of targets) {
    const name = `${dialect} -> ${target.id}`;
    if (only.test(`${name}: leak-scaffold`))
      test(`${name}: leak-scaffold on the wire`, { timeout: 60_000 }, async () => {
        const { status, head, tail } = await wire(dialect, `${target.id}/m`, question('leak-scaffold'));
        assert.doesNotMatch(head, /task-notification|task-id|mock-1|It has ended/);
        assert.match(tail, /error/);
        assert.doesNotMatch(tail, ENDINGS);
        if (dialect === 'anthropic') assert.match(tail, /overloaded_error/);
        if (status !== 200) assert.ok(status === 503 || status === 529, `${status}`);
      });
    if (only.test(`${name}: runaway`))
      test(`${name}: runaway on the wire`, { timeout: 60_000 }, async () => {
        const full = 12_000_000; // of text alone; Responses says all of it several times at the end
        const before = await servers.mock.stats();
        const { bytes, tail } = await wire(dialect, `${target.id}/m`, question('runaway'));
        assert.ok(bytes < full, `${bytes} bytes`);
        assert.match(tail, /error/);
        assert.doesNotMatch(tail, ENDINGS);
        await until('the upstream to be closed', async () => (await servers.mock.stats()).aborted > before.aborted);
      });
  }

for (const client of clients)
  for (const target of targetsOf(client)) {
    const name = `${client.id} -> ${target.id}: leak-scaffold throws`;
    if (only.test(name))
      test(name, { timeout: 60_000 }, async () => {
        const e = await failing(client, target, { turns: [{ user: question('leak-scaffold') }] });
        if (client.id === 'anthropic') assert.equal(client.errorOf(e).code, 'overloaded_error');
      });
  }
