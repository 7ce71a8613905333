// Hostile providers and callers: what they send must stay bounded, fail in the right shape and never reach the next caller.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { KEY, raw, rawProvider, sleep, sse, startServe, user } from './harness.js';

const answer = JSON.stringify({
  id: 'x', object: 'chat.completion', created: 1, model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'GOOD' }, finish_reason: 'stop' }],
});
const event = (content, stop = null) => `data: ${JSON.stringify({
  id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: stop }],
})}\n\n`;
const stream = `${event('a')}${event('b')}${event('', 'stop')}data: [DONE]\n\n`;
const head = (type, more = '') => `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${more}`;
const json = (body, more = '') => `${head('application/json', more)}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const events = (body, more = '') => `${head('text/event-stream', more)}\r\n${body}`;
const limits = Array.from({ length: 100 }, (_, i) => `x-ratelimit-${i}: 1\r\n`).join('');

/** What the provider does when it is asked for that model: bytes to send (then it closes), or a function of the socket. */
const behaviour = {
  good: (socket) => socket.write(json(answer)),
  poison: (socket) => socket.write(json(answer) + json(answer.replace('GOOD', 'POISON'))),
  'many-headers': json(answer, limits),
  'many-headers-stream': events(stream, limits),
  'after-end': events(stream + event('POISON').repeat(50)),
  'never-ends': (socket) => {
    socket.write(events(stream));
    const timer = setInterval(() => socket.write(': more\n\n'), 50);
    socket.on('close', () => clearInterval(timer));
  },
  'cut-behind-end': `${head('text/event-stream', 'Transfer-Encoding: chunked\r\n')}\r\n${stream.length.toString(16)}\r\n${stream}\r\n`,
  'cut-before-end': `${head('text/event-stream', 'Transfer-Encoding: chunked\r\n')}\r\n${event('a').length.toString(16)}\r\n${event('a')}\r\n`,
  'empty-lines': '\r\n'.repeat(1 << 20),
  reason: `HTTP/1.1 200 ${'a'.repeat(2 << 20)}`,
  extensions: `${head('application/json', 'Transfer-Encoding: chunked\r\n')}\r\n1;${'a'.repeat(200000)}\r\n{\r\n0\r\n\r\n`,
  trailers: `${head('application/json', 'Transfer-Encoding: chunked\r\n')}\r\n${answer.length.toString(16)}\r\n${answer}\r\n0\r\n${'T: a\r\n'.repeat(50000)}\r\n`,
  'length-twice': json(answer, `Content-Length: ${answer.length}\r\n`),
  'length-and-chunked': json(answer, 'Transfer-Encoding: chunked\r\n'),
};
const asked = [];
let provider, serve;

before(async () => {
  provider = await rawProvider(({ body }) => {
    const { model } = JSON.parse(body);
    asked.push(model);
    return behaviour[model];
  });
  serve = await startServe({
    config: {
      server: { workers: 1 },
      fallback: { strategy: 'none' },
      providers: {
        up: {
          type: 'openai-compatible', baseURL: `${provider.url}/v1`, apiKey: 'sk-upstream-secret-0001',
          models: Object.fromEntries(Object.keys(behaviour).map((m) => [m, { name: m }])),
        },
      },
    },
  });
});
after(async () => {
  await serve?.stop();
  provider?.close();
});

const chat = (model, more = {}) => serve.post('/v1/chat/completions', { model: `up/${model}`, messages: user('hi'), ...more });

test('a provider that sends a second reply does not answer the next caller', async () => {
  for (let i = 0; i < 5; i++) {
    assert.match(await (await chat('poison')).text(), /GOOD/);
    assert.doesNotMatch(await (await chat('good')).text(), /POISON/);
  }
});

test('many headers of a provider leave room for our own', async () => {
  const whole = await chat('many-headers');
  assert.equal(whole.headers.get('content-type'), 'application/json');
  assert.match(await whole.text(), /GOOD/);
  const streamed = await chat('many-headers-stream', { stream: true });
  assert.equal(streamed.headers.get('content-type'), 'text/event-stream');
  await streamed.text();
});

test('a stream is over with its end mark, whatever follows', async () => {
  const rest = sse(await (await chat('after-end', { stream: true })).text());
  assert.equal(rest.at(-1), '[DONE]');
  assert.equal(rest.filter((d) => d.includes('POISON')).length, 0);
  assert.equal(sse(await (await chat('never-ends', { stream: true })).text()).at(-1), '[DONE]');
  assert.equal(sse(await (await chat('cut-behind-end', { stream: true })).text()).at(-1), '[DONE]');
  assert.match(await (await chat('cut-before-end', { stream: true })).text(), /upstream_/);
});

test('endless or ambiguous replies of a provider are refused', async () => {
  for (const model of ['empty-lines', 'reason', 'extensions', 'trailers', 'length-twice', 'length-and-chunked']) {
    const r = await chat(model);
    assert.equal(r.status, 502, model);
    assert.doesNotMatch(await r.text(), /127\.0\.0\.1|secret/, model);
  }
});

test('a model name cannot write headers, and is refused before a provider is asked', async () => {
  const before_ = asked.length;
  for (const model of ['up/a\r\nX-Evil: 1', 'a\nb', 'up/\u007f']) {
    const r = await serve.post('/v1/chat/completions', { model, messages: user('hi') });
    assert.equal(r.status, 400);
    assert.equal(r.headers.get('x-evil'), null);
    assert.equal((await r.json()).error.param, 'model');
  }
  assert.equal(asked.length, before_);
});

test('our own options are bounded', async () => {
  const r = await chat('good', { maestro: { a: Array(20000).fill(0) } });
  assert.equal(r.status, 400);
  assert.equal((await r.json()).error.code, 'invalid_value');
});

test('smuggling: no byte of a refused message is taken for a request', async () => {
  const tail = `GET /health HTTP/1.1\r\nHost: localhost:${serve.port}\r\nConnection: close\r\n\r\n`;
  const start = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:${serve.port}\r\nAuthorization: Bearer ${KEY}\r\n`;
  const cases = [
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Content-Length: 0\r\nContent-Length: 5\r\n\r\n',
    'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Content-Length: +0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\n\r\n',
  ];
  for (const c of cases) {
    const got = await raw(serve.port, start + c + tail);
    assert.equal(got.match(/HTTP\/1\.1 \d+/g)?.length, 1, `${c} -> ${got}`);
    assert.match(got, /^HTTP\/1\.1 (400|501)/, c);
  }
});

test('clients that vanish at any moment leave nothing behind', async () => {
  const body = JSON.stringify({ model: 'up/never-ends', stream: true, messages: user('hi') });
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:${serve.port}\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const socket = net.connect(serve.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(i % 3 ? request : request.slice(0, i * 7));
    await sleep(i);
    if (i % 2) socket.destroy();
    else socket.resetAndDestroy();
  }));
  for (let i = 0; ; i++) {
    const open = /^maestro_in_flight(?:\{[^}]*\})? (\d+)/m.exec(await serve.metrics());
    if (Number(open?.[1]) <= 1) break; // the scrape itself
    assert.ok(i < 200, `still in flight: ${open?.[1]}`);
    await sleep(20);
  }
  assert.match(await (await chat('good')).text(), /GOOD/);
});

test('metrics are still answered while workers have already ended', async () => {
  const p = await startServe({ config: { server: { workers: 4 } } });
  const sockets = await Promise.all(Array.from({ length: 24 }, () => new Promise((resolve) => {
    const socket = net.connect(p.port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
  })));
  await sleep(50);
  const ended = p.stop();
  for (const socket of sockets) {
    socket.write(`GET /metrics HTTP/1.1\r\nHost: localhost:${p.port}\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
    await sleep(20);
  }
  await ended;
});

test('a provider whose model list never comes does not keep a server that is to stop', async () => {
  const silent = net.createServer((socket) => socket.on('error', () => {}));
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const p = await startServe({
    config: { providers: { up: { type: 'openai-compatible', baseURL: `http://127.0.0.1:${silent.address().port}/v1`, apiKey: 'sk-x' } } },
  });
  await sleep(100);
  await p.stop(); /* the last resort would end it with code 1 */
  silent.close();
});
