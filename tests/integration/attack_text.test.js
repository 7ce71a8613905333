// Hostile answers in every dialect, to every caller: leaked calls beside real ones, markers cut anywhere, streams that
// end in doubt. Never half a call, a lost byte, a clean end of what was cut; every frame obeys its dialect's rules.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { startServe } from './harness.js';
import { callers, framesOf, readers, scripts, startProvider, wholeReaders } from './hostile_text.js';

const targets = { chat: ['openai-compatible', '/v1'], anthropic: ['anthropic', '/v1'], gemini: ['gemini', '/v1beta'], ollama: ['ollama', ''], responses: ['openai', '/v1'] };
let provider, serve, counter, count = 0;

before(async () => {
  provider = await startProvider();
  const url = `http://127.0.0.1:${provider.address().port}`;
  serve = await startServe({
    config: {
      guards: { think: 'off' },
      server: { workers: 1 },
      stream: { headAfterMs: 300, keepAliveMs: 200 },
      providers: Object.fromEntries(Object.entries(targets).flatMap(([id, [type, path]]) => ['', '-two'].map((two) => [id + two, {
        type, baseURL: url + path, apiKey: `sk-upstream-secret-${id}`, models: { ...(!two && { m: {} }), [`twin-${id}`]: {} },
      }]))),
    },
  });
  counter = await startServe({ config: { providers: {
    any: { type: 'openai', baseURL: `${url}/v1`, apiKey: 'k', models: Object.fromEntries(['gpt-4o', 'gpt-5', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'qwen-vl'].map((m) => [m, {}])) } } } });
});
after(async () => {
  await counter?.stop();
  await serve?.stop();
  provider?.closeAllConnections();
  provider?.close();
});

/** A provider of Responses is asked in chat by the others. */
const pairs = Object.keys(callers).flatMap((c) => Object.keys(targets).filter((t) => t !== 'responses' || c === 'responses').map((t) => [c, t]));

async function ask(caller, target, steps, { stream = true, write, more, headers, at = serve } = {}) {
  const id = `q${count++}`, script = { steps, write };
  scripts.set(id, script);
  const [path, body] = callers[caller](target, stream, `[[s:${id}]]`, more);
  const reply = await at.post(path, body, headers);
  const text = await reply.text();
  scripts.delete(id);
  if (reply.status !== 200) return { status: reply.status, body: text, script };
  return { status: 200, body: text, script, ...(stream ? readers[caller](text) : wholeReaders[caller](JSON.parse(text))) };
}
const parsed = (calls) => calls.map(([name, args]) => [name, JSON.parse(args)]);
const leak = (x) => `<tool_call>\n{"name": "look", "arguments": ${JSON.stringify({ x })}}\n</tool_call>`;
const norm = (s) => s.replace(/\s+/g, ' ').trim();

const relays = Object.keys(callers).map((c) => [c, c]);
const chunk = (choice, delta, finish = null) => `data: ${JSON.stringify({ id: 'chatcmpl-x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: choice, delta, finish_reason: finish }] })}\n\n`;

test('a receipt and the usage come once, relayed and taken over', async () => {
  for (const [c, t] of pairs)
    for (const text of ['plain', leak('1'), `a ${leak('1')} b`]) {
      const a = await ask(c, t, [{ text: [...text] }], { headers: { 'x-maestro-receipt': '1' } });
      const name = `${c} of ${t}: ${text}`;
      assert.ok(a.clean, name);
      assert.equal(a.receipts, 1, name);
      assert.equal(a.usages, 1, name);
      assert.deepEqual(a.usage, [7, 5], name);
      assert.equal(a.calls.length, text === 'plain' ? 0 : 1, name);
      assert.equal(a.stop, text === 'plain' ? 'end' : 'tool', name);
    }
});

test('of several choices, the one that leaks changes none of the others', async () => {
  for (const headers of [{}, { 'x-maestro-receipt': '1' }])
    for (const [first, second] of [[0, 1], [1, 0]]) {
      const steps = [{ choice: first, text: ['plain ', 'text'] }, { choice: second, text: ['one '] }, { choice: first, stop: 'end' },
        { choice: second, text: [...leak('1')] }, { choice: second, stop: 'end' }];
      for (const t of ['chat', 'gemini']) {
        const a = await ask('chat', t, steps, { more: { n: 2 }, headers });
        const name = `${t} ${first} ${JSON.stringify(headers)}`;
        assert.ok(a.clean, name);
        assert.equal(a.choices[first].text, 'plain text', name);
        assert.equal(a.choices[first].stop, 'end', name);
        assert.equal(a.choices[second].text, 'one ', name);
        assert.deepEqual(parsed(a.choices[second].calls), [['look', { x: '1' }]], name);
        assert.equal(a.choices[second].stop, 'tool', name);
        assert.equal(a.receipts, Object.keys(headers).length, name);
      }
    }
});

test('what a cut leaves open is text, and the stream ends with an error', async () => {
  const open = leak('1').slice(0, -16);
  for (const [c, t] of pairs)
    for (const text of ['plain', 'a <tool', `a ${open}`, open, `\`\`\`xml\n${leak('1')}\n\`\`\``, `${leak('1')} and ${open}`]) {
      const a = await ask(c, t, [{ text: [text.slice(0, 5), text.slice(5)] }, { cut: true }]);
      const name = `${c} of ${t}: ${text}`;
      if (a.status !== 200) {
        assert.equal(a.status, 502, name);
        continue;
      }
      assert.ok(!a.clean, name);
      assert.ok(a.error, name);
      if (text.startsWith('<tool_call>') && text !== open) {
        assert.equal(a.calls.length, 1, name);
        assert.equal(norm(a.text), norm(`and ${open}`), name);
      } else {
        assert.equal(a.text, text, name);
        assert.deepEqual(a.calls, [], name);
      }
    }
});

test('a call cut by the length limit is text', async () => {
  const open = leak('1').slice(0, -16);
  for (const [c, t] of pairs)
    for (const text of [open, `a ${open}`, `\`\`\`\n${leak('1')}\n\`\`\``, '<function=look>\n<parameter=x>\n1', '{"name":"look","arguments":{"x":"1"}}', '[TOOL_CALLS][{"name":"look","arguments":{"x":"1"}']) {
      const a = await ask(c, t, [{ text: [...text] }, { stop: 'length' }]);
      assert.ok(a.clean, `${c} of ${t}: ${text}`);
      assert.equal(a.text, text, `${c} of ${t}`);
      assert.equal(a.stop, 'length', `${c} of ${t}: ${text}`);
    }
});

test('silence while text is held gets keep-alives, and the text comes at the end', async () => {
  const all = await Promise.all(pairs.map(async ([c, t]) => {
    const a = await ask(c, t, [{ text: ['a ', '<tool_call>\n{"na'] }, { ms: 900 }, { text: ['no more'] }, { stop: 'end' }]);
    const b = await ask(c, t, [{ text: ['<tool_call>\n{"na'] }, { ms: 900 }, { text: ['no more'] }, { stop: 'end' }]);
    return [c, t, a, b];
  }));
  for (const [c, t, a, b] of all) {
    assert.ok(a.clean && b.clean, `${c} of ${t}`);
    assert.equal(a.text, 'a <tool_call>\n{"nano more', `${c} of ${t}`);
    assert.equal(b.text, '<tool_call>\n{"nano more', `${c} of ${t}`);
    const pings = { chat: /^:/m, responses: /keepalive|^:/m, anthropic: /event: ping/, gemini: /^:/m, ollama: /"content":""[^\n]*\n[^\n]*"content":""|^\s*$/m };
    if (c !== 'gemini') for (const x of [a, b]) assert.match(x.body, pings[c], `${c} of ${t}: ${x.body.slice(0, 2000)}`);
  }
});

test('guards: an error before the first byte may be mended elsewhere, one behind it ends the stream', async () => {
  const scaffold = '<task-notification>done</task-notification>';
  for (const [c, t] of pairs) {
    const first = await ask(c, t, [{ text: [...scaffold] }, { text: 'more' }]);
    assert.equal(first.status, 529, `${c} of ${t}`);
    const later = await ask(c, t, [{ text: ['It is. ', ...scaffold] }, { text: 'more' }]);
    assert.equal(later.status, 200);
    assert.ok(!later.clean && later.error, `${c} of ${t}`);
    assert.equal(later.text, 'It is. ', `${c} of ${t}`);
    const called = await ask(c, t, [{ text: [...leak('1')] }, { text: [...scaffold] }]);
    assert.ok(!called.clean && called.error, `${c} of ${t}`);
    assert.equal(called.calls.length, 1);
    assert.equal(called.text.trim(), '', `${c} of ${t}`);
  }
});

test('a fallback answers in place of what was held and then failed', async () => {
  for (const [c, t] of pairs) {
    if (c === 'gemini') continue; // its model is in the path
    const script = (n) => n === 1 ? [{ text: ['<task-notification>', 'x</task-', 'notification>'] }] : [{ text: 'good' }];
    const a = await ask(c, t, script, { more: { model: `twin-${t}` } });
    assert.equal(a.status, 200, `${c} of ${t}: ${a.body}`);
    assert.equal(a.text, 'good', `${c} of ${t}`);
    assert.ok(a.clean, `${c} of ${t}`);
    assert.equal(a.script.asked, 2);
  }
});

test('real calls and leaked ones in one answer', async () => {
  for (const [c, t] of pairs) {
    const a = await ask(c, t, [{ text: ['one ', ...leak('1')] }, { call: ['Write', { x: 'real' }] }, { text: [...leak('2'), ' two'] }, { call: ['Write', { x: 'again' }] }, { stop: 'tool' }]);
    assert.ok(a.clean, `${c} of ${t}`);
    assert.deepEqual(parsed(a.calls).map(([n, x]) => `${n} ${x.x}`).sort(), ['Write again', 'Write real', 'look 1', 'look 2'], `${c} of ${t}`);
    assert.equal(norm(a.text), 'one two', `${c} of ${t}`);
    assert.equal(a.stop, 'tool');
  }
});

test('markers in every form of JSON, and line ends of every kind', async () => {
  const escaped = leak('1').replaceAll('<', '\\u003c').replaceAll('\n', '\\n').replaceAll('"', '\\"').replaceAll('>', '\\u003E');
  const head = '"id":"chatcmpl-x","object":"chat.completion.chunk","created":1,"model":"m"';
  for (const end of ['\n\n', '\r\n\r\n', '\r\r'])
    for (const write of [0, 1])
      for (const c of Object.keys(callers)) {
        if (c === 'responses' && end === '\r\r' && write) continue;
        const a = await ask(c, 'chat', [{ raw: `: hi${end}data: {${head},"choices":[{"index":0,"delta":{"content":"${escaped}"},"finish_reason":null}]}${end}data: {${head},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}${end}data: [DONE]${end}` }, { cut: true }], { write });
        assert.ok(a.clean, `${c} ${JSON.stringify(end)} ${write}: ${a.body}`);
        assert.deepEqual(parsed(a.calls), [['look', { x: '1' }]], `${c} ${JSON.stringify(end)} ${write}`);
        assert.equal(a.stop, 'tool');
      }
});

test('large answers: one frame, thousands of markers, a doubt of many frames', async () => {
  const big = Array.from({ length: 30000 }, (_, i) => `lorem <b ${i * i} \`x\` `).join('');
  const many = Array.from({ length: 1000 }, (_, i) => `w${i} <tool_call> <invoke name="nope"> [TOOL_CALLS] `);
  for (const [c, t] of pairs.filter(([c, t]) => c === t || t === 'chat')) {
    for (const text of [[big], many, [Array.from({ length: 4000 }, (_, i) => `${'<'.repeat(200)}${i}`).join('')]]) {
      const a = await ask(c, t, [{ text }]);
      assert.ok(a.body.length < 9 * 1024 * 1024, `${c} of ${t}: ${a.body.length} bytes`);
      assert.ok(a.clean, `${c} of ${t}: ${a.body.slice(-300)}`);
      assert.ok(a.text === text.join(''), `${c} of ${t}`);
    }
    const calls = await ask(c, t, [{ text: Array.from({ length: 200 }, (_, i) => leak(`${i}`)) }]);
    assert.equal(calls.calls.length, 128, `${c} of ${t}`); // the bound; what is beyond is text
    assert.ok(calls.clean);
  }
});

test('a doubt of more frames than are kept ends in the text that it was', async () => {
  const frames = Array.from({ length: 25000 }, () => chunk(0, { content: 'x' }).replace('"created":1', `"created":1,"system_fingerprint":"${'f'.repeat(300)}"`));
  const plain = await startServe({ config: { guards: { toolText: 'off', think: 'off' }, providers: {
    chat: { type: 'openai-compatible', baseURL: `http://127.0.0.1:${provider.address().port}/v1`, apiKey: 'k', models: { m: {} } } } } });
  try {
    for (const [at, first] of [[serve, '<tick>'], [serve, '<tool_call>{"name":"look","arguments":{"x":"'], [plain, '<tick>']]) {
      const a = await ask('chat', 'chat', [{ text: first }, { raw: frames.join('') }, { stop: 'end' }], { at });
      assert.equal(a.status, 200, a.body);
      assert.ok(a.clean, `${first}: ${a.body.slice(-300)}`);
      assert.equal(a.text.length, first.length + 25000, first);
      if (at === serve) continue;
      const leaked = await ask('chat', 'chat', [{ text: '<tick>' }, { raw: frames.join('') }, { text: '</tick>' }, { stop: 'end' }], { at });
      assert.ok(!leaked.clean, 'the guard has not forgotten the tag');
    }
  } finally { await plain.stop(); }
});

test('what a model says in held text is content to the clocks', async () => {
  const slow = await startServe({ config: { providers: Object.fromEntries(Object.entries(targets).map(([id, [type, path]]) => [id, {
    type, baseURL: `http://127.0.0.1:${provider.address().port}${path}`, apiKey: 'k', models: { m: {} }, timeouts: { first_token_ms: 700 } }])) } });
  try {
    await Promise.all(pairs.map(async ([c, t]) => {
      const steps = ['<tool_call>\n{"name": "look", "arguments": {"x":"', 'a', 'b', 'c', 'd', '"}}\n</tool_call>'].flatMap((text) => [{ text }, { ms: 250 }]);
      const a = await ask(c, t, steps, { at: slow });
      assert.equal(a.status, 200, `${c} of ${t}: ${a.body}`);
      assert.deepEqual(parsed(a.calls), [['look', { x: 'abcd' }]], `${c} of ${t}`);
    }));
  } finally { await slow.stop(); }
});

test('a client that leaves while its text is held takes the provider with it', async () => {
  for (const [c, t] of pairs) {
    const id = `gone${count++}`, script = { steps: [{ text: ['a ', '<tool_call>\n{"name": "look", "argu'] }, { ms: 30000 }] };
    scripts.set(id, script);
    const [path, body] = callers[c](t, true, `[[s:${id}]]`);
    const leave = new AbortController();
    const reply = fetch(serve.url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${serve.key}` }, body: JSON.stringify(body), signal: leave.signal });
    const { body: stream } = await reply;
    await stream.getReader().read();
    const left = Date.now();
    leave.abort();
    while (!script.closed && Date.now() - left < 2000) await new Promise((r) => setTimeout(r, 2));
    assert.ok(script.closed - left < 250, `${c} of ${t}: ${script.closed - left} ms`);
    scripts.delete(id);
  }
});

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serve.child.pid}/status`, 'utf8'))[1]) / 1024;
test('a hundred streams at once that hold what they can, and nothing stays', async () => {
  const steps = [{ text: ['x ', '<tool_call>\n{"name": "look", "arguments": {"x":"'] }, { text: Array.from({ length: 40 }, (_, i) => String.fromCharCode(97 + i % 26).repeat(5000)) }, { ms: 300 }, { text: '"}}' }];
  const round = () => Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const [c, t] = pairs[i % pairs.length];
    const a = await ask(c, t, steps);
    assert.ok(a.clean, `${c} of ${t}: ${a.body.slice(0, 300)}`);
    assert.equal(JSON.parse(a.calls[0][1]).x.length, 200000);
  }));
  await round();
  const before = rss();
  for (let i = 0; i < 2; i++) await round();
  assert.ok(rss() - before < 48, `${before} MB, then ${rss()} MB`);
});

test('tools of every kind of strangeness', async () => {
  let cycle = { type: 'object', properties: { x: { $ref: '#/$defs/a' } }, $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } };
  let deep = { type: 'string' };
  for (let i = 0; i < 30; i++) deep = { type: 'object', properties: { x: deep } };
  let any = { type: 'string' };
  for (let i = 0; i < 60; i++) any = { anyOf: [any] };
  const large = { type: 'object', properties: Object.fromEntries(Array.from({ length: 20000 }, (_, i) => [`p${i}`, { type: 'string', description: 'd'.repeat(100) }])) };
  const xml = '<invoke name="look"><parameter name="x">42</parameter></invoke>';
  for (const parameters of [cycle, deep, { type: 'object', properties: { x: any } }, large, {}, { properties: [] }, { type: ['object', 7] }])
    for (const text of [xml, leak('42')]) {
      const tools = [{ type: 'function', function: { name: 'look', parameters } }, { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { x: { type: 'string' } } } } }];
      const a = await ask('chat', 'chat', [{ text: [...text] }], { more: { tools } });
      assert.equal(a.status, 200, a.body);
      assert.ok(a.clean);
      assert.equal(a.calls.length, 1, `${JSON.stringify(parameters).slice(0, 100)} ${a.text}`);
      assert.equal(typeof JSON.parse(a.calls[0][1]), 'object');
    }
  const none = await ask('chat', 'chat', [{ text: [...leak('1')] }], { more: { tool_choice: 'none' } });
  assert.deepEqual([none.text, none.calls, none.stop], [leak('1'), [], 'end']);
  const custom = await ask('chat', 'chat', [{ text: [...leak('1')] }], { more: { tools: [{ type: 'custom', custom: { name: 'look' } }] } });
  assert.deepEqual([custom.text, custom.calls], [leak('1'), []]);
  const bad = await ask('chat', 'chat', [{ text: [...leak('1')] }], { more: { tools: [{ type: 'function', function: { name: 7 } }] } });
  assert.deepEqual([bad.text, bad.calls], [leak('1'), []], 'what cannot be read is the provider\'s to refuse');
});

test('a large body is read off the loop, and a client may leave meanwhile', async () => {
  const text = 'z'.repeat(3_000_000);
  for (const [c, t] of [['chat', 'chat'], ['anthropic', 'anthropic'], ['gemini', 'chat'], ['responses', 'responses']]) {
    const [path, body] = callers[c](t, true, `${text} [[s:big]]`);
    scripts.set('big', { steps: [{ text: ['a ', leak('1'), ' b'] }] });
    const ok = await serve.post(path, body);
    assert.equal(readers[c](await ok.text()).calls.length, 1, `${c} of ${t}`);
    for (const ms of [0, 5, 10, 20, 40]) {
      const leave = new AbortController();
      const gone = fetch(serve.url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${serve.key}` }, body: JSON.stringify(body), signal: leave.signal })
        .then((r) => r.text()).catch(() => {});
      setTimeout(() => leave.abort(), ms);
      await gone;
    }
  }
  assert.equal((await serve.post('/v1/chat/completions', { model: 'test', messages: [{ role: 'user', content: 'x' }] })).status, 200);
});

test('pictures that lie about themselves are counted, not believed', async () => {
  const be = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; }, le = (n) => be(n).reverse();
  const png = (w, h) => Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), be(13), Buffer.from('IHDR'), be(w), be(h), Buffer.alloc(30)]);
  const webp = (kind, rest) => Buffer.concat([Buffer.from('RIFF'), le(99), Buffer.from(`WEBP${kind}`), le(9), rest]);
  const jpeg = (h, w) => Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xff, 0xff, 0xc0, 0, 17, 8, h >> 8, h & 255, w >> 8, w & 255, 3, ...Array(20).fill(0)]);
  const files = [png(4294967295, 4294967295), png(1, 4294967295), png(0, 0), jpeg(65535, 65535), jpeg(1, 65535), Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(200000, 0xff)]),
    Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from('ffe00002'.repeat(2000), 'hex')]), webp('VP8X', Buffer.alloc(20, 0xff)), webp('VP8L', Buffer.from('2fffffffff', 'hex')), webp('VP8 ', Buffer.from('0000009d012affffffff', 'hex')),
    Buffer.concat([Buffer.from('BM'), Buffer.alloc(12), le(40), le(0xffffffff), le(0x80000000)]), Buffer.from('%PDF-' + '/Type/Page '.repeat(20000)), Buffer.alloc(0)];
  const data = files.flatMap((f) => [f, ...[1, 5, 9, 17, 21, 25].filter((n) => n < f.length).map((n) => f.subarray(0, n))]).map((f) => f.toString('base64'));
  data.push('!!!!', 'iVBOR', 'data:image/png;base64,x', '=');
  for (const model of ['gpt-4o', 'gpt-5', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'qwen-vl']) {
    const count = async (list) => {
      const reply = await counter.post('/v1/messages/count_tokens', { model: `any/${model}`, messages: [{ role: 'user', content: list.map((d) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: d } })) }] });
      assert.equal(reply.status, 200, await reply.clone().text());
      return (await reply.json()).input_tokens;
    };
    const base = await count([data[0]]);
    for (const d of data.filter((x) => x)) {
      const one = await count([d]);
      assert.ok(Number.isSafeInteger(one) && one > 0 && one < 2e6, `${model} ${d.slice(0, 40)}: ${one}`);
    }
    assert.ok(Math.abs((await count([data[0], data[0]])) - 2 * base) < 400, model);
  }
});

test('every caller hears the same of every provider, streamed or whole', async () => {
  const BAR = '｜', LOW = '▁';
  const tokens = ['Hello ', 'a < b ', 'x\r\n', '\n\n', ' ', '```', '```xml\n', '\n```\n', '`', '<', '<tool_call', '<tool_calls>', '</tool_calls>', '</tool_call>', leak('1'), leak('é😀'), '</invoke>',
    '<invoke name="nope"><parameter name="x">1</parameter></invoke>', '<invoke name="look"><parameter name="x">4 < 2 &amp; "q"</parameter></invoke>', '<function=look>\n<parameter=x>\nhi\n</parameter>\n</function>',
    '<|tool_call_begin|>functions.look:0<|tool_call_argument_begin|>{"x":"k"}<|tool_call_end|>', `<${BAR}tool${LOW}calls${LOW}begin${BAR}>`, '[TOOL_CALLS]look[ARGS]{"x":"n"}', '<|channel|>commentary to=functions.look<|message|>{"x":"h"}<|call|>',
    '{"name":"look","arguments":{"x":"b"}}', ' {"name":"look","arguments":{"x":"b"}}', '\u0000', '\\u003c', '<channel/>', '<|tool', '[T'];
  let seed = 20261128;
  const below = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >> 8) % n; };
  for (let round = 0; round < 18; round++) {
    const text = round === 0 ? tokens.at(-6) : Array.from({ length: 1 + below(8) }, () => tokens[below(tokens.length)]).join('');
    const stop = below(3) ? 'end' : 'length', chars = [...text], deltas = [];
    for (let n; chars.length;) deltas.push(chars.splice(0, n = 1 + below(round % 3 ? 6 : 40)).join(''));
    let same;
    for (const [c, t] of pairs)
      for (const stream of [true, false]) {
        const a = await ask(c, t, [{ text: deltas }, { stop }], { stream, write: stream && round % 10 === 9 ? 3 : 0 });
        const name = `${c} of ${t}${stream ? '' : ', whole'}: ${JSON.stringify(deltas)} ${stop}`;
        assert.equal(a.status, 200, name);
        const said = { text: norm(a.text), calls: parsed(a.calls) };
        assert.deepEqual(said, same ??= said, name);
        if (a.calls.length === 0) assert.equal(a.text, text, name);
        assert.equal(a.stop, stop === 'length' ? stop : a.calls.length ? 'tool' : 'end', name);
        if (stream && c === t && c !== 'responses' && a.calls.length === 0)
          assert.equal(a.body, framesOf(t, [{ text: deltas }, { stop }]).join('').replaceAll(/(odel(?:Version)?":)"m"/g, `$1"${t}/m"`), name);
      }
  }
});

test('scaffold behind a real call is still scaffold', async () => {
  for (const [c, t] of pairs) {
    const a = await ask(c, t, [{ text: ['one '] }, { call: ['Write', { x: '1' }] }, { text: ['<task-notification>', 'x', '</task-notification>'] }, { stop: 'tool' }]);
    assert.ok(a.error && !a.clean, `${c} of ${t}: ${a.body.slice(-400)}`);
    assert.ok(!/task-notification/.test(a.text), `${c} of ${t}`);
  }
});

test('the model "test" in every dialect, and what it is asked for', async () => {
  for (const c of Object.keys(callers))
    for (const stream of [true, false])
      for (const receipt of [{}, { 'x-maestro-receipt': '1' }]) {
        const [path, body] = callers[c]('x', stream, 'hi');
        const reply = await serve.post(path.replace('x%2Fm', 'test'), { ...body, ...(body.model && { model: 'test' }) }, receipt);
        const text = await reply.text();
        assert.equal(reply.status, 200, text);
        const a = stream ? readers[c](text) : wholeReaders[c](JSON.parse(text));
        assert.match(a.text, /fixed answer/);
        assert.equal(a.stop, 'end');
        if (stream) assert.ok(a.clean);
        assert.equal(text.includes('"maestro"'), Object.keys(receipt).length > 0, `${c} ${stream}`);
      }
  for (const n of [0, 3, 128, 1e9, -1]) {
    const reply = await serve.post('/v1/chat/completions', { model: 'test', n, stream: true, messages: [{ role: 'user', content: 'x' }] });
    const text = await reply.text();
    if (reply.status === 200) assert.ok(readers.chat(text).clean);
    else assert.equal(reply.status, 400, text);
  }
  assert.equal((await serve.post('/v1/embeddings', { model: 'test', input: 'x' })).status, 400);
  assert.equal((await serve.post('/v1/messages', { model: 'test', max_tokens: 1, messages: 7 })).status, 400);
});

test('a stream of Gemini\'s that is one array stays one, whatever is found in it', async () => {
  for (const t of ['gemini', 'chat'])
    for (const steps of [[{ text: [...leak('1'), ' b'] }], [{ text: ['a <tool_call>'] }], [{ text: ['a ', '<tool_call>\n{"na'] }, { cut: true }], [{ text: ['ok ', '<task-notification>x</task-notification>'] }]]) {
      const id = `q${count++}`;
      scripts.set(id, { steps });
      const [path, body] = callers.gemini(t, true, `[[s:${id}]]`);
      const reply = await serve.post(path.replace('?alt=sse', ''), body), text = await reply.text();
      assert.equal(reply.status, 200);
      assert.ok(Array.isArray(JSON.parse(text)), text);
    }
});

test('a prompt at the edge of the context, with pictures, and what asks to be cut', async () => {
  // " word" is one token of o200k_base; a refusal has to be certain: 5 % beyond the context.
  const edge = await startServe({ config: { providers: { oai: { type: 'openai-compatible', baseURL: `http://127.0.0.1:${provider.address().port}/v1`, apiKey: 'k', models: { 'gpt-4o': { contextWindow: 2000 } } } } } });
  try {
    const send = async (words, extra = {}, content) => {
      scripts.set('edge', { steps: [{ text: 'ok' }] });
      const text = `[[s:edge]]${' word'.repeat(words)}`;
      const reply = await edge.post('/v1/chat/completions', { model: 'oai/gpt-4o', messages: [{ role: 'user', content: content ? [{ type: 'text', text }, ...content] : text }], ...extra });
      return [reply.status, (await reply.json()).error?.message];
    };
    let fits = 1000, not = 4000;
    while (not - fits > 1) {
      const middle = (fits + not) >> 1;
      if ((await send(middle))[0] === 200) fits = middle; else not = middle;
    }
    const [status, message] = await send(not);
    assert.equal(status, 400);
    assert.equal(Number(/resulted in (\d+) tokens/.exec(message)[1]), 2101);
    assert.equal((await send(not, { transforms: ['middle-out'] }))[0], 200);
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(200000)}` } };
    assert.equal((await send(100, {}, [picture, picture]))[0], 200, 'what a picture costs is never certain');
    assert.equal((await send(0, { messages: [{ role: 'user', content: 7, x: 'y'.repeat(9000) }] }))[0], 404, 'what cannot be read goes to the provider'); // which knows no such script
  } finally { await edge.stop(); }
});
