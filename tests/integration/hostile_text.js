// A provider of five dialects whose answers are scripts, and callers that check every frame of what comes of them: for
// attack_text.test.js. A script is a list of steps: {text}, {think}, {call: [name, args]}, {raw: bytes}, {ms}, {stop},
// {usage}, {cut: true}, {choice}: of which choice the rest is. Texts are cut into the deltas that they come as.
import http from 'node:http';
import assert from 'node:assert/strict';

export const scripts = new Map(); // the user's text: {steps, write, gone}

const sse = (data, event) => `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const line = (data) => `${JSON.stringify(data)}\n`;

/** Frames of one dialect: begin(), text(s, choice), think(s), call(name, args), end(stop, usage). */
const writers = {
  chat() {
    let calls = 0;
    const chunk = (delta, choice = 0, finish = null) => sse({ id: 'chatcmpl-x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: choice, delta, finish_reason: finish }] });
    return {
      begin: () => chunk({ role: 'assistant', content: '' }),
      text: (s, c) => chunk({ content: s }, c),
      think: (s, c) => chunk({ reasoning_content: s }, c),
      call: (name, args, c) => chunk({ tool_calls: [{ index: calls, id: `call_up${calls++}`, type: 'function', function: { name, arguments: JSON.stringify(args) } }] }, c),
      stop: (why, c) => chunk({}, c, { end: 'stop', length: 'length', tool: 'tool_calls' }[why]),
      end: (usage) => (usage ? sse({ id: 'chatcmpl-x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: usage[0], completion_tokens: usage[1], total_tokens: usage[0] + usage[1] } }) : '') + sse('[DONE]'),
    };
  },
  anthropic() {
    let index = -1, open = '';
    const ev = (type, more) => sse({ type, ...more }, type);
    const close = () => { const was = open; open = ''; return was ? ev('content_block_stop', { index }) : ''; };
    const block = (kind, start) => open === kind ? '' : close() + ((open = kind), ev('content_block_start', { index: ++index, content_block: start }));
    let stop, usage;
    return {
      begin: () => ev('message_start', { message: { id: 'msg_x', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 7, output_tokens: 1 } } }) + ev('ping', {}),
      text: (s) => block('text', { type: 'text', text: '' }) + ev('content_block_delta', { index, delta: { type: 'text_delta', text: s } }),
      think: (s) => block('thinking', { type: 'thinking', thinking: '', signature: '' }) + ev('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: s } }),
      call: (name, args) => close() + block(`call${index}`, { type: 'tool_use', id: `toolu_up${index}`, name, input: {} }) + ev('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: JSON.stringify(args) } }) + close(),
      stop: (why) => { stop = { end: 'end_turn', length: 'max_tokens', tool: 'tool_use' }[why]; return close(); },
      end: (u) => ev('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: u ? u[1] : 1, ...(u && { input_tokens: u[0] }) } }) + ev('message_stop', {}),
    };
  },
  gemini() {
    const chunk = (parts, choice = 0, more) => `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, index: choice, ...more }], modelVersion: 'm' })}\r\n\r\n`;
    let why = '';
    return {
      begin: () => '',
      text: (s, c) => chunk([{ text: s }], c),
      think: (s, c) => chunk([{ text: s, thought: true }], c),
      call: (name, args, c) => chunk([{ functionCall: { name, args } }], c),
      stop: (w, c) => { why = w; return c ? chunk([{ text: '' }], c, { finishReason: 'STOP' }) : ''; },
      end: (u) => `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: why === 'length' ? 'MAX_TOKENS' : 'STOP', index: 0 }], ...(u && { usageMetadata: { promptTokenCount: u[0], candidatesTokenCount: u[1], totalTokenCount: u[0] + u[1] } }), modelVersion: 'm' })}\r\n\r\n`,
    };
  },
  ollama() {
    const out = (message, more) => line({ model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', ...message }, done: false, ...more });
    let why = '';
    return {
      begin: () => '',
      text: (s) => out({ content: s }),
      think: (s) => out({ content: '', thinking: s }),
      call: (name, args) => out({ content: '', tool_calls: [{ function: { name, arguments: args } }] }),
      stop: (w) => { why = w; return ''; },
      end: (u) => out({ content: '' }, { done: true, done_reason: why === 'length' ? 'length' : 'stop', ...(u && { prompt_eval_count: u[0], eval_count: u[1] }) }),
    };
  },
  responses() {
    let seq = 0, output = -1, open = null, all = '', status = 'completed';
    const items = [];
    const ev = (type, more) => sse({ type, sequence_number: seq++, ...more }, type);
    const base = (state, usage) => ({ id: 'resp_x', object: 'response', created_at: 1, model: 'm', status: state, output: state === 'in_progress' ? [] : items, ...(state === 'incomplete' && { incomplete_details: { reason: 'max_output_tokens' } }), usage: usage ? { input_tokens: usage[0], output_tokens: usage[1], total_tokens: usage[0] + usage[1] } : null });
    const close = () => {
      if (!open) return '';
      const item = { id: `msg_${output}`, type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: all, annotations: [] }] };
      const place = { item_id: item.id, output_index: output, content_index: 0 };
      open = null;
      items.push(item);
      return ev('response.output_text.done', { ...place, text: all }) + ev('response.content_part.done', { ...place, part: item.content[0] }) + ev('response.output_item.done', { output_index: output, item });
    };
    return {
      begin: () => ev('response.created', { response: base('in_progress') }) + ev('response.in_progress', { response: base('in_progress') }),
      text: (s) => {
        let head = '';
        if (!open) {
          output++; all = ''; open = true;
          head = ev('response.output_item.added', { output_index: output, item: { id: `msg_${output}`, type: 'message', role: 'assistant', status: 'in_progress', content: [] } })
            + ev('response.content_part.added', { item_id: `msg_${output}`, output_index: output, content_index: 0, part: { type: 'output_text', text: '', annotations: [] } });
        }
        all += s;
        return head + ev('response.output_text.delta', { item_id: `msg_${output}`, output_index: output, content_index: 0, delta: s });
      },
      think: () => '',
      call: (name, args) => {
        const head = close(), text = JSON.stringify(args);
        output++;
        const item = { id: `fc_${output}`, type: 'function_call', call_id: `call_up${output}`, name, arguments: text, status: 'completed' };
        items.push(item);
        return head + ev('response.output_item.added', { output_index: output, item: { ...item, arguments: '', status: 'in_progress' } })
          + ev('response.function_call_arguments.delta', { item_id: item.id, output_index: output, delta: text })
          + ev('response.function_call_arguments.done', { item_id: item.id, output_index: output, arguments: text })
          + ev('response.output_item.done', { output_index: output, item });
      },
      stop: (w) => { if (w === 'length') status = 'incomplete'; return close(); },
      end: (u) => ev(status === 'completed' ? 'response.completed' : 'response.incomplete', { response: base(status, u ?? [7, 5]) }),
    };
  },
};

/** The whole reply of those steps. */
const wholes = {
  chat: (s) => ({ id: 'chatcmpl-x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: s.text, ...(s.think && { reasoning_content: s.think }), ...(s.calls.length && { tool_calls: s.calls.map(([name, args], i) => ({ id: `call_up${i}`, type: 'function', function: { name, arguments: JSON.stringify(args) } })) }) }, finish_reason: { end: 'stop', length: 'length', tool: 'tool_calls' }[s.stop] }], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } }),
  anthropic: (s) => ({ id: 'msg_x', type: 'message', role: 'assistant', model: 'm', content: [...(s.think ? [{ type: 'thinking', thinking: s.think, signature: '' }] : []), ...(s.text ? [{ type: 'text', text: s.text }] : []), ...s.calls.map(([name, input], i) => ({ type: 'tool_use', id: `toolu_${i}`, name, input }))], stop_reason: { end: 'end_turn', length: 'max_tokens', tool: 'tool_use' }[s.stop], stop_sequence: null, usage: { input_tokens: 7, output_tokens: 5 } }),
  gemini: (s) => ({ candidates: [{ content: { role: 'model', parts: [...(s.think ? [{ text: s.think, thought: true }] : []), { text: s.text }, ...s.calls.map(([name, args]) => ({ functionCall: { name, args } }))] }, finishReason: s.stop === 'length' ? 'MAX_TOKENS' : 'STOP', index: 0 }], usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 12 }, modelVersion: 'm' }),
  ollama: (s) => ({ model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: s.text, ...(s.think && { thinking: s.think }), ...(s.calls.length && { tool_calls: s.calls.map(([name, args]) => ({ function: { name, arguments: args } })) }) }, done: true, done_reason: s.stop === 'length' ? 'length' : 'stop', prompt_eval_count: 7, eval_count: 5 }),
  responses: (s) => ({ id: 'resp_x', object: 'response', created_at: 1, model: 'm', status: s.stop === 'length' ? 'incomplete' : 'completed', ...(s.stop === 'length' && { incomplete_details: { reason: 'max_output_tokens' } }), output: [...(s.text ? [{ id: 'msg_0', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: s.text, annotations: [] }] }] : []), ...s.calls.map(([name, args], i) => ({ id: `fc_${i}`, type: 'function_call', call_id: `call_${i}`, name, arguments: JSON.stringify(args), status: 'completed' }))], usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 } }),
};

export const types = { chat: 'text/event-stream', anthropic: 'text/event-stream', gemini: 'text/event-stream', responses: 'text/event-stream', ollama: 'application/x-ndjson' };
const dialectOf = (path) => /\/chat\/completions$/.test(path) ? 'chat' : /\/messages$/.test(path) ? 'anthropic' : /\/responses$/.test(path) ? 'responses' : /generateContent/i.test(path) ? 'gemini' : 'ollama';

/** The frames of a script, a list of buffers and pauses. */
export function framesOf(dialect, steps) {
  const w = writers[dialect](), out = [];
  let choice = 0, stopped = false, usage = [7, 5], cut = false;
  const put = (s) => { if (s) out.push(s); };
  put(w.begin());
  for (const s of steps) {
    if ('choice' in s) choice = s.choice;
    if ('text' in s) for (const piece of [].concat(s.text)) put(w.text(piece, choice));
    if ('think' in s) for (const piece of [].concat(s.think)) put(w.think(piece, choice));
    if (s.call) put(w.call(...s.call, choice));
    if ('raw' in s) put(s.raw);
    if (s.ms) out.push(s.ms);
    if ('usage' in s) usage = s.usage;
    if (s.stop) { put(w.stop(s.stop, choice)); stopped = true; }
    if (s.cut) cut = true;
  }
  if (cut) return out;
  if (!stopped) put(w.stop('end', choice));
  put(w.end(usage));
  return out;
}

const joined = (steps) => {
  const s = { text: '', think: '', calls: [], stop: 'end' };
  for (const step of steps) {
    for (const k of ['text', 'think']) if (k in step) s[k] += [].concat(step[k]).join('');
    if (step.call) s.calls.push(step.call);
    if (step.stop) s.stop = step.stop;
  }
  return s;
};

const drained = (res) => new Promise((resolve) => {
  const done = () => { res.off('drain', done); res.off('close', done); resolve(); };
  res.on('drain', done);
  res.on('close', done);
});

export async function startProvider() {
  const server = http.createServer((req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', async () => {
      const body = Buffer.concat(parts).toString(), id = /\[\[s:([^\]]+)\]\]/.exec(body)?.[1];
      const dialect = dialectOf(req.url.split('?')[0]), script = scripts.get(id);
      const stream = dialect === 'gemini' ? /stream/.test(req.url) : /"stream":\s*true/.test(body) || (dialect === 'ollama' && !/"stream":\s*false/.test(body));
      res.on('error', () => {});
      if (!script) { res.writeHead(404); res.end('{}'); return; }
      res.on('close', () => { script.closed = Date.now(); });
      script.asked = (script.asked ?? 0) + 1;
      script.body = body;
      const steps = typeof script.steps === 'function' ? script.steps(script.asked, req) : script.steps;
      if (!stream) {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify(wholes[dialect](joined(steps))));
        return;
      }
      res.writeHead(200, { 'content-type': types[dialect] });
      const frames = framesOf(dialect, steps), size = script.write;
      if (size) { // bytes at a time, wherever that cuts
        const bytes = Buffer.from(frames.filter((f) => typeof f === 'string').join(''));
        for (let i = 0; i < bytes.length; i += size) {
          if (!res.write(bytes.subarray(i, i + size))) await drained(res);
          if (res.destroyed) return;
          await new Promise(setImmediate);
        }
      } else {
        for (const f of frames) {
          if (res.destroyed) return;
          if (typeof f === 'number') await new Promise((r) => setTimeout(r, f));
          else if (!res.write(f)) await drained(res);
        }
      }
      if (steps.some((s) => s.cut)) { res.socket?.end(); res.socket?.destroySoon?.(); } else res.end();
    });
  });
  server.keepAliveTimeout = 30000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

// ---- callers ----

const parameters = { type: 'object', properties: { x: { type: 'string' }, n: { type: 'integer' } } };
export const names = ['look', 'Write'];
const fn = (name) => ({ name, description: 'd', parameters });
export const callers = {
  chat: (t, stream, text, more) => ['/v1/chat/completions', { model: `${t}/m`, stream, ...(stream && { stream_options: { include_usage: true } }), messages: [{ role: 'user', content: text }], tools: names.map((n) => ({ type: 'function', function: fn(n) })), ...more }],
  responses: (t, stream, text, more) => ['/v1/responses', { model: `${t}/m`, stream, input: text, store: false, tools: names.map((n) => ({ type: 'function', ...fn(n) })), ...more }],
  anthropic: (t, stream, text, more) => ['/v1/messages', { model: `${t}/m`, stream, max_tokens: 99, messages: [{ role: 'user', content: text }], tools: names.map((n) => ({ name: n, input_schema: parameters })), ...more }],
  gemini: (t, stream, text, more) => [`/v1beta/models/${t}%2Fm:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, { contents: [{ role: 'user', parts: [{ text }] }], tools: [{ functionDeclarations: names.map(fn) }], ...more }],
  ollama: (t, stream, text, more) => ['/api/chat', { model: `${t}/m`, stream, messages: [{ role: 'user', content: text }], tools: names.map((n) => ({ type: 'function', function: fn(n) })), ...more }],
};

const blocks = (text) => {
  assert.ok(text.endsWith('\n') || text === '', `ends inside a frame: ${JSON.stringify(text.slice(-80))}`);
  return text.split(/\r?\n\r?\n/).filter((b) => b.trim() && !/^:/.test(b.trim()));
};
const frames = (text) => blocks(text).map((b) => {
  const data = [...b.matchAll(/^data: ?(.*)$/gm)].map((m) => m[1]).join('\n'), event = /^event: (.*)$/m.exec(b)?.[1];
  return { event, data: data === '[DONE]' ? data : JSON.parse(data) };
});

/** What a stream says; every rule of its dialect is checked. {text, think, calls: [name, args], stop, usage, error, clean} */
export const readers = {
  chat(body) {
    const all = frames(body), a = { text: '', think: '', calls: [], choices: {}, usages: 0, receipts: 0, clean: false };
    let id;
    for (const { data: d } of all) {
      assert.ok(!a.clean, 'a frame behind [DONE]');
      if (d === '[DONE]') { a.clean = true; continue; }
      if (d.error) { a.error = d.error; continue; }
      assert.ok(!a.error, 'a frame behind an error');
      assert.equal(d.object, 'chat.completion.chunk');
      assert.equal(d.id, id ??= d.id, 'one id');
      if (d.maestro) a.receipts++;
      if (d.usage) { a.usage = [d.usage.prompt_tokens, d.usage.completion_tokens]; a.usages++; }
      for (const c of d.choices) {
        const o = a.choices[c.index] ??= { text: '', think: '', calls: [], stop: null };
        assert.ok(!o.stop || !(c.delta.content || c.delta.tool_calls || c.finish_reason), `choice ${c.index} goes on behind its finish`);
        o.text += c.delta.content ?? '';
        o.think += c.delta.reasoning_content ?? '';
        for (const call of c.delta.tool_calls ?? []) {
          if (call.id) { assert.equal(call.index, o.calls.length, 'calls in order'); o.calls.push([call.function.name, '']); }
          assert.ok(o.calls[call.index], 'a call begins with its id');
          o.calls[call.index][1] += call.function.arguments ?? '';
        }
        if (c.finish_reason) o.stop = { stop: 'end', length: 'length', tool_calls: 'tool', content_filter: 'filter' }[c.finish_reason];
      }
    }
    Object.assign(a, a.choices[0]);
    return a;
  },
  anthropic(body) {
    const a = { text: '', think: '', calls: [], usages: 0, receipts: 0, clean: false };
    let open = -1, next = 0, begun = false, kind;
    for (const { event, data: d } of frames(body)) {
      assert.equal(event, d.type);
      assert.ok(!a.clean && !a.error, `${d.type} behind the end`);
      if (d.maestro) a.receipts++;
      if (d.type === 'error') { a.error = d.error; continue; }
      if (d.type === 'ping') continue;
      if (d.type === 'message_start') { assert.ok(!begun, 'message_start twice'); begun = true; a.usage = [d.message.usage.input_tokens, 0]; continue; }
      assert.ok(begun, `${d.type} before message_start`);
      if (d.type === 'content_block_start') {
        assert.equal(open, -1, 'a block within a block');
        assert.ok(!a.stop, 'a block behind message_delta');
        assert.equal(d.index, next++);
        open = d.index; kind = d.content_block.type;
        if (kind === 'tool_use') a.calls.push([d.content_block.name, '']);
        if (kind === 'text') a.text += d.content_block.text;
      } else if (d.type === 'content_block_delta') {
        assert.equal(d.index, open, 'a delta of the open block');
        const x = d.delta;
        if (x.type === 'text_delta') { assert.equal(kind, 'text'); a.text += x.text; }
        else if (x.type === 'thinking_delta') { assert.equal(kind, 'thinking'); a.think += x.thinking; }
        else if (x.type === 'input_json_delta') { assert.equal(kind, 'tool_use'); a.calls.at(-1)[1] += x.partial_json; }
      } else if (d.type === 'content_block_stop') { assert.equal(d.index, open); open = -1; }
      else if (d.type === 'message_delta') {
        assert.equal(open, -1, 'message_delta within a block');
        assert.ok(!a.stop, 'message_delta twice');
        a.stop = { end_turn: 'end', max_tokens: 'length', tool_use: 'tool', stop_sequence: 'end', refusal: 'filter' }[d.delta.stop_reason];
        a.usage = [d.usage.input_tokens ?? a.usage[0], d.usage.output_tokens]; a.usages++;
      } else if (d.type === 'message_stop') a.clean = true;
      else assert.fail(d.type);
    }
    for (const c of a.calls) if (c[1] === '') c[1] = '{}';
    return a;
  },
  gemini(body) {
    const a = { text: '', think: '', calls: [], usages: 0, receipts: 0, clean: false };
    for (const { data: d } of frames(body)) {
      if (d.error) { a.error = d.error; continue; }
      assert.ok(!a.error);
      if (d.maestro) a.receipts++;
      if (d.usageMetadata) { a.usage = [d.usageMetadata.promptTokenCount, d.usageMetadata.candidatesTokenCount ?? 0]; a.usages++; }
      for (const c of d.candidates ?? []) {
        if (c.index) continue;
        const parts = c.content?.parts ?? [];
        assert.ok(!a.clean || !parts.some((p) => p.text || p.functionCall), 'content behind the end');
        for (const p of parts) {
          if (p.functionCall) a.calls.push([p.functionCall.name, JSON.stringify(p.functionCall.args ?? {})]);
          else if (p.thought) a.think += p.text ?? '';
          else a.text += p.text ?? '';
        }
        if (c.finishReason) { assert.ok(!a.clean, 'finished twice'); a.clean = true; a.stop = { STOP: 'end', MAX_TOKENS: 'length' }[c.finishReason] ?? 'filter'; }
      }
    }
    if (a.stop === 'end' && a.calls.length) a.stop = 'tool';
    return a;
  },
  ollama(body) {
    const a = { text: '', think: '', calls: [], usages: 0, receipts: 0, clean: false };
    assert.ok(body.endsWith('\n'));
    for (const l of body.split('\n').filter((x) => x.trim())) {
      const d = JSON.parse(l);
      assert.ok(!a.clean && !a.error, 'a line behind the end');
      if (d.error) { a.error = d.error; continue; }
      if (d.maestro) a.receipts++;
      a.text += d.message?.content ?? '';
      a.think += d.message?.thinking ?? '';
      for (const c of d.message?.tool_calls ?? []) a.calls.push([c.function.name, JSON.stringify(c.function.arguments)]);
      if (d.done) { a.clean = true; a.stop = { stop: 'end', length: 'length' }[d.done_reason]; a.usages++; a.usage = [d.prompt_eval_count, d.eval_count]; }
    }
    if (a.stop === 'end' && a.calls.length) a.stop = 'tool';
    return a;
  },
  responses(body) {
    const a = { text: '', think: '', calls: [], usages: 0, receipts: 0, clean: false };
    const items = new Map(), texts = new Map();
    let seq = 0, next = 0;
    for (const { event, data: d } of frames(body)) {
      assert.equal(event, d.type);
      assert.ok(!a.clean && (!a.error || d.type === 'response.failed'), `${d.type} behind the end`);
      if (d.type === 'keepalive') continue;
      if (d.type === 'error') { a.error = d; assert.equal(d.sequence_number, seq++, 'sequence'); continue; }
      assert.equal(d.sequence_number, seq++, 'sequence');
      if (d.type === 'response.output_item.added') {
        assert.equal(d.output_index, next++, 'output_index');
        items.set(d.output_index, d.item);
        if (d.item.type === 'function_call') a.calls.push([d.item.name, '']);
      } else if (d.type === 'response.output_text.delta') {
        assert.equal(items.get(d.output_index)?.id, d.item_id);
        texts.set(d.output_index, (texts.get(d.output_index) ?? '') + d.delta);
        a.text += d.delta;
      } else if (d.type === 'response.output_text.done') assert.equal(d.text, texts.get(d.output_index) ?? '', 'the text again');
      else if (/reasoning.*delta/.test(d.type)) a.think += d.delta;
      else if (d.type === 'response.function_call_arguments.delta') a.calls.at(-1)[1] += d.delta;
      else if (d.type === 'response.output_item.done') {
        assert.ok(items.has(d.output_index));
        if (d.item.type === 'function_call') assert.equal(a.calls.find((c) => c[1] === d.item.arguments)?.[0], d.item.name);
      } else if (d.type === 'response.failed') a.error = d.response.error;
      else if (d.type === 'response.completed' || d.type === 'response.incomplete') {
        const o = d.response;
        if (o.maestro) a.receipts++;
        a.clean = true;
        a.stop = d.type === 'response.incomplete' ? 'length' : 'end';
        a.usages++; a.usage = o.usage && [o.usage.input_tokens, o.usage.output_tokens];
        assert.equal(o.output.filter((i) => i.type === 'message').flatMap((i) => i.content).map((c) => c.text ?? '').join(''), a.text, 'the whole says the same');
        assert.deepEqual(o.output.filter((i) => i.type === 'function_call').map((i) => [i.name, i.arguments]), a.calls);
        assert.equal(o.output.length, next);
      }
    }
    if (a.stop === 'end' && a.calls.length) a.stop = 'tool';
    return a;
  },
};

/** The same of a whole reply. */
export const wholeReaders = {
  chat: (d) => ({ text: d.choices[0].message.content ?? '', think: d.choices[0].message.reasoning_content ?? '', calls: (d.choices[0].message.tool_calls ?? []).map((c) => [c.function.name, c.function.arguments]), stop: { stop: 'end', length: 'length', tool_calls: 'tool' }[d.choices[0].finish_reason] }),
  anthropic: (d) => ({ text: d.content.filter((b) => b.type === 'text').map((b) => b.text).join(''), think: d.content.filter((b) => b.type === 'thinking').map((b) => b.thinking).join(''), calls: d.content.filter((b) => b.type === 'tool_use').map((b) => [b.name, JSON.stringify(b.input)]), stop: { end_turn: 'end', max_tokens: 'length', tool_use: 'tool' }[d.stop_reason] }),
  gemini: (d) => {
    const parts = d.candidates[0].content?.parts ?? [], calls = parts.filter((p) => p.functionCall).map((p) => [p.functionCall.name, JSON.stringify(p.functionCall.args ?? {})]);
    const stop = { STOP: 'end', MAX_TOKENS: 'length' }[d.candidates[0].finishReason];
    return { text: parts.filter((p) => p.text && !p.thought).map((p) => p.text).join(''), think: parts.filter((p) => p.thought).map((p) => p.text).join(''), calls, stop: stop === 'end' && calls.length ? 'tool' : stop };
  },
  ollama: (d) => {
    const calls = (d.message.tool_calls ?? []).map((c) => [c.function.name, JSON.stringify(c.function.arguments)]), stop = { stop: 'end', length: 'length' }[d.done_reason];
    return { text: d.message.content ?? '', think: d.message.thinking ?? '', calls, stop: stop === 'end' && calls.length ? 'tool' : stop };
  },
  responses: (d) => {
    const calls = d.output.filter((i) => i.type === 'function_call').map((i) => [i.name, i.arguments]);
    const stop = d.status === 'incomplete' ? 'length' : 'end';
    return { text: d.output.filter((i) => i.type === 'message').flatMap((i) => i.content).map((c) => c.text ?? '').join(''), think: '', calls, stop: stop === 'end' && calls.length ? 'tool' : stop };
  },
};
