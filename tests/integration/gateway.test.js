// What the gateway itself decides: credentials, local calls, bad input, reloads, fallback, drain.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import http from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { KEY, configFor, makeHome, raw, run, sleep, sse, startMock, startServe, until, user } from './harness.js';

let mock, serve;

before(async () => {
  mock = await startMock();
  serve = await startServe({ config: configFor(mock) });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

const status = (text) => Number(/^HTTP\/1\.[01] (\d+)/.exec(text)?.[1]);
const chat = (body, headers) => serve.post('/v1/chat/completions', body, headers);

test('bad bodies: 400 in the envelope, with the path at fault', async () => {
  const cases = [
    ['', 'invalid_json'], ['{', 'invalid_json'], ['[]', 'invalid_json'], ['{"model":"m"} x', 'invalid_json'],
    ['\ufeff{"model":"m"}', 'invalid_json'], ['{"model":"m\u0000"}', 'invalid_json'],
    ['{"messages":[]}', 'missing_required_parameter'], ['{"model":1,"messages":[{}]}', 'invalid_type'],
    ['{"model":"mock-model"}', 'missing_required_parameter'], ['{"model":"mock-model","messages":{}}', 'invalid_type'],
    ['{"model":"mock-model","messages":[]}', 'invalid_value'],
    ['{"model":"mock-model","model":"b","messages":[{}]}', 'duplicate_key'],
    ['{"model":"mock-model","m\\u006fdel":"b","messages":[{}]}', 'duplicate_key'],
    ['{"Model":"mock-model","messages":[{}]}', 'invalid_value'],
    ['{"model":"mock-model","messages":[{}],"stream":"yes"}', 'invalid_type'],
    ['{"model":"mock-model","messages":[{}],"stream_options":{"include_usage":1}}', 'invalid_type'],
    ['{"model":"mock-model","messages":[{}],"maestro":{"budget":1}}', 'unsupported_parameter'],
    [`{"model":"mock-model","messages":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'invalid_json'],
  ];
  for (const [body, code] of cases) {
    const r = await chat(body);
    const text = await r.text();
    assert.equal(r.status, 400, `${body.slice(0, 60)} -> ${text}`);
    const { error } = JSON.parse(text);
    assert.equal(error.code, code, `${body.slice(0, 60)} -> ${text}`);
    assert.ok(error.message.length > 5 && error.type === 'invalid_request_error' && 'param' in error);
  }
  const bytes = Buffer.concat([Buffer.from('{"model":"mock-model","messages":[{"content":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}]}')]);
  const r = await fetch(`${serve.url}/v1/chat/completions`, { method: 'POST', body: bytes, headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' } });
  assert.equal(r.status, 400);
});

test('credentials: each header style, none, a wrong one, a placeholder', async () => {
  const get = (headers) => fetch(`${serve.url}/v1/models`, { headers });
  for (const h of [{ authorization: `Bearer ${KEY}` }, { authorization: KEY }, { 'x-api-key': KEY }, { 'x-goog-api-key': KEY },
    { authorization: 'Bearer unused', 'x-api-key': KEY }])
    assert.equal((await get(h)).status, 200, JSON.stringify(h));
  for (const h of [{}, { authorization: 'Bearer wrong-key' }, { authorization: 'Bearer unused' }]) {
    const r = await get(h);
    assert.equal(r.status, 401, JSON.stringify(h));
    assert.match(r.headers.get('www-authenticate'), /Bearer/);
    const { error } = await r.json();
    assert.equal(error.code, 'invalid_api_key');
    assert.ok(!error.message.includes('wrong-key'));
  }
});

test('without a key of a person: local calls work, browsers and proxies do not', async () => {
  const open = await startServe({ config: configFor(mock), key: null });
  const send = (headers, body = '{"model":"mock-model","messages":[{"role":"user","content":"x"}]}') =>
    raw(open.port, `POST /v1/chat/completions HTTP/1.1\r\nContent-Length: ${body.length}\r\nConnection: close\r\n${headers}\r\n\r\n${body}`);
  const host = `Host: localhost:${open.port}`, json = 'Content-Type: application/json';
  try {
    assert.equal(status(await send(`${host}\r\n${json}`)), 200);
    assert.equal(status(await send(`Host: 127.0.0.1:${open.port}\r\n${json}\r\nAuthorization: Bearer unused`)), 200);
    assert.equal(status(await send(`Host: evil.example:${open.port}\r\n${json}`)), 421, 'rebinding');
    assert.equal(status(await send(`${host}\r\n${json}\r\nOrigin: http://evil.example`)), 403, 'another origin');
    for (const h of ['Sec-Fetch-Site: cross-site', 'X-Forwarded-For: 1.2.3.4', 'Via: 1.1 x', 'Forwarded: for=1.2.3.4', 'CF-Ray: 1', 'X-Real-IP: 1.1.1.1'])
      assert.equal(status(await send(`${host}\r\n${json}\r\n${h}`)), 401, h);
    assert.equal(status(await send(`${host}\r\nContent-Type: text/plain`)), 401, 'a form can send text/plain');
    const path = join(open.home, 'config', 'maestro', 'contexts.json');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const key = JSON.parse(readFileSync(path, 'utf8')).contexts.local.api_key;
    assert.match(key, /^sk-maestro-/);
    assert.equal(status(await send(`${host}\r\n${json}\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer ${key}`)), 200);
  } finally { await open.stop(); }
});

test('framing: smuggling and malformed requests are refused', async () => {
  const h = `Host: localhost:${serve.port}\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n`;
  const cases = {
    'both lengths': `POST /v1/chat/completions HTTP/1.1\r\n${h}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': `POST /v1/chat/completions HTTP/1.1\r\n${h}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    'signed length': `POST /v1/chat/completions HTTP/1.1\r\n${h}Content-Length: +2\r\n\r\n{}`,
    'odd coding': `POST /v1/chat/completions HTTP/1.1\r\n${h}Transfer-Encoding: xchunked\r\n\r\n`,
    'space before colon': `GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n`,
    'folded header': `GET /health HTTP/1.1\r\n${h}X-A: b\r\n c\r\n\r\n`,
    'bare LF': `GET /health HTTP/1.1\nHost: localhost:${serve.port}\n\n`,
    'no host': 'GET /health HTTP/1.1\r\n\r\n',
    'two hosts': `GET /health HTTP/1.1\r\nHost: localhost:${serve.port}\r\nHost: localhost:${serve.port}\r\n\r\n`,
    'coding on 1.0': `POST /v1/chat/completions HTTP/1.0\r\n${h}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'NUL in a value': `GET /health HTTP/1.1\r\n${h}X-A: b\0c\r\n\r\n`,
    'huge chunk size': `POST /v1/chat/completions HTTP/1.1\r\n${h}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n`,
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const text = await raw(serve.port, bytes);
    const s = status(text);
    assert.ok(s >= 400 && s < 500 || s === 501, `${name}: ${text.slice(0, 80)}`);
    assert.ok(!text.includes('HTTP/1.1', 9), `${name}: one reply, then the end`);
  }
  assert.equal(status(await raw(serve.port, `GET /health HTTP/1.1\r\n${h}X-Big: ${'a'.repeat(100000)}\r\n\r\n`)), 431);
  assert.equal(status(await raw(serve.port, `GET /${'a'.repeat(20000)} HTTP/1.1\r\n${h}\r\n`)), 414);
});

test('pipelining, 100-continue, chunked and compressed bodies', async () => {
  const body = '{"model":"mock-model","messages":[{"role":"user","content":"[[mock:echo]] piped"}]}';
  const h = `Host: localhost:${serve.port}\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n`;
  const one = `POST /v1/chat/completions HTTP/1.1\r\n${h}Content-Length: ${body.length}\r\n\r\n${body}`;
  const two = `GET /health HTTP/1.1\r\n${h}Connection: close\r\n\r\n`;
  const text = await raw(serve.port, one + one + two);
  assert.equal(text.match(/HTTP\/1\.1 200 OK/g).length, 3);
  assert.ok(text.trimEnd().endsWith('{"status":"healthy"}'), 'order is kept');
  const chunked = `POST /v1/chat/completions HTTP/1.1\r\n${h}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
    [...body].map((c) => `1\r\n${c}\r\n`).join('') + '0\r\n\r\n';
  assert.equal(status(await raw(serve.port, chunked)), 200);
  const waits = await raw(serve.port, `POST /v1/chat/completions HTTP/1.1\r\n${h}Expect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`, { ms: 1000 });
  assert.match(waits, /^HTTP\/1\.1 100/);
  const unknown = await raw(serve.port, `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:${serve.port}\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n`, { ms: 1500 });
  assert.equal(status(unknown), 401, 'no invitation without a credential');
  const send = (coding, bytes) => fetch(`${serve.url}/v1/chat/completions`, { method: 'POST', body: bytes,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-encoding': coding } });
  assert.equal((await send('gzip', gzipSync(body))).status, 200);
  assert.equal((await send('br', Buffer.from('x'))).status, 415);
  assert.equal((await send('gzip', gzipSync(Buffer.alloc(80 << 20, ' ')))).status, 413, 'a bomb');
});

test('WebSocket upgrades, HEAD, OPTIONS, wrong methods, unknown paths', async () => {
  const up = await raw(serve.port, `GET /v1/responses HTTP/1.1\r\nHost: localhost:${serve.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n`);
  assert.equal(status(up), 426);
  assert.match(up, /Connection: close/i);
  assert.equal((await fetch(`${serve.url}/health`, { method: 'HEAD' })).status, 200);
  assert.equal((await fetch(`${serve.url}/v1/models`, { method: 'OPTIONS' })).headers.get('allow').includes('GET'), true);
  const wrong = await fetch(`${serve.url}/v1/chat/completions`, { headers: { authorization: `Bearer ${KEY}` } });
  assert.equal(wrong.status, 405);
  assert.match(wrong.headers.get('allow'), /POST/);
  const none = await fetch(`${serve.url}/v1/nothing`);
  assert.equal(none.status, 404);
  for (const path of ['/v1/v1/messages', '/v1/v1beta/models/m:generateContent', '/v1/api/chat'])
    assert.match(await (await fetch(`${serve.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).text(), /leave that out of its address/, path);
  assert.match(await (await fetch(`${serve.url}/v1/nothing`)).text(), /GET \/ lists what is/);
  assert.equal((await none.json()).error.code, 'not_found');
});

test('operations: health, readiness, metrics; nothing secret in logs or metrics', async () => {
  assert.equal(await (await fetch(`${serve.url}/health`)).text(), '{"status":"healthy"}');
  assert.equal((await fetch(`${serve.url}/readyz`)).status, 200);
  assert.deepEqual(await (await fetch(`${serve.url}/healthz`)).json(), { status: 'ok' });
  const details = await (await fetch(`${serve.url}/healthz`, { headers: { authorization: `Bearer ${KEY}` } })).json();
  assert.deepEqual(details.providers_configured, ['up']);
  assert.equal((await fetch(`${serve.url}/metrics`)).status, 401);
  await chat({ model: 'mock-model', messages: user('a very private sentence') });
  await fetch(`${serve.url}/v1/models?key=${KEY}`);
  const metrics = await serve.metrics();
  assert.match(metrics, /maestro_requests_total\{.*endpoint="\/v1\/chat\/completions".*\} [1-9]/);
  assert.match(metrics, /maestro_tokens_total\{.*model="mock-model".*kind="input".*\} [1-9]/);
  await sleep(300);
  for (const text of [metrics, serve.output])
    for (const secret of [KEY, 'sk-upstream-secret-0001', 'a very private sentence'])
      assert.ok(!text.includes(secret), secret);
});

test('a request id is accepted when sound, else made', async () => {
  const get = async (id) => (await fetch(`${serve.url}/health`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
  assert.equal(await get('my-id-1'), 'my-id-1');
  assert.match(await get('x'.repeat(300)), /^tr_/);
});

test('fallback to another provider of the same model; a 400 stays', async () => {
  const both = await startServe({ config: { providers: {
    dead: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1', apiKey: 'k', models: { 'mock-model': {} } },
    bad: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'k', models: { 'mock-model': {} } },
    good: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'k', models: { 'mock-model': {} } } } } });
  try {
    const r = await both.post('/v1/chat/completions', { model: 'mock-model', messages: user('x'), maestro: {} });
    const body = await r.json();
    assert.equal(body.model, 'bad/mock-model');
    assert.equal(body.maestro.route[0].attempts, 2);
    const given = await until('why the first was given up', () => both.logs().find((l) => l.event === 'another candidate is asked'));
    assert.deepEqual([given.trace_id, given.provider, given.code], [body.maestro.trace_id, 'dead', 'upstream_unreachable']);
    const refused = await both.post('/v1/chat/completions', { model: 'mock-model', messages: user('[[mock:fail-400]] x') });
    assert.equal(refused.status, 400);
    const stream = await both.post('/v1/chat/completions', { model: 'mock-model', stream: true, messages: user('[[mock:fail-503-once]] s') });
    assert.equal(stream.status, 200);
    assert.ok(sse(await stream.text()).includes('[DONE]'));
    const dead = await both.post('/v1/chat/completions', { model: 'dead/mock-model', messages: user('x') });
    assert.equal(dead.status, 502);
    assert.ok(!JSON.stringify(await dead.json()).includes('127.0.0.1'), 'no address in an error');
  } finally { await both.stop(); }
});

test('a provider that is this server itself: an error at once, not a loop', async () => {
  const probe = await startServe({ config: configFor(mock) });
  const { port } = probe;
  await probe.stop();
  const s = await startServe({ args: ['--port', String(port)], config: configFor({ url: `http://127.0.0.1:${port}` }, { apiKey: KEY }) });
  try {
    const r = await s.post('/v1/chat/completions', { model: 'up/mock-model', messages: user('x') });
    assert.equal(r.status, 508);
    assert.match((await r.json()).error.message, /leads back/);
  } finally { await s.stop(); }
});

test('reload: a new provider within a second, a bad file changes nothing', async () => {
  const s = await startServe({ config: configFor(mock) });
  const models = async () => (await (await fetch(`${s.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })).json()).data.map((m) => m.id);
  try {
    const two = configFor(mock);
    two.providers.second = { ...two.providers.up, models: { fresh: {} } };
    s.writeConfig(two);
    await until('the new model', async () => (await models()).includes('second/fresh'), 5000);
    s.writeConfig('{ "providers": { "second": { "type": "openai-compatible", "baseURL": "ftp://x" } }, "serverr": {} ');
    await until('the fault in the log', () => s.logs().some((l) => l.event === 'configuration' && l.level === 'error'));
    assert.ok((await models()).includes('second/fresh'), 'the old configuration goes on');
    const refresh = await s.post('/api/admin/models/refresh', '');
    assert.equal(refresh.status, 422);
    s.writeConfig({ providers: { second: { type: 'openay' } } });
    await until('what was meant', () => s.logs().some((l) => l.reason === '"openay" is not a type of provider (did you mean "openai"?)'));
    s.writeConfig(configFor(mock));
    const good = await s.post('/api/admin/models/refresh', '');
    assert.equal(good.status, 200);
    assert.deepEqual(await good.json(), { success: true, models_count: 1 });
    assert.ok(!(await models()).includes('second/fresh'), 'live when the answer is');
  } finally { await s.stop(); }
});

test('reload under load loses no request', async () => {
  const s = await startServe({ config: configFor(mock) });
  try {
    let stop = false, done = 0;
    const loops = Array.from({ length: 8 }, async () => {
      while (!stop) {
        const r = await s.post('/v1/chat/completions', { model: 'mock-model', stream: done % 2 === 0, messages: user('x') });
        assert.equal(r.status, 200);
        await r.text();
        done++;
      }
    });
    for (let i = 0; i < 5; i++) { s.child.kill('SIGHUP'); await sleep(150); }
    stop = true;
    await Promise.all(loops);
    assert.ok(done > 20);
  } finally { await s.stop(); }
});

test('drain: a running stream ends well, new connections are refused, exit code 0', async () => {
  const s = await startServe({ config: configFor(mock) });
  const running = s.post('/v1/chat/completions', { model: 'mock-model', stream: true, messages: user('[[mock:pace-50+chunks-30]] slow end') });
  const r = await running;
  s.child.kill('SIGTERM');
  await sleep(300);
  await assert.rejects(fetch(`${s.url}/health`));
  assert.ok(sse(await r.text()).includes('[DONE]'));
  await s.stop();
});

test('drain: what is cut at its end was cut by the server, not left by its client', async () => {
  const s = await startServe({ config: { ...configFor(mock), server: { drainMs: 300 } } });
  const ask = (tags, stream) => s.post('/v1/chat/completions', { model: 'mock-model', stream, messages: user(`[[mock:${tags}]] x`) });
  const [running, waiting] = [ask('pace-50+chunks-200', true), ask('hang', false)];
  const r = await running;
  s.child.kill('SIGTERM');
  const cut = r.text().then((text) => assert.ok(!sse(text).includes('[DONE]')), () => {});
  const refused = await waiting;
  assert.equal(refused.status, 503);
  assert.match((await refused.json()).error.message, /shutting down/);
  await cut;
  await s.stop();
  const lines = s.logs().filter((l) => l.route === '/v1/chat/completions');
  assert.deepEqual(lines.map((l) => [l.status, l.error]).sort(), [200, 503].map((status) => [status, 'the server is shutting down']));
});

test('what asking again does not help with is asked once by the SDKs, what it may help with again', async () => {
  const s = await startServe({ config: { ...configFor(mock), providers: { ...configFor(mock).providers,
    bare: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKeyEnv: 'NOT_SET_ANYWHERE', models: { mine: {} } } } } });
  const asked = () => s.logs().filter((l) => l.route === '/v1/chat/completions' || l.route === '/v1/messages').length;
  const openai = new OpenAI({ baseURL: `${s.url}/v1`, apiKey: KEY, maxRetries: 1 });
  const anthropic = new Anthropic({ baseURL: s.url, apiKey: KEY, maxRetries: 1 });
  try {
    await assert.rejects(openai.chat.completions.create({ model: 'bare/mine', messages: user('x') }), (e) => e.status === 503 && e.code === 'provider_not_configured');
    await assert.rejects(anthropic.messages.create({ model: 'bare/mine', max_tokens: 5, messages: user('x') }), (e) => e.status === 503);
    await sleep(200);
    assert.equal(asked(), 2);
    await assert.rejects(openai.chat.completions.create({ model: 'mock-model', messages: user('[[mock:fail-500]] x') }), (e) => e.status === 500);
    await until('the SDK to ask twice', () => asked() === 4);
  } finally { await s.stop(); }
});

test('silence: the head and keep-alives go out, and errors are then events', async () => {
  const s = await startServe({ config: { ...configFor(mock), stream: { headAfterMs: 300, keepAliveMs: 200 } } });
  try {
    const r = await s.post('/v1/chat/completions', { model: 'mock-model', stream: true, messages: user('[[mock:slow-1500]] x') });
    assert.equal(r.status, 200);
    const text = await r.text();
    assert.ok(text.startsWith(': keep-alive'), text.slice(0, 60));
    assert.ok(text.match(/: keep-alive/g).length >= 3);
    assert.ok(sse(text).includes('[DONE]'));
    const f = await s.post('/v1/chat/completions', { model: 'mock-model', stream: true, messages: user('[[mock:slow-900+fail-500]] x') });
    assert.equal(f.status, 200);
    const events = sse(await f.text());
    assert.ok(JSON.parse(events.at(-1)).error);
  } finally { await s.stop(); }
});

test('clocks: headers, first token, silence', async () => {
  const s = await startServe({ config: configFor(mock, { timeouts: { headers_ms: 600, first_token_ms: 900, silence_ms: 700 } }) });
  const get = async (name, stream) => {
    const r = await s.post('/v1/chat/completions', { model: 'mock-model', stream, messages: user(`[[mock:${name}]] x`) });
    return { status: r.status, text: await r.text() };
  };
  try {
    const headers = await get('hang', false);
    assert.equal(headers.status, 504);
    assert.equal(JSON.parse(headers.text).error.code, 'upstream_headers_timeout');
    const first = await get('slow-first-5000', true);
    assert.equal(first.status, 504);
    assert.match(JSON.parse(first.text).error.code, /upstream_(first_token|silence)_timeout/);
    const silent = await get('stream-stall', true);
    assert.equal(JSON.parse(sse(silent.text).at(-1)).error.code, 'upstream_silence_timeout');
  } finally { await s.stop(); }
});

test('a slow reader pauses the upstream, and every byte arrives', async () => {
  const body = JSON.stringify({ model: 'mock-model', stream: true, messages: user('[[mock:big-8192+chunks-4000]] x') });
  const text = await new Promise((resolve, reject) => {
    const req = http.request({ port: serve.port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, async (res) => {
      await sleep(1500);
      let got = '';
      res.setEncoding('utf8');
      res.on('data', (d) => { got += d; });
      res.on('end', () => resolve(got));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
  const events = sse(text);
  assert.equal(events.at(-1), '[DONE]');
  const length = events.slice(0, -1).reduce((n, e) => n + (JSON.parse(e).choices[0]?.delta?.content?.length ?? 0), 0);
  assert.ok(length >= 8192 * 1024);
});

test('replies that the process has no memory for: 503, and it goes on', async () => {
  const s = await startServe({ config: { ...configFor(mock), server: { limits: { heldBytes: '24MiB' } } } });
  const ask = (name, extra = {}) => s.post('/v1/chat/completions', { model: 'mock-model', messages: user(`[[mock:${name}]] x`), ...extra });
  try {
    const large = await Promise.all(Array.from({ length: 4 }, () => ask('big-65536'))); // 64 MiB each: none fits
    for (const r of large) {
      assert.equal(r.status, 503);
      assert.ok(Number(r.headers.get('retry-after')) >= 1);
      assert.equal((await r.json()).error.code, 'server_busy');
    }
    const several = await Promise.all(Array.from({ length: 8 }, async () => { // 4 MiB each: not all at once
      const r = await ask('big-4096');
      return { status: r.status, text: await r.text() };
    }));
    for (const r of several) {
      assert.ok(r.status === 200 || r.status === 503, `${r.status}`);
      const body = JSON.parse(r.text);
      if (r.status === 200) assert.ok(body.choices[0].message.content.length >= 4 << 20);
    }
    const stream = await ask('big-3072+chunks-1', { stream: true }); // one event of 3 MiB, within a small stream
    assert.equal(stream.status, 200);
    assert.ok(sse(await stream.text()).includes('[DONE]'));
    assert.equal((await ask('big-64')).status, 200, 'small ones go on');
    await until('all of it given back', async () => /^maestro_held_bytes(\{.*\})? 0$/m.test(await s.metrics()));
  } finally { await s.stop(); }
});

test('the page at / for people, the line for Ollama, JSON for the rest', async () => {
  const page = await fetch(`${serve.url}/`, { headers: { accept: 'text/html' } });
  assert.match(await page.text(), /\/v1\/chat\/completions/);
  assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
  assert.equal(await (await fetch(`${serve.url}/`, { headers: { 'user-agent': 'ollama/0.6' } })).text(), 'Ollama is running');
  assert.equal((await (await fetch(`${serve.url}/`)).json()).name, 'maestro');
});

test('commands: version, check, init, context, server', async () => {
  assert.match((await run(['version'])).stdout, /^maestro \d/);
  const typo = await run(['srve']);
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /did you mean "serve"/);
  const init = await run(['init']);
  assert.equal(init.code, 0);
  const check = await run(['check'], { home: init.home });
  assert.equal(check.code, 0, check.stderr);
  writeFileSync(join(init.home, 'config', 'maestro', 'maestro.json'), '{\n  "server": {"prt": 80},\n  "providers": {"a": {"type": "openai-compatible"}}\n}');
  const bad = await run(['check'], { home: init.home });
  assert.equal(bad.code, 3);
  assert.match(bad.stderr, /maestro\.json:2: error: .*prt/);
  assert.match(bad.stderr, /maestro\.json:3: error: /);
  writeFileSync(join(init.home, 'config', 'maestro', 'maestro.json'), JSON.stringify({ providers: {
    local: { baseURL: 'http://127.0.0.1:1/v1', models: { free: { price: { in: 0, out: 0 } }, half: { price: { in: 1 } }, none: {} } },
    box: { type: 'ollama' } } }));
  const priced = (await run(['check'], { home: init.home })).stdout;
  assert.match(priced, /local +ready, 3 models, 2 without a price\n/);
  assert.match(priced, /box +ready, models as it lists them, without prices\n/);
  assert.doesNotMatch(priced, /budgetUsd/);
  assert.match((await run(['check'], { home: init.home, env: { MAESTRO_BUDGET_USD: '5' } })).stdout, /limits\.budgetUsd refuses models without a price/);
  writeFileSync(join(init.home, 'config', 'maestro', 'maestro.json'), '{"providers": {"a": {"type": "openai-compatible"}}}');
  const refused = await run(['serve', '--port', '0'], { home: init.home });
  assert.equal(refused.code, 3);
  assert.equal((await run(['server', 'status'])).code, 4);
  const add = await run(['context', 'add', 'team', '-e', 'http://127.0.0.1:1', '--key'], { input: 'sk-maestro-abcdefghijklmnop\n' });
  assert.equal(add.code, 0, add.stderr);
  const list = await run(['context', 'list'], { home: add.home });
  assert.ok(list.stdout.includes('team') && !list.stdout.includes('abcdefghijkl'));
  assert.match((await run(['context', 'get-key', 'team'], { home: add.home })).stdout, /^sk-maestro-abcdefghijklmnop$/m);
});

test('commands find the server that runs, and --help does nothing else', async () => {
  const own = await startServe();
  const status = await run(['server', 'status'], { home: own.home });
  assert.match(status.stdout, /^health +ok\nversion +\S+\nproviders +\S.*\nmodels +\d+\nstore +ok\nresponses +ok\n/m, status.stdout);
  const help = await run(['server', 'stop', '--help'], { home: own.home });
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: maestro server /);
  const tried = await run(['context', 'test'], { home: own.home });
  assert.equal(tried.code, 0, tried.stderr);
  assert.ok(tried.stdout.includes(`:${own.port} `), tried.stdout);
  await own.stop();
  // The number of a server that was killed may belong to another process by now.
  const home = makeHome();
  const other = spawn('sleep', ['30']);
  const ended = new Promise((resolve) => other.on('exit', (code, signal) => resolve(signal)));
  writeFileSync(join(home, 'data', 'maestro', 'server.json'),
    JSON.stringify({ pid: other.pid, host: '127.0.0.1', port: 1, started: '2026-01-01T00:00:00Z', version: '0.1.0' }));
  assert.equal((await run(['server', 'stop'], { home })).code, 4);
  other.kill('SIGKILL');
  assert.equal(await ended, 'SIGKILL');
});
