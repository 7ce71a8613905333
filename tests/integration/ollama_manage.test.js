// Management of Ollama's models through a real server: by callers who may, with the vendor's own client, and by the
// administration. What a node has is asked of the mock behind it.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import { startMock, startServe, rawProvider, sleep, until } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
const KEYS = ['sk-maestro-first-0123456789', 'sk-maestro-other-0123456789'];
let box, den, serve, single, users;

const declared = (mocks) => ({
  providers: {
    ...Object.fromEntries(Object.entries(mocks).map(([name, mock]) => [name, { type: 'ollama', baseURL: mock.url }])),
    up: { type: 'openai-compatible', baseURL: `${box.url}/v1`, apiKey: 'sk-1', models: { alpha: {} } },
  },
});

const client = (token, at = serve) => new Ollama({ host: at.url, headers: { authorization: `Bearer ${token}` } });
const has = async (mock, name) => (await new Ollama({ host: mock.url }).list()).models.some((m) => m.name === name);
const listed = async (at = serve, token = KEYS[0]) => (await client(token, at).list()).models.map((m) => m.name);
const progress = async (stream) => {
  const lines = [];
  for await (const line of await stream) lines.push(line);
  return lines;
};
const refused = async (promise, status, message) => {
  const e = await promise.then(() => assert.fail('no error'), (x) => x);
  assert.equal(e.status_code, status, e.message);
  assert.match(e.error, message);
};
async function admin(method, path, body, { token = ADMIN, at = serve } = {}) {
  const reply = await fetch(at.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, text, type: reply.headers.get('content-type'), json: () => JSON.parse(text), lines: () => text.trimEnd().split('\n').map((l) => JSON.parse(l)) };
}
const expect = async (status, ...call) => {
  const reply = await admin(...call);
  assert.equal(reply.status, status, `${call[0]} ${call[1]}: ${reply.text}`);
  return reply;
};
const makeUser = async (username, more, at = serve) =>
  (await expect(201, 'POST', '/admin/users', { username, ...more }, { at })).json().token;

before(async () => {
  [box, den] = [await startMock(), await startMock()];
  const env = { ADMIN_TOKEN: ADMIN, MAESTRO_API_KEYS: KEYS.join(), MAESTRO_WORKERS: '2' };
  serve = await startServe({ config: declared({ box, den }), env, key: null });
  single = await startServe({ config: declared({ box }), env, key: null });
  users = {
    mia: await makeUser('mia', { has_all_models: true, can_manage_ollama: true }),
    tim: await makeUser('tim', { has_all_models: true }),
    bea: await makeUser('bea', { models: ['llama*'], can_manage_ollama: true }),
    ned: await makeUser('ned', { has_all_models: true, can_manage_ollama: true }),
    boss: await makeUser('boss', { has_all_models: true, role: 'admin' }),
    oper: await makeUser('oper', { has_all_models: true, role: 'operator' }),
  };
  await expect(200, 'POST', '/admin/users/ned/nodes', { node_ids: ['box'] });
  await until('the lists of models', async () => {
    const names = await listed();
    return names.includes('box/echo:latest') && names.includes('den/echo:latest') && (await listed(single)).includes('box/echo:latest');
  });
});
after(async () => {
  for (const p of [serve, single, box, den]) await p?.stop();
});

test('pull at the only node, as a stream and whole: the model is listed at once', async () => {
  const ollama = client(KEYS[0], single);
  const lines = await progress(ollama.pull({ model: 'smol:1b', stream: true }));
  assert.equal(lines[0].status, 'pulling manifest');
  assert.ok(lines.some((l) => l.digest && l.total > 0 && l.completed > 0));
  assert.deepEqual(lines.filter((l) => l.status === 'success').length, 1);
  assert.equal(lines.at(-1).status, 'success');
  assert.ok((await listed(single)).includes('box/smol:1b'));
  assert.deepEqual(await ollama.pull({ model: 'tiny' }), { status: 'success' });
  assert.ok((await listed(single)).includes('box/tiny:latest'));
  assert.ok(await has(box, 'tiny:latest'));
  // Stream is the default of the API itself; the lines go out as they came.
  const direct = await (await fetch(`${box.url}/api/pull`, { method: 'POST', body: '{"model":"smol:1b"}' })).text();
  const reply = await admin('POST', '/api/pull', { model: 'smol:1b' }, { at: single });
  assert.equal(reply.type, 'application/x-ndjson');
  assert.equal(reply.text, direct);
  // The older member.
  assert.equal((await expect(200, 'POST', '/api/pull', { name: 'older', stream: false }, { at: single })).text, '{"status":"success"}');
  assert.ok(await has(box, 'older:latest'));
  assert.match((await expect(200, 'POST', '/api/pull', { model: null, name: 'older', stream: null }, { at: single })).text, /pulling manifest/);
  await expect(200, 'POST', '/api/pull', { model: '', insecure: false, username: '', password: '', name: 'box/cli', stream: false }, { at: single });
  const sent = (await box.requests()).requests.findLast((r) => r.path === '/api/pull');
  assert.deepEqual(JSON.parse(sent.body), { insecure: false, username: '', password: '', name: 'cli', stream: true }, 'as its command line sends it');
});

test('copy, create, push and delete, by name, by the listed name and by node:code:name', async () => {
  const ollama = client(users.mia);
  await ollama.pull({ model: 'node:den:base' });
  assert.ok(!(await has(box, 'base:latest')) && (await has(den, 'base:latest')), 'only there');
  await ollama.copy({ source: 'base', destination: 'me/copied:v1' });
  assert.ok(await has(den, 'me/copied:v1'));
  assert.ok((await listed()).includes('den/me/copied:v1'));
  await ollama.copy({ source: 'node:den:base', destination: 'den/again' });
  assert.ok(await has(den, 'again:latest'));
  assert.deepEqual(await ollama.create({ model: 'den/made', from: 'base', system: 'Be "brief".' }), { status: 'success' });
  const sent = (await den.requests()).requests.findLast((r) => r.path === '/api/create');
  assert.deepEqual(JSON.parse(sent.body), { model: 'made', from: 'base', system: 'Be "brief".', stream: true });
  assert.equal((await progress(ollama.push({ model: 'me/copied:v1', stream: true }))).at(-1).status, 'success');
  for (const name of ['base', 'me/copied:v1', 'den/again', 'node:den:made']) await ollama.delete({ model: name });
  const left = (await listed()).filter((n) => /base|copied|again|made/.test(n));
  assert.deepEqual(left, []);
  const reply = await fetch(`${serve.url}/api/delete`, { method: 'DELETE', headers: { authorization: `Bearer ${users.mia}` }, body: '{"model":"den/echo"}' });
  assert.equal(reply.status, 200);
  assert.equal(await reply.text(), '');
  assert.equal(reply.headers.get('content-length'), '0');
  assert.ok(!(await listed()).includes('den/echo:latest') && (await listed()).includes('box/echo:latest'));
});

test('which node: never a guess', async () => {
  const ollama = client(users.mia);
  await refused(ollama.pull({ model: 'fresh' }), 400, /several Ollama nodes could be meant \(box, den\): write "node:<code>:fresh"/);
  await refused(ollama.create({ model: 'fresh', from: 'x' }), 400, /box, den/);
  await refused(ollama.delete({ model: 'unicode' }), 400, /box, den/);
  await refused(ollama.delete({ model: 'nobody-has-it' }), 404, /not found/);
  await refused(ollama.pull({ model: 'node:nope:x' }), 404, /Node with code 'nope' not found/);
  await refused(ollama.pull({ model: 'node:up:x' }), 400, /"up" is no Ollama node/);
  await refused(ollama.delete({ model: 'up/alpha' }), 400, /"up" is no Ollama node/);
  await refused(ollama.copy({ source: 'node:box:unicode', destination: 'node:den:x' }), 400, /one node/);
  await refused(ollama.pull({ model: 'node:box:' }), 400, /required/);
  for (const name of ['', null, 7]) {
    const reply = await admin('POST', '/api/pull', { model: name });
    assert.equal(reply.status, 400, reply.text);
    assert.equal(typeof reply.json().error, 'string');
  }
  // Whoever may use one node alone need not name it.
  await client(users.ned).pull({ model: 'for-ned' });
  assert.ok(await has(box, 'for-ned:latest'));
  await refused(client(users.ned).pull({ model: 'node:den:x' }), 403, /no access/);
});

test('who may', async () => {
  for (const [token, status] of [[users.tim, 403], [users.oper, 403], [KEYS[1], 403], ['nonsense', 401]]) {
    const may = client(token);
    await refused(may.pull({ model: 'node:box:x' }), status, /./);
    await refused(may.push({ model: 'node:box:echo' }), status, /./);
    await refused(may.create({ model: 'node:box:x', from: 'echo' }), status, /./);
    await refused(may.copy({ source: 'node:box:echo', destination: 'x' }), status, /./);
    await refused(may.delete({ model: 'node:box:echo' }), status, /./);
  }
  await refused(client(users.tim).pull({ model: 'node:box:x' }), 403, /can_manage_ollama/);
  assert.ok(!(await has(box, 'x:latest')) && (await has(box, 'echo:latest')));
  for (const token of [ADMIN, KEYS[0], users.mia, users.boss]) {
    assert.deepEqual(await client(token).pull({ model: 'node:box:allowed' }), { status: 'success' });
    await client(token).delete({ model: 'node:box:allowed' });
  }
  const bare = await startServe({ config: declared({ box }), key: null });
  try {
    const reply = await fetch(`${bare.url}/api/pull`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"model":"x"}' });
    assert.equal(reply.status, 401, 'a local call needs a credential, too');
    assert.match((await reply.json()).error, /credential/);
  } finally { await bare.stop(); }
  await expect(200, 'PATCH', '/admin/users/tim', { can_manage_ollama: true });
  assert.deepEqual(await client(users.tim).pull({ model: 'node:box:allowed' }), { status: 'success' });
  await expect(200, 'PATCH', '/admin/users/tim', { can_manage_ollama: false });
  await refused(client(users.tim).delete({ model: 'node:box:allowed' }), 403, /can_manage_ollama/);
});

test('lists of models bind: the name, the source, and what a model is made from', async () => {
  const bea = client(users.bea);
  assert.deepEqual(await bea.pull({ model: 'node:box:llama3' }), { status: 'success' });
  for (const [what, request] of [['pull', { model: 'node:box:qwen' }], ['delete', { model: 'node:box:echo' }], ['push', { model: 'box/echo' }],
    ['copy', { source: 'box/echo', destination: 'llama-echo' }], ['copy', { source: 'box/llama3', destination: 'mine' }],
    ['create', { model: 'box/llama-mine', from: 'echo' }], ['create', { model: 'box/llama-mine', modelfile: 'FROM echo' }],
    ['create', { model: 'box/llama-mine', from: 'llama3', adapters: { a: 'sha256:0' } }], ['create', { model: 'box/llama-mine', files: { a: 'sha256:0' } }],
    ['create', { model: 'box/llama-mine', from: 'llama3', remote_host: 'https://elsewhere.example' }]])
    await refused(bea[what](request), 403, /access|every model/);
  // Letters that Go folds to ASCII ones: Ollama would read what nobody was asked about.
  for (const [what, body] of [['copy', { source: 'box/llama3', '\u017fource': 'echo', destination: 'llama-echo' }], ['copy', { source: 'box/llama3', 'de\u017ftination': 'mine', destination: 'llama-x' }],
    ['create', { model: 'box/llama-mine', from: 'llama3', 'file\u017f': { a: 'sha256:0' } }]])
    assert.match((await expect(400, 'POST', `/api/${what}`, body, { token: users.bea })).text, /letter case/);
  assert.ok((await has(box, 'echo:latest')) && !(await has(box, 'llama-echo:latest')) && !(await has(box, 'llama-mine:latest')));
  assert.deepEqual(await bea.create({ model: 'box/llama-mine', from: 'llama3:latest' }), { status: 'success' });
  await bea.copy({ source: 'box/llama3', destination: 'llama-too' });
  for (const name of ['llama3', 'llama-mine', 'llama-too']) await bea.delete({ model: name });
});

test("a node's errors come with its status, in Ollama's shape", async () => {
  const ollama = client(KEYS[0], single);
  await refused(ollama.pull({ model: 'fail-503' }), 503, /server busy/);
  await refused(ollama.pull({ model: 'fail-503', stream: true }), 503, /server busy/);
  await refused(ollama.delete({ model: 'nothing' }), 404, /model 'nothing' not found/);
  await refused(ollama.create({ model: 'nothing' }), 400, /neither 'from' or 'files'/);
  await refused(ollama.pull({ model: 'stream-error' }), 500, /unexpected EOF/);
  await assert.rejects(progress(ollama.pull({ model: 'stream-error', stream: true })), /unexpected EOF/);
  await refused(ollama.pull({ model: 'stream-cut' }), 502, /./);
  await assert.rejects(progress(ollama.pull({ model: 'stream-cut', stream: true })), /closed the connection/);
  await refused(ollama.pull({ model: 'garbage' }), 502, /./);
  await refused(ollama.pull({ model: 'redirect' }), 502, /302/);
  const lines = (await admin('POST', '/api/pull', { model: 'stream-error' }, { at: single })).lines();
  assert.equal(lines[0].status, 'pulling manifest');
  assert.deepEqual(Object.keys(lines.at(-1)), ['error']);
  for (const body of ['', '[]', '{', '{"model":"a","model":"b"}', '{"Model":"a"}', '{"model":"a","stream":"no"}', '{"model":"a\\u0000"}', `{"model":"${'x'.repeat(300)}"}`]) {
    const reply = await fetch(`${single.url}/api/pull`, { method: 'POST', headers: { authorization: `Bearer ${KEYS[0]}` }, body });
    assert.equal(reply.status, 400, body);
    assert.equal(typeof (await reply.json()).error, 'string');
  }
});

test('who leaves ends the pull at the node', async () => {
  await box.reset();
  const stream = await client(KEYS[0], single).pull({ model: 'pace-100+chunks-300', stream: true });
  let seen = 0;
  const from = Date.now();
  for await (const line of stream) if (line.digest && ++seen === 3) break;
  assert.ok(Date.now() - from < 20000, 'progress is relayed as it comes');
  stream.abort();
  const at = Date.now();
  await until('the node to see it', async () => (await box.stats()).aborted === 1);
  assert.ok(Date.now() - at < 2000);
  const whole = new AbortController();
  const pending = fetch(`${single.url}/api/pull`, { method: 'POST', signal: whole.signal, headers: { authorization: `Bearer ${KEYS[0]}` },
    body: '{"model":"pace-100+chunks-300","stream":false}' }).catch(() => {});
  await until('the pull at the node', async () => (await box.stats()).live === 1);
  whole.abort();
  await pending;
  await until('the node to see it', async () => (await box.stats()).aborted === 2);
  assert.ok(!(await has(box, 'pace-100+chunks-300:latest')));
});

test('a pull that makes progress has no time limit; one that is silent has', async () => {
  const config = { providers: { box: { type: 'ollama', baseURL: box.url, timeouts: { headers_ms: 1500, silence_ms: 800, total_ms: 1000, first_token_ms: 1000 } } } };
  const hasty = await startServe({ config, key: KEYS[0] });
  try {
    const ollama = client(KEYS[0], hasty);
    assert.deepEqual(await ollama.pull({ model: 'pace-100+chunks-30' }), { status: 'success' });
    await refused(ollama.pull({ model: 'stream-stall' }), 504, /silent/);
    await assert.rejects(progress(ollama.pull({ model: 'stream-stall', stream: true })), /silent/);
    await refused(ollama.delete({ model: 'hang' }), 504, /./);
  } finally { await hasty.stop(); }
});

test('a hostile node: long lines, junk, lines without end', async () => {
  const reply = (body, status = '200 OK') => `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const answers = {
    long: (s) => s.write(`HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n{"status":"${'x'.repeat(100000)}"}\n`),
    junk: reply('{"status":"pulling"}\nno json\n{"status":"success"}\n'),
    array: reply('["success"]\n'),
    early: reply('{"status":"verifying"}'),
    bare: reply('{"status":"success"}'),
    secret: reply('{"error":"call of http://10.1.2.3:9/x with sk-node-secret-123456 failed"}', '500 no'),
    deep: reply(`${'['.repeat(5000)}\n`),
  };
  const provider = await rawProvider(({ head, body }) => (head.startsWith('GET') ? 'HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{"models":[]}' : answers[JSON.parse(body).name]));
  const wild = await startServe({ config: { providers: { wild: { type: 'ollama', baseURL: provider.url, apiKey: 'sk-node-secret-123456' } } }, key: KEYS[0] });
  try {
    const ollama = client(KEYS[0], wild);
    await refused(ollama.pull({ model: 'long' }), 502, /larger/);
    await refused(ollama.pull({ model: 'junk' }), 502, /no JSON object/);
    await assert.rejects(progress(ollama.pull({ model: 'junk', stream: true })), /no JSON object/);
    await refused(ollama.pull({ model: 'array' }), 502, /no JSON object/);
    await refused(ollama.pull({ model: 'early' }), 502, /before it said success/);
    assert.deepEqual(await ollama.pull({ model: 'bare' }), { status: 'success' }, 'a last line without its end');
    await refused(ollama.pull({ model: 'deep' }), 502, /no JSON object/);
    const e = await ollama.pull({ model: 'secret' }).catch((x) => x);
    assert.equal(e.status_code, 500);
    assert.ok(!/sk-node|10\.1\.2\.3/.test(e.error), e.error);
  } finally { await wild.stop(); provider.close(); }
});

test('rates of requests bind, budgets do not; each call has a row in the request log', async () => {
  const token = await makeUser('rita', { has_all_models: true, can_manage_ollama: true });
  await expect(200, 'PUT', '/admin/users/rita/limits', { requests_per_day: 2, budget_usd: 0.000001 });
  await client(token).pull({ model: 'node:box:one' });
  await refused(client(token).delete({ model: 'node:box:not-there' }), 404, /not found/);
  await refused(client(token).delete({ model: 'node:box:one' }), 429, /2 requests a day/);
  const rows = await until('the rows', async () => {
    const { logs } = (await expect(200, 'GET', '/admin/dashboard/requests-log?username=rita')).json();
    return logs.length === 3 && logs;
  });
  assert.deepEqual(rows.map((r) => [r.url_path, r.request_type, r.status_code, r.node]),
    [['/api/delete', 'manage', 429, null], ['/api/delete', 'manage', 404, 'box'], ['/api/pull', 'manage', 200, 'box']]);
  for (const r of rows) {
    assert.ok(r.duration_ms >= 0);
    for (const key of ['prompt_tokens', 'completion_tokens', 'total_tokens']) assert.equal(r[key] ?? null, null, key);
  }
  const limits = (await expect(200, 'GET', '/admin/users/rita/balance')).json();
  assert.ok(!/"spent_usd":[^0]/.test(JSON.stringify(limits)), JSON.stringify(limits));
});

test('a node that leads back to this server is a loop', async () => {
  const config = (url) => ({ server: { }, providers: { me: { type: 'ollama', baseURL: url, apiKey: KEYS[0] } } });
  const at = await startServe({ config: config('http://127.0.0.1:9'), key: KEYS[0] });
  try {
    at.writeConfig(config(at.url));
    await fetch(`${at.url}/api/admin/models/refresh`, { method: 'POST', headers: { authorization: `Bearer ${KEYS[0]}` } });
    await refused(client(KEYS[0], at).pull({ model: 'x' }), 508, /./);
  } finally { await at.stop(); }
});

// ---- the administration ----

const auditOf = async (action) => (await expect(200, 'GET', `/admin/audit-logs?limit=200&action=${action}`)).json().logs;

test('pull-model: lines of one node, or one answer; one audit row each', async () => {
  const before = (await auditOf('pull_model')).length;
  const stream = await expect(200, 'POST', '/admin/nodes/den/pull-model', { name: 'adm:1b' });
  assert.equal(stream.type, 'application/x-ndjson');
  assert.equal(stream.lines()[0].status, 'pulling manifest');
  assert.ok(stream.lines().some((l) => l.completed > 0));
  assert.equal(stream.lines().at(-1).status, 'success');
  assert.ok((await has(den, 'adm:1b')) && !(await has(box, 'adm:1b')));
  assert.ok((await listed()).includes('den/adm:1b'));
  const { id } = (await expect(200, 'GET', '/admin/nodes/box')).json();
  const whole = (await expect(200, 'POST', `/api/admin/nodes/${id}/pull-model`, { model: 'adm:2b', stream: false })).json();
  assert.deepEqual(whole, { success: true, status: 'success', model: 'adm:2b', node_id: id, node_code: 'box', node_name: 'box' });
  assert.deepEqual((await expect(200, 'POST', '/admin/models/pull', { name: 'adm:3b', node: 'den', stream: false })).json().node_code, 'den');
  assert.deepEqual((await expect(200, 'POST', '/admin/models/pull', { name: 'adm:4b', node_id: id, stream: false })).json().node_code, 'box');
  assert.deepEqual((await expect(200, 'POST', '/admin/models/pull', { name: 'adm:5b', stream: false }, { at: single })).json().node_code, 'box');
  const rows = (await auditOf('pull_model')).slice(0, -before || undefined);
  assert.deepEqual(rows.map((r) => r.entity_id), ['box/adm:4b', 'den/adm:3b', 'box/adm:2b', 'den/adm:1b']);
  assert.deepEqual(rows[0].details.after, { model: 'adm:4b', nodes: [{ code: 'box', result: 'success' }] });
  const refusals = [['/admin/models/pull', { name: 'x' }, 400, /box, den/], ['/admin/nodes/up/pull-model', { name: 'x' }, 400, /no Ollama node/],
    ['/admin/nodes/nope/pull-model', { name: 'x' }, 404, /no node/], ['/admin/nodes/box/pull-model', {}, 422, /name/],
    ['/admin/nodes/box/pull-model', { name: 'x', node: 'den' }, 422, /node/], ['/admin/nodes/box/pull-model', { name: 'fail-503', stream: false }, 503, /server busy/],
    ['/admin/nodes/box/pull-model', { name: 'fail-503' }, 503, /server busy/], ['/admin/nodes/box/pull-model', { name: 'stream-error', stream: false }, 500, /EOF/]];
  for (const [path, body, status, message] of refusals) {
    const reply = await expect(status, 'POST', path, body);
    assert.match(reply.json().detail, message, path);
    assert.equal(typeof reply.json().error.code, 'string');
  }
  const broken = (await expect(200, 'POST', '/admin/nodes/box/pull-model', { name: 'stream-error' })).lines();
  assert.match(broken.at(-1).error, /EOF/);
  const failed = (await auditOf('pull_model'))[0];
  assert.deepEqual(failed.details.after, { model: 'stream-error', nodes: [{ code: 'box', result: 'upstream_error' }] });
});

test('pull-model-all: every node, each line with its node, then the results', async () => {
  const { lines } = await expect(200, 'POST', '/admin/nodes/pull-model-all', { name: 'everywhere' });
  const all = lines(), last = all.at(-1);
  for (const code of ['box', 'den']) {
    const mine = all.filter((l) => l.node_code === code);
    assert.equal(mine[0].status, 'pulling manifest');
    assert.ok(mine.some((l) => l.digest && l.completed > 0 && l.total > 0) && mine.every((l) => Number.isInteger(l.node_id) && l.node_name));
    assert.equal(mine.at(-1).status, 'success');
  }
  assert.equal(last.success, true);
  assert.deepEqual(last.results.map((r) => [r.node_code, r.success]), [['box', true], ['den', true]]);
  assert.ok((await has(box, 'everywhere:latest')) && (await has(den, 'everywhere:latest')));
  assert.ok((await listed()).includes('den/everywhere:latest'));
  const bad = (await expect(200, 'POST', '/api/admin/nodes/pull-model-all', { name: 'fail-503', stream: false })).json();
  assert.equal(bad.success, false);
  assert.deepEqual(bad.results.map((r) => [r.success, r.error_class]), [[false, 'upstream_error'], [false, 'upstream_error']]);
  const rows = await auditOf('pull_model_all');
  assert.equal(rows.length, 1, 'what no node began has none');
  assert.equal(rows[0].entity_id, 'everywhere');
});

test('delete and show by name', async () => {
  await expect(200, 'POST', '/admin/nodes/den/pull-model', { name: 'me/gone:v1', stream: false });
  const shown = (await expect(200, 'POST', '/admin/models/show?name=me%2Fgone:v1')).json();
  assert.equal(shown.details.format, 'gguf');
  assert.deepEqual((await expect(200, 'POST', '/api/admin/models/show?name=node:box:echo')).json().capabilities, shown.capabilities);
  const done = (await expect(200, 'DELETE', '/admin/models/ollama/me/gone:v1')).json();
  assert.equal(done.node_code, 'den');
  assert.ok(!(await has(den, 'me/gone:v1')) && !(await listed()).includes('den/me/gone:v1'));
  assert.equal((await expect(200, 'DELETE', '/api/admin/models/ollama/everywhere?node=box')).json().node_code, 'box');
  assert.ok(!(await has(box, 'everywhere:latest')) && (await has(den, 'everywhere:latest')));
  for (const [method, path, status] of [['DELETE', '/admin/models/ollama/unicode', 400], ['DELETE', '/admin/models/ollama/nobody-has-it', 404],
    ['DELETE', '/admin/models/ollama/nobody-has-it?node=box', 404], ['DELETE', '/admin/models/ollama/x?node=up', 400], ['POST', '/admin/models/show', 422],
    ['DELETE', '/admin/models/ollama/a%00b?node=box', 422], ['DELETE', `/admin/models/ollama/${'x'.repeat(257)}?node=box`, 422], ['POST', '/admin/models/show?name=%20a&node=box', 422],
    ['POST', '/admin/models/show?name=fail-500&node=box', 500], ['POST', '/admin/models/show?name=garbage-json&node=box', 502]])
    assert.equal(typeof (await expect(status, method, path)).json().detail, 'string');
  const rows = await auditOf('delete_model');
  assert.deepEqual(rows.map((r) => r.entity_id), ['box/everywhere', 'den/me/gone:v1']);
  await until('the row', async () => {
    const { logs } = (await expect(200, 'GET', '/admin/dashboard/requests-log?request_type=manage&url_path=/admin/models/ollama/{name}')).json();
    return logs.some((l) => l.node === 'den' && l.status_code === 200);
  });
});

test('operators may, viewers may not', async () => {
  const viewer = await makeUser('vera', { role: 'viewer' });
  for (const [method, path, body] of [['POST', '/admin/nodes/box/pull-model', { name: 'op' }], ['POST', '/admin/models/pull', { name: 'op', node: 'box' }],
    ['POST', '/admin/models/show?name=echo&node=box'], ['DELETE', '/admin/models/ollama/op?node=box']]) {
    assert.equal((await admin(method, path, body, { token: viewer })).status, 403, path);
    assert.equal((await admin(method, path, body, { token: users.oper })).status, 200, path);
  }
});

test('a node of the store: what was pulled is stored, what was deleted is gone', async () => {
  await expect(201, 'POST', '/admin/nodes', { name: 'attic', node_type: 'ollama', base_url: den.url, allow_private: true }, { at: single });
  await expect(200, 'POST', '/admin/nodes/attic/sync-models', undefined, { at: single });
  const stored = async () => (await expect(200, 'GET', '/admin/nodes/attic/models', undefined, { at: single })).json().models;
  await client(KEYS[0], single).pull({ model: 'attic/kept' });
  const kept = (await stored()).find((m) => /^kept/.test(m.name ?? m.model_name));
  assert.ok(kept, 'in the store');
  assert.ok((await listed(single)).includes('attic/kept:latest'));
  await client(KEYS[0], single).delete({ model: 'attic/kept' });
  assert.ok(!(await stored()).some((m) => /^kept/.test(m.name ?? m.model_name)));
  assert.ok(!(await listed(single)).includes('attic/kept:latest'));
  await expect(200, 'PATCH', '/admin/nodes/attic/toggle', { is_active: false }, { at: single });
  assert.match((await expect(409, 'POST', '/admin/nodes/attic/pull-model', { name: 'x' }, { at: single })).json().detail, /switched off/);
});

test('who leaves the administration ends the pull, and it is in the audit log', async () => {
  await box.reset();
  const gone = new AbortController();
  const pending = fetch(`${serve.url}/admin/nodes/box/pull-model`, { method: 'POST', signal: gone.signal, headers: { authorization: `Bearer ${ADMIN}` },
    body: '{"name":"pace-100+chunks-300"}' }).then((r) => r.text()).catch(() => {});
  await until('the pull at the node', async () => (await box.stats()).live === 1);
  await new Promise((r) => setTimeout(r, 250));
  gone.abort();
  await pending;
  await until('the node to see it', async () => (await box.stats()).aborted === 1);
  const row = await until('the row', async () => (await auditOf('pull_model')).find((r) => r.entity_id === 'box/pace-100+chunks-300'));
  assert.deepEqual(row.details.after.nodes, [{ code: 'box', result: 'cancelled' }]);
});

test('what a node of the store was pulled for is not kept of another that has its code meanwhile', async () => {
  const node = (base_url, node_type) => ({ name: 'loft', node_type, base_url, allow_private: true });
  await expect(201, 'POST', '/admin/nodes', node(den.url, 'ollama'), { at: single });
  const pull = client(KEYS[0], single).pull({ model: 'loft/pace-100+chunks-12' });
  await sleep(400);
  await expect(204, 'DELETE', '/admin/nodes/loft', undefined, { at: single });
  await expect(201, 'POST', '/admin/nodes', node(`${box.url}/v1`, 'openai-compatible'), { at: single });
  assert.deepEqual(await pull, { status: 'success' });
  assert.equal((await expect(200, 'GET', '/admin/nodes/loft', undefined, { at: single })).json().model_count, 0);
  assert.ok(!(await listed(single)).some((name) => name.startsWith('loft/')));
});

test('hundreds of pulls at once: each is in the audit log', async () => {
  const before = (await expect(200, 'GET', '/admin/audit-logs?action=pull_model_all&limit=1', undefined, { at: single })).json().total;
  const replies = await Promise.all(Array.from({ length: 400 }, () => admin('POST', '/admin/nodes/pull-model-all', { name: 'crowd', stream: false }, { at: single })));
  const said = [...new Set(replies.map((r) => (r.status === 200 ? 200 : r.text)))];
  assert.deepEqual(said, [200]);
  const { total } = (await expect(200, 'GET', '/admin/audit-logs?action=pull_model_all&limit=1', undefined, { at: single })).json();
  assert.equal(total - before, 400);
});
