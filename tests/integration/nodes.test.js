// Nodes through a real server: providers that are added, changed, asked and taken away while it serves, their
// credentials, which nobody sees again, and their models.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMock, startServe, run, makeHome, user, until } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
const SECRET = 'sk-node-secret-0123456789-abcdWXYZ';
const seenAs = (key) => `Bearer sha256:${createHash('sha256').update(key).digest('hex').slice(0, 16)}`; // as the mock tells it
let mock, serve, home;

const config = () => ({
  providers: {
    up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-declared-secret-1', code: 'upc', models: { alpha: {}, beta: {} }, timeouts: { headers_ms: 4321 } },
  },
});

async function admin(method, path, body, { token = ADMIN, prefix = '/admin', headers = {} } = {}) {
  const reply = await fetch(serve.url + prefix + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : undefined, headers: reply.headers, text };
}
const expect = async (status, ...call) => {
  const reply = await admin(...call);
  assert.equal(reply.status, status, `${call[0]} ${call[1]}: ${reply.text}`);
  return reply.body;
};
const node = (more = {}) => ({ node_type: 'openai-compatible', base_url: `${mock.url}/v1`, allow_private: true, ...more });
const make = (name, more) => expect(201, 'POST', '/nodes', node({ name, ...more }));

const chat = (model, token = serve.key, headers = {}) => fetch(`${serve.url}/v1/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
  body: JSON.stringify({ model, messages: user('[[mock:echo]] hi') }),
});
const audit = async (query = '') => (await admin('GET', `/audit-logs?limit=200${query}`)).body;
const listed = async (token = serve.key) => {
  const reply = await fetch(`${serve.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
  return (await reply.json()).data;
};

/** A server of one answer: what a node's list of models says. */
async function listServer(models, { status = 200, path = '/v1/models' } = {}) {
  const state = { models, status, seen: [] };
  const server = http.createServer((req, res) => {
    state.seen.push({ path: req.url, authorization: req.headers.authorization, headers: req.headers });
    if (req.url !== path) { res.writeHead(404).end('{}'); return; }
    res.writeHead(state.status, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ object: 'list', data: state.models }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.close = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return state;
}

before(async () => {
  mock = await startMock();
  home = makeHome();
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '2' }, home });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

test('a node is made, called, synced, and called by its code', async () => {
  await mock.reset();
  const made = await make('GPU box', { api_key: SECRET, priority: 3, headers: { 'X-Team': 'research-secret' } });
  assert.equal(made.code, 'gpu-box');
  assert.ok(Number.isInteger(made.id));
  assert.equal(made.has_api_key, true);
  assert.equal(made.api_key_hint, 'WXYZ');
  assert.deepEqual(made.header_names, ['X-Team']);
  const direct = await chat('gpu-box/anything');
  assert.equal(direct.status, 200);
  assert.equal((await direct.json()).model, 'gpu-box/anything');
  const synced = await expect(200, 'POST', `/nodes/${made.id}/sync-models`);
  assert.equal(synced.success, true);
  assert.equal(synced.node_id, made.id);
  assert.equal(synced.node_name, 'GPU box');
  assert.ok(synced.synced_count > 0);
  assert.equal(synced.total_models, synced.synced_count);
  const model = synced.models[0];
  const name = `node:gpu-box:${model}`;
  const answer = await chat(name);
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).model, name, 'the reply names what was asked for');
  assert.equal(answer.headers.get('x-maestro-model'), `gpu-box/${model}`);
  const last = Object.fromEntries((await mock.requests()).requests.findLast((r) => /chat/.test(r.path)).headers);
  assert.equal(last.authorization, seenAs(SECRET));
  assert.equal(last['x-team'], 'research-secret');
  assert.ok((await listed()).some((m) => m.id === `gpu-box/${model}`));
  const streamed = await fetch(`${serve.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serve.key}` },
    body: JSON.stringify({ model: name, stream: true, messages: user('[[mock:echo]] hi') }),
  });
  const text = await streamed.text();
  assert.ok(text.includes(`"model":"${name}"`) && !text.includes(`"model":"${model}"`));
});

test('a declared provider has a code, too; what nobody has is 404', async () => {
  assert.equal((await (await chat('node:up:alpha')).json()).model, 'node:up:alpha');
  assert.equal((await chat('node:upc:beta')).headers.get('x-maestro-model'), 'up/beta');
  for (const [name, what] of [['node:nope:alpha', /Node with code 'nope' not found/], ['node:up', /names no model/],
    ['node:', /Node with code '' not found/], ['node:up:', /names no model/], ['node:upc:gamma', /does not exist/]]) {
    const reply = await chat(name);
    assert.equal(reply.status, 404, name);
    assert.match((await reply.json()).error.message, what);
  }
  const anthropic = await fetch(`${serve.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': serve.key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'node:nope:x', max_tokens: 5, messages: user('hi') }),
  });
  assert.equal(anthropic.status, 404);
  assert.equal((await anthropic.json()).type, 'error');
});

test('declared providers are nodes that cannot be changed', async () => {
  const all = await expect(200, 'GET', '/nodes');
  const up = all.find((n) => n.code === 'up');
  assert.equal(up.source, 'declared');
  assert.equal(up.is_read_only, true);
  assert.ok(Number.isSafeInteger(up.id));
  assert.equal((await expect(200, 'GET', `/nodes/${up.id}`)).code, 'up');
  assert.equal((await expect(200, 'GET', '/nodes/upc')).id, up.id);
  for (const [method, path, body] of [['PATCH', '/nodes/up', { priority: 1 }], ['PUT', `/nodes/${up.id}`, { priority: 1 }],
    ['DELETE', '/nodes/up'], ['PATCH', '/nodes/up/toggle'], ['POST', '/nodes/up/sync-models'],
    ['PATCH', '/nodes/batch/priority', { priorities: [{ node_id: up.id, priority: 1 }] }],
    ['PATCH', '/models/nodes/up/alpha/available', { is_available: false }],
    ['PATCH', '/models/beta/available', { is_available: false }]]) {
    assert.match((await expect(409, method, path, body)).error.message, /declared/, path);
  }
  assert.equal((await expect(200, 'POST', '/nodes/up/health-check')).health_status, 'healthy');
});

test('bad input is refused with the path of the member, and leaves no row', async () => {
  await make('taken', { code: 'taken-code' });
  const before = (await audit()).total;
  const rows = [
    [422, 'name', { node_type: 'vllm' }], [422, 'node_type', { name: 'x' }],
    [422, 'name', node({ name: '' })], [422, 'name', node({ name: 7 })], [422, 'name', node({ name: ' x' })],
    [422, 'code', node({ name: 'x', code: 'Big' })], [422, 'code', node({ name: 'x', code: 'a'.repeat(31) })],
    [422, 'code', node({ name: 'é' })],
    [409, 'code', node({ name: 'x', code: 'taken-code' })], [409, 'name', node({ name: 'taken', code: 'other' })],
    [422, 'node_type', node({ name: 'x', node_type: 'nonsense' })],
    [422, 'base_url', node({ name: 'x', base_url: 'ftp://h' })], [422, 'base_url', node({ name: 'x', base_url: 'http://u:p@h/' })],
    [422, 'base_url', node({ name: 'x', base_url: 'http://h/?q' })], [422, 'base_url', { name: 'x', node_type: 'openai-compatible' }],
    [422, 'priority', node({ name: 'x', priority: '1' })], [422, 'priority', node({ name: 'x', priority: 1e9 })],
    [422, 'weight', node({ name: 'x', weight: -1 })], [422, 'is_active', node({ name: 'x', is_active: 'yes' })],
    [422, 'headers', node({ name: 'x', headers: [] })], [422, 'headers.Host', node({ name: 'x', headers: { Host: 'h' } })],
    [422, 'headers.X', node({ name: 'x', headers: { X: 'a\r\nY: b' } })], [422, 'api_key', node({ name: 'x', api_key: 'a\nb' })],
    [422, 'apiKeyEnv', node({ name: 'x', apiKeyEnv: 'OPENAI_API_KEY' })], [422, 'authBaseURL', node({ name: 'x', authBaseURL: 'https://h' })],
    [422, 'aws_secret_key', node({ name: 'x', aws_secret_key: 's' })],
    [422, 'aws_secret_key', { name: 'x', node_type: 'bedrock', aws_secret_key: 's' }],
    [422, 'health_check_url', node({ name: 'x', health_check_url: 'http://elsewhere.example/health' })],
    [422, 'timeouts.headers_ms', node({ name: 'x', timeouts: { headers_ms: -1 } })], [422, 'timeouts.headers', node({ name: 'x', timeouts: { headers: 1 } })],
    [422, 'quirks[0]', node({ name: 'x', quirks: ['nonsense'] })],
    [400, undefined, '{"name":'],
  ];
  for (const [status, param, body] of rows) {
    const reply = await admin('POST', '/nodes', body);
    assert.equal(reply.status, status, JSON.stringify(body) + reply.text);
    if (param) assert.equal(reply.body.error.param, param, JSON.stringify(body));
    assert.ok(reply.body.detail);
  }
  for (const [method, path, body] of [['GET', '/nodes/none'], ['PATCH', '/nodes/none', {}], ['DELETE', '/nodes/999999'],
    ['PATCH', '/nodes/none/toggle'], ['POST', '/nodes/none/health-check'], ['POST', '/nodes/none/sync-models'],
    ['GET', '/nodes/none/models'], ['PATCH', '/nodes/taken-code/models/nothing', { is_available: false }],
    ['PATCH', '/models/nothing/available', { is_available: true }], ['GET', '/models/nonsense'],
    ['PATCH', "/nodes/' OR 1=1 --", {}]]) {
    assert.equal((await admin(method, path, body)).status, 404, path);
  }
  assert.equal((await audit()).total, before);
});

test('timeouts and quirks are set, shown, audited, and hold from the next call on', async () => {
  const answers = http.createServer((req, res) => { // an answer that begins inside thinking, after a while
    setTimeout(() => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
      id: 'x', object: 'chat.completion', created: 1, model: 'm', usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'it is a greeting</think>Hello' } }],
    })), 700);
  });
  await new Promise((resolve) => answers.listen(0, '127.0.0.1', resolve));
  const ask = async () => {
    const reply = await fetch(`${serve.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': serve.key, 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: 'patient/m', max_tokens: 50, messages: user('hi') }),
    });
    return { status: reply.status, body: await reply.json() };
  };
  try {
    const made = await make('patient', { base_url: `http://127.0.0.1:${answers.address().port}/v1`, timeouts: { headers_ms: 150, total_ms: '30s' } });
    assert.deepEqual(made.timeouts, { connect_ms: null, headers_ms: 150, first_token_ms: null, silence_ms: null, total_ms: 30000 });
    assert.deepEqual(made.quirks, []);
    const late = await ask();
    assert.equal(late.status, 504);
    assert.equal(late.body.error.message, 'patient: the provider did not begin to answer in time');
    const changed = await expect(200, 'PATCH', '/nodes/patient', { timeouts: { headers_ms: 5000 }, quirks: ['starts-in-think'] });
    assert.deepEqual(changed.timeouts, { connect_ms: null, headers_ms: 5000, first_token_ms: null, silence_ms: null, total_ms: null });
    assert.deepEqual((await expect(200, 'GET', '/nodes/patient')).quirks, ['starts-in-think']);
    const thought = await ask();
    assert.equal(thought.status, 200);
    assert.deepEqual(thought.body.content.map((part) => [part.type, part.thinking ?? part.text]),
      [['thinking', 'it is a greeting'], ['text', 'Hello']]);
    const { logs } = await audit('&entity_type=node');
    const row = logs.find((r) => r.action === 'update' && r.entity_id === 'patient');
    assert.deepEqual(row.details.before.quirks, []);
    assert.equal(row.details.before.timeouts.headers_ms, 150);
    assert.deepEqual([row.details.after.quirks, row.details.after.timeouts.headers_ms], [['starts-in-think'], 5000]);
    const declared = (await expect(200, 'GET', '/nodes')).find((n) => n.code === 'up');
    assert.deepEqual([declared.timeouts.headers_ms, declared.quirks], [4321, []], 'a declared one shows what it declares');
  } finally {
    await new Promise((resolve) => { answers.close(resolve); answers.closeAllConnections(); });
  }
});

test('addresses that a stored node may not have', async () => {
  const refused = (base_url, more = {}) => admin('POST', '/nodes', { name: 'ssrf', node_type: 'openai-compatible', base_url, ...more });
  for (const host of ['127.0.0.1', 'localhost', 'a.localhost', '[::1]', '10.0.0.1', '192.168.1.5', '172.16.0.1', '100.64.0.1', '[fd00::1]', '[::ffff:10.0.0.1]']) {
    const reply = await refused(`http://${host}/v1`);
    assert.equal(reply.status, 422, host);
    assert.equal(reply.body.error.param, 'base_url');
    assert.match(reply.body.error.message, /allow_private/, host);
  }
  for (const host of ['169.254.169.254', '0.0.0.0', '224.0.0.1', '255.255.255.255', '[fe80::1]', '[::]', '[ff02::1]', '100.100.100.200', '168.63.129.16', '[fd00:ec2::254]', '[::ffff:169.254.169.254]']) {
    const reply = await refused(`http://${host}/v1`, { allow_private: true });
    assert.equal(reply.status, 422, host);
    assert.match(reply.body.error.message, /never called/, host);
  }
  for (const host of ['0x7f000001', '2130706433', '127.1', '017700000001']) // what some resolvers read as addresses
    assert.equal((await refused(`http://${host}/v1`)).status, 422, host);
  assert.equal((await expect(422, 'PATCH', '/nodes/taken-code', { allow_private: false })).error.param, 'base_url');
  assert.equal((await expect(422, 'POST', '/nodes', { name: 'ol', node_type: 'ollama' })).error.param, 'base_url');
  // A name whose address is private is known only when it is called: the node is there, but nothing is sent.
  const named = await refused('http://ip6-localhost.invalid/v1');
  assert.equal(named.status, 201);
  const health = await expect(200, 'POST', '/nodes/ssrf/health-check');
  assert.equal(health.health_status, 'unhealthy');
  await expect(204, 'DELETE', '/nodes/ssrf');
});

test('another origin drops the credential', async () => {
  const other = await listServer([{ id: 'm' }]);
  try {
    await make('mover', { api_key: SECRET, headers: { 'X-Key': 'header-secret' } });
    const same = await expect(200, 'PATCH', '/nodes/mover', { base_url: `${mock.url}/other/v1/` });
    assert.equal(same.has_api_key, true);
    assert.equal(same.credential_dropped, undefined);
    const moved = await expect(200, 'PATCH', '/nodes/mover', { base_url: `${other.url}/v1` });
    assert.equal(moved.has_api_key, false);
    assert.deepEqual(moved.header_names, []);
    assert.equal(moved.credential_dropped, true);
    assert.equal((await expect(200, 'POST', '/nodes/mover/health-check')).health_status, 'healthy');
    assert.equal(other.seen.at(-1).authorization, undefined);
    assert.ok(!JSON.stringify(other.seen).includes('secret'));
    const again = await expect(200, 'PATCH', '/nodes/mover', { base_url: `${mock.url}/v1`, api_key: 'sk-another-key-000000000000' });
    assert.equal(again.has_api_key, true);
    assert.equal((await expect(200, 'PATCH', '/nodes/mover', { api_key: null })).has_api_key, false);
    await expect(204, 'DELETE', '/nodes/mover');
  } finally {
    await other.close();
  }
});

test('bedrock has its address from its region', async () => {
  const made = await expect(201, 'POST', '/nodes', { name: 'rock', node_type: 'bedrock', region: 'eu-west-1', priority: 2, api_key: 'AKIAEXAMPLE', aws_secret_key: 'aws-very-secret-key-0123456789' });
  assert.equal(made.base_url, 'https://bedrock-runtime.eu-west-1.amazonaws.com');
  assert.equal(made.bedrock_auth_mode, 'iam');
  assert.equal(made.api_key_hint, '6789');
  const moved = await expect(200, 'PATCH', '/nodes/rock', { aws_region: 'us-west-2' });
  assert.equal(moved.base_url, 'https://bedrock-runtime.us-west-2.amazonaws.com');
  assert.equal(moved.has_api_key, false);
  assert.equal(moved.credential_dropped, true);
  const key = await expect(200, 'PATCH', '/nodes/rock', { api_key: 'bedrock-api-key-0123456789' });
  assert.equal(key.bedrock_auth_mode, 'api_key');
  assert.equal((await expect(200, 'POST', '/nodes/rock/health-check')).health_status, 'unknown');
  assert.match((await expect(409, 'POST', '/nodes/rock/sync-models')).error.message, /no list/);
  const model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  assert.equal((await expect(201, 'POST', '/nodes/rock/models', { model_name: model, context_length: 200000 })).context_length, 200000);
  await expect(409, 'POST', '/nodes/rock/models', { model_name: model });
  await expect(422, 'POST', '/nodes/rock/models', {});
  assert.equal((await listed()).find((m) => m.id === `rock/${model}`).max_model_len, 200000);
  assert.equal((await expect(200, 'GET', '/models/bedrock'))[0].model.model_name, model);
  await expect(204, 'DELETE', `/nodes/rock/models/${model}`);
  await expect(404, 'DELETE', `/nodes/rock/models/${model}`);
  assert.ok(!(await listed()).some((m) => m.id === `rock/${model}`));
  const rows = (await audit('&entity_type=node_model')).logs;
  assert.deepEqual(rows.slice(0, 2).map((r) => [r.action, !!r.details.before, !!r.details.after]), [['model_remove', true, false], ['model_add', false, true]]);
  await expect(204, 'DELETE', '/nodes/rock');
});

test('no key in any answer, log, row or file', async () => {
  await make('leaky', { api_key: SECRET, headers: { 'X-Key': 'header-secret-value' } });
  await expect(200, 'PATCH', '/nodes/leaky', { priority: 9 });
  await chat('leaky/mock-small');
  await chat('leaky/fail-500');
  await admin('POST', '/nodes/leaky/sync-models');
  await admin('POST', '/nodes/leaky/health-check');
  const texts = [];
  for (const path of ['/nodes', '/nodes/leaky', '/nodes/leaky/models', '/nodes/load-balancer/status', '/nodes/models/distribution', '/models/openai-compatible', '/audit-logs?limit=200'])
    texts.push((await admin('GET', path)).text);
  texts.push(serve.output);
  const data = join(home, 'data', 'maestro');
  for (const name of readdirSync(data)) if (statSync(join(data, name)).isFile()) texts.push(readFileSync(join(data, name), 'latin1'));
  for (const text of texts)
    for (const secret of [SECRET, 'header-secret-value', 'research-secret', 'sk-declared-secret-1']) assert.ok(!text.includes(secret));
  assert.equal(statSync(join(data, 'store.key')).mode & 0o777, 0o600);
  await expect(204, 'DELETE', '/nodes/leaky');
});

test('a declared provider shadows a stored node of its name', async () => {
  const made = await make('Shadow', { code: 'late' });
  assert.equal((await expect(200, 'GET', '/nodes/late')).is_shadowed, false);
  serve.writeConfig({ providers: { ...config().providers, late: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'k', models: { own: {} } } } });
  await until('the declared one', async () => (await expect(200, 'GET', `/nodes/${made.id}`)).is_shadowed);
  const shadowed = await expect(200, 'GET', `/nodes/${made.id}`);
  assert.equal(shadowed.shadowed_by, 'late');
  assert.equal(shadowed.is_in_use, false);
  assert.equal((await expect(200, 'GET', '/nodes')).filter((n) => n.code === 'late').length, 2);
  assert.equal((await chat('late/own')).status, 200);
  assert.equal((await chat('late/mock-small')).status, 404);
  await expect(409, 'POST', `/nodes/${made.id}/health-check`);
  const other = await make('Local as well', { code: 'other' });
  assert.equal((await expect(200, 'PATCH', '/nodes/other', { priority: 1 })).shadowed_by, undefined);
  await expect(204, 'DELETE', `/nodes/${made.id}`);
  assert.equal((await make('Shadow', { code: 'late' })).shadowed_by, 'late', 'whoever makes it is told');
  await expect(200, 'POST', '/model-mappings', { display_name: 'shade', real_name: 'late/own' });
  await expect(204, 'DELETE', `/nodes/${(await expect(200, 'GET', '/nodes')).find((n) => n.name === 'Shadow').id}`);
  assert.equal((await chat('late/own')).status, 200, 'the alias is of the declared one, whose models are known still');
  await expect(204, 'DELETE', '/model-mappings/shade');
  await expect(204, 'DELETE', '/nodes/other');
  await make('Shadow', { code: 'late' });
  serve.writeConfig(config());
  await until('the stored one again', async () => !(await expect(200, 'GET', '/nodes/late')).is_shadowed);
  assert.equal((await chat('late/mock-small')).status, 200);
  await expect(204, 'DELETE', '/nodes/late');
  assert.equal((await chat('late/mock-small')).status, 404);
});

test('health: latency, what is wrong, and nothing of it in the audit log', async () => {
  const list = await listServer([{ id: 'm' }], { status: 503 });
  const before = (await audit()).total;
  await make('ill', { base_url: `${list.url}/v1` });
  let health = await expect(200, 'POST', '/nodes/ill/health-check');
  assert.equal(health.health_status, 'unhealthy');
  assert.equal(health.error_class, 'upstream_error');
  assert.match(health.error, /503/);
  assert.ok(health.latency_ms >= 0 && health.checked_at);
  list.status = 404;
  assert.match((await expect(200, 'POST', '/nodes/ill/health-check')).error, /model list .* 404; its address has to be where the API begins/);
  list.status = 401;
  assert.match((await expect(200, 'POST', '/nodes/ill/health-check')).error, /401; it does not take the key/);
  list.status = 200;
  health = await expect(200, 'POST', '/nodes/ill/health-check');
  assert.equal(health.health_status, 'healthy');
  assert.equal(health.error, null);
  assert.equal((await expect(200, 'GET', '/nodes/ill')).health_status, 'healthy');
  await expect(200, 'PATCH', '/nodes/ill', { health_check_url: `${list.url}/ready` });
  assert.match((await expect(200, 'POST', '/nodes/ill/health-check')).error, /health check's address answered with status 404$/);
  assert.equal(list.seen.at(-1).path, '/ready');
  await list.close();
  health = await expect(200, 'POST', '/nodes/ill/health-check');
  assert.equal(health.error_class, 'upstream_unreachable');
  const failed = await admin('POST', '/nodes/ill/sync-models');
  assert.equal(failed.status, 502);
  assert.equal((await audit()).total, before + 2); // made, changed
  await expect(200, 'PATCH', '/nodes/ill/toggle');
  assert.match((await expect(409, 'POST', '/nodes/ill/health-check')).error.message, /switched off/);
  await expect(204, 'DELETE', '/nodes/ill');
});

test('models: switched off, measured, gone', async () => {
  const list = await listServer([{ id: 'one', max_model_len: 4096 }, { id: 'two' }, { id: 'org/three' }]);
  try {
    await make('lister', { base_url: `${list.url}/v1`, node_type: 'vllm' });
    await expect(200, 'POST', '/nodes/lister/discover');
    const of = async (name) => (await expect(200, 'GET', '/nodes/lister/models')).models.find((m) => m.model_name === name);
    assert.equal((await of('one')).context_length, 4096);
    assert.equal((await listed()).find((m) => m.id === 'lister/one').max_model_len, 4096);
    assert.equal((await expect(200, 'GET', '/models/vllm')).length, 3);
    assert.deepEqual((await expect(200, 'GET', '/nodes/models/distribution')).find((m) => m.model_name === 'two'), { model_name: 'two', node_count: 1, nodes: ['lister'] });

    assert.match((await expect(404, 'PATCH', '/nodes/lister/models/four', { is_available: false })).detail, /"lister" lists no model "four": sync it/);
    assert.equal((await expect(404, 'PATCH', '/models/four/available', { is_available: false })).detail, 'no node lists the model "four"');
    await expect(200, 'PATCH', '/models/nodes/lister/org%2Fthree/available', { is_available: false });
    assert.ok(!(await listed()).some((m) => m.id === 'lister/org/three'));
    assert.equal((await chat('lister/org/three')).status, 404);
    assert.equal((await chat('node:lister:org/three')).status, 404);
    await expect(200, 'POST', '/nodes/lister/sync-models');
    assert.equal((await of('org/three')).is_available, false, 'a sync does not switch it on');
    await expect(200, 'PATCH', '/models/nodes/lister/org/three/available', { is_available: true });
    assert.ok((await listed()).some((m) => m.id === 'lister/org/three'));

    assert.equal((await expect(200, 'PATCH', '/nodes/lister/models/one', { context_length: '8K' })).context_length, 8192);
    assert.equal((await expect(200, 'PATCH', '/nodes/lister/models/one', { context_length: null })).context_length, 4096);
    await expect(200, 'PATCH', '/nodes/lister/models/one', { context_length: 100 });
    assert.equal((await listed()).find((m) => m.id === 'lister/one').max_model_len, 100);
    const long = await fetch(`${serve.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${serve.key}` },
      body: JSON.stringify({ model: 'lister/one', messages: user('many words '.repeat(500)) }),
    });
    assert.equal(long.status, 400);
    assert.equal((await long.json()).error.code, 'context_length_exceeded');
    const ollama = await fetch(`${serve.url}/api/show`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${serve.key}` }, body: JSON.stringify({ model: 'lister/one' }) });
    assert.ok((await ollama.text()).includes('100'));
    for (const bad of [{ context_length: 0 }, { context_length: 'x' }, { is_available: 1 }, { other: 1 }])
      assert.equal((await admin('PATCH', '/nodes/lister/models/one', bad)).status, 422);

    const everywhere = await expect(200, 'PATCH', '/models/two/available', { is_available: false });
    assert.deepEqual(everywhere.nodes, ['lister']);
    assert.equal((await chat('two')).status, 404);

    list.models = [{ id: 'one' }];
    const all = await expect(200, 'POST', '/nodes/sync-all');
    assert.equal(all.results.find((r) => r.node_code === 'lister').synced_count, 1);
    assert.equal(await of('org/three'), undefined);
    assert.equal((await of('two')).is_listed, false);
    assert.equal((await chat('lister/org/three')).status, 404);
    assert.equal((await of('one')).context_length, 100);
    // By the names that model-maestro's users know.
    list.models = [{ id: 'one' }, { id: 'four', max_model_len: 4096 }];
    for (const path of ['/models/sync-capabilities', '/models/sync-vllm-meta'])
      assert.equal((await expect(200, 'POST', path)).results.find((r) => r.node_code === 'lister').synced_count, 2);
    assert.equal((await of('four')).context_length, 4096);
    await expect(204, 'DELETE', '/nodes/lister');
  } finally {
    await list.close();
  }
});

test('a scoped node is asked only where it is named', async (t) => {
  const ran = async (model) => { const r = await chat(model); await r.text(); return r.headers.get('x-maestro-model') ?? r.status; };
  const of = '/model-groups/scoped/members';
  const others = (await expect(200, 'GET', '/nodes')).filter((n) => !n.is_read_only); // of earlier tests
  for (const { code } of others) await expect(200, 'PATCH', `/nodes/${code}`, { scoped_models: true });
  t.after(async () => { for (const { code } of others) await expect(200, 'PATCH', `/nodes/${code}`, { scoped_models: false }); });
  const made = await make('Apart', { priority: 50, scoped_models: true });
  assert.equal(made.scoped_models, true);
  await expect(200, 'POST', '/nodes/apart/sync-models', {});
  assert.equal(await ran('alpha'), 'up/alpha', 'another has it, if less preferred');
  assert.equal(await ran('mock-small'), 404);
  assert.equal(await ran('apart/mock-small'), 'apart/mock-small');
  assert.equal(await ran('node:apart:mock-small'), 'apart/mock-small');
  assert.ok((await listed()).some((m) => m.id === 'apart/mock-small'), 'under the name that reaches it');

  const refusal = async (path, body) => {
    const reply = await admin('POST', path, body);
    assert.equal(reply.status, 422, reply.text);
    assert.match(reply.body.detail, /scoped_models.*apart\/mock-small/);
  };
  await expect(201, 'POST', '/model-groups', { name: 'scoped' });
  await refusal(of, { model_display_name: 'mock-small' });
  await refusal('/model-mappings', { display_name: 'small', real_name: 'mock-small' });
  await expect(201, 'POST', of, { model_display_name: 'mock-small', nodes: ['apart'] });
  assert.equal(await ran('scoped'), 'apart/mock-small', 'by a pin');
  const alias = await expect(200, 'POST', '/model-mappings', { display_name: 'small', real_name: 'mock-small', node_ids: ['apart'] });
  assert.deepEqual(alias.node_types, ['openai-compatible']);
  assert.equal(await ran('small'), 'apart/mock-small', 'by an alias of the node');
  await expect(200, 'PUT', '/nodes/apart', { scoped_models: false });
  assert.equal(await ran('mock-small'), 'apart/mock-small');
  await expect(200, 'PUT', '/nodes/apart', { scoped_models: true });
  assert.equal(await ran('mock-small'), 404, 'from the next request on');
  const where = (await expect(200, 'GET', '/nodes/models/distribution')).find((m) => m.model_name === 'mock-small');
  assert.ok(where.nodes.includes('apart') && where.nodes.length === where.node_count, 'but it is told where they are');
  await expect(204, 'DELETE', '/model-mappings/small');
  await expect(204, 'DELETE', '/model-groups/scoped');
  await expect(204, 'DELETE', '/nodes/apart');
});

test('priorities are set all at once or not at all', async () => {
  const a = await make('pa'), b = await make('pb');
  const before = (await audit()).total;
  const set = await expect(200, 'PATCH', '/nodes/batch/priority', { priorities: [{ node_id: a.id, priority: 5 }, { id: 'pb', priority: 8 }] });
  assert.equal(set.updated, 2);
  assert.equal(set.nodes.find((n) => n.code === 'pb').priority, 8);
  const rows = (await audit()).logs;
  assert.equal((await audit()).total, before + 1);
  assert.equal(rows[0].action, 'priorities');
  for (const [status, priorities] of [[422, [{ node_id: a.id, priority: 1 }, { node_id: 987654, priority: 1 }]], [422, [{ node_id: a.id }]],
    [422, []], [422, [{ node_id: true, priority: 1 }]]]) {
    assert.equal((await admin('PATCH', '/nodes/batch/priority', { priorities })).status, status, JSON.stringify(priorities));
  }
  assert.equal((await expect(200, 'GET', '/nodes/pa')).priority, 5);
  assert.equal((await audit()).total, before + 1);
  // The higher one is preferred.
  await expect(200, 'POST', '/nodes/pa/sync-models');
  const synced = await expect(200, 'POST', '/nodes/pb/sync-models');
  const name = synced.models.find((m) => !/alpha|beta/.test(m));
  await expect(200, 'PATCH', '/nodes/gpu-box/toggle', { is_active: false });
  assert.equal((await chat(name)).headers.get('x-maestro-model'), `pb/${name}`);
  await expect(200, 'PATCH', '/nodes/batch/priority', { priorities: [{ node_id: 'pa', priority: 9 }] });
  assert.equal((await chat(name)).headers.get('x-maestro-model'), `pa/${name}`);
  await expect(200, 'PATCH', '/nodes/gpu-box/toggle', { is_active: true });
  await expect(204, 'DELETE', '/nodes/pa');
  await expect(204, 'DELETE', '/nodes/pb');
});

test('toggle, active_only, one row for each change, a tag for each state', async () => {
  await make('tog');
  const first = await admin('GET', '/nodes/tog');
  const tag = first.headers.get('etag');
  assert.ok(tag);
  assert.equal((await expect(200, 'PATCH', '/nodes/tog/toggle')).is_active, false);
  assert.ok(!(await expect(200, 'GET', '/nodes?active_only=true')).some((n) => n.code === 'tog'));
  assert.ok((await expect(200, 'GET', '/nodes')).some((n) => n.code === 'tog'));
  await expect(422, 'GET', '/nodes?active_only=maybe');
  assert.equal((await chat('tog/x')).status, 404);
  assert.equal((await admin('PATCH', '/nodes/tog', { priority: 1 }, { headers: { 'if-match': tag } })).status, 412);
  const now = (await admin('GET', '/nodes/tog')).headers.get('etag');
  assert.equal((await admin('PATCH', '/nodes/tog', { priority: 1 }, { headers: { 'if-match': now } })).status, 200);
  await expect(200, 'PUT', '/nodes/tog', { is_active: true, code: 'togged' });
  assert.equal((await chat('togged/x')).status, 200);
  await expect(204, 'DELETE', '/nodes/togged');
  const rows = (await audit('&entity_type=node')).logs.filter((r) => ['tog', 'togged'].includes(r.entity_id));
  assert.deepEqual(rows.map((r) => r.action), ['delete', 'update', 'update', 'toggle', 'create']);
  assert.equal(rows[3].details.before.is_active, true);
  assert.equal(rows[3].details.after.is_active, false);
});

test('nodes come in pages by number, declared ones last', async () => {
  for (const name of ['page-a', 'page-b', 'page-c']) await make(name, { is_active: name !== 'page-b' });
  for (const active of ['', '&active_only=true']) {
    const whole = (await expect(200, 'GET', `/nodes?limit=500${active}`)).map((n) => n.code);
    assert.equal(whole.at(-1), 'up');
    assert.equal(whole.includes('page-b'), !active);
    for (const size of [1, 2, 3]) {
      const seen = [];
      for (let at = `/nodes?limit=${size}${active}`; at;) {
        const reply = await admin('GET', at);
        assert.ok(reply.body.length <= size);
        seen.push(...reply.body.map((n) => n.code));
        at = /^<\/admin(.*)>; rel="next"$/.exec(reply.headers.get('link') ?? '')?.[1];
      }
      assert.deepEqual(seen, whole, `by ${size}${active}`);
    }
  }
  const [a, b] = (await expect(200, 'GET', '/nodes')).filter((n) => /^page-[ab]$/.test(n.code));
  await expect(204, 'DELETE', '/nodes/page-a');
  assert.equal((await expect(200, 'GET', `/nodes?limit=1&after=${a.id}`))[0].code, b.code, 'it is gone, and its place known');
  assert.equal((await admin('GET', '/nodes?after=nonsense')).status, 422);
  assert.equal((await admin('GET', `/nodes?after=${2 ** 48 + 1}`)).status, 422);
  for (const name of ['page-b', 'page-c']) await expect(204, 'DELETE', `/nodes/${name}`);
});

test('who is named by allowlists is not deleted, and says by whom', async () => {
  await make('kept', { code: 'kept' });
  const made = await expect(201, 'POST', '/users', { username: 'nia', has_all_models: true });
  await expect(200, 'POST', '/users/nia/nodes', { node_ids: ['kept'] });
  assert.equal((await chat('node:kept:x', made.token)).status, 200);
  assert.equal((await chat('node:up:alpha', made.token)).status, 403);
  const unknown = await chat('node:nope:alpha', made.token);
  assert.equal(unknown.status, 404);
  assert.match((await unknown.json()).error.message, /Node with code 'nope' not found/);
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /nia/);
  assert.match((await expect(409, 'PATCH', '/nodes/kept', { code: 'other' })).error.message, /nia/);
  await expect(200, 'POST', '/users/nia/nodes/all');
  // By number, as a panel has them, also a declared one's.
  const all = await expect(200, 'GET', '/nodes'), id = (code) => all.find((n) => n.code === code).id;
  assert.deepEqual((await expect(200, 'POST', '/users/nia/nodes', { node_ids: [id('kept'), id('up'), 'gpu-*'] })).nodes.sort(), ['gpu-*', 'kept', 'up']);
  assert.deepEqual((await expect(200, 'DELETE', `/users/nia/nodes/${id('up')}`)).nodes.sort(), ['gpu-*', 'kept']);
  assert.equal((await expect(422, 'POST', '/users/nia/nodes', { node_id: 123456 })).error.param, 'node_id');
  await expect(200, 'POST', '/users/nia/node-models', { node_id: id('kept'), model_name: 'x' });
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /nia/);
  await expect(200, 'DELETE', '/users/nia/node-models', { node_id: id('kept'), model_name: 'x' });
  await expect(200, 'POST', '/users/nia/nodes/all');
  await expect(201, 'POST', '/teams', { name: 'crew', nodes: ['kept'] });
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /teams: crew/);
  await expect(204, 'DELETE', '/teams/crew');
  await expect(200, 'POST', '/nodes/kept/sync-models');
  const alias = await admin('POST', '/model-mappings', { display_name: 'short', real_name: 'mock-small', node_ids: ['kept'] });
  assert.ok(alias.status < 300, alias.text);
  assert.equal((await chat('node:kept:short')).headers.get('x-maestro-model'), 'kept/mock-small');
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /aliases: short/);
  await admin('DELETE', '/model-mappings/short');
  await expect(200, 'POST', '/model-mappings', { display_name: 'whole', real_name: 'kept/mock-small' });
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /aliases: whole/);
  await admin('DELETE', '/model-mappings/whole');
  await expect(201, 'POST', '/model-groups', { name: 'flock' });
  const named = await expect(201, 'POST', '/model-groups/flock/members', { model_display_name: 'kept/mock-small' });
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /groups: flock/);
  await expect(204, 'DELETE', `/model-groups/flock/members/${named.members[0].id}`);
  const member = await admin('POST', '/model-groups/flock/members', { model_display_name: 'mock-small', nodes: ['kept'] });
  assert.ok(member.status < 300, member.text);
  assert.match((await expect(409, 'DELETE', '/nodes/kept')).error.message, /groups: flock/);
  await admin('DELETE', '/model-groups/flock');
  await expect(204, 'DELETE', '/nodes/kept');
  await expect(204, 'DELETE', '/users/nia');
});

test('who may do what', async () => {
  assert.equal((await admin('GET', '/nodes', undefined, { token: null })).status, 401);
  assert.equal((await admin('POST', '/nodes', node({ name: 'x' }), { token: null })).status, 401);
  const viewer = (await expect(201, 'POST', '/users', { username: 'vic', role: 'viewer' })).token;
  const plain = (await expect(201, 'POST', '/users', { username: 'pia' })).token;
  assert.equal((await admin('GET', '/nodes', undefined, { token: viewer })).status, 200);
  assert.equal((await admin('GET', '/nodes', undefined, { token: plain })).status, 403);
  for (const token of [viewer, plain])
    for (const [method, path] of [['POST', '/nodes'], ['PATCH', '/nodes/gpu-box'], ['DELETE', '/nodes/gpu-box'], ['POST', '/nodes/gpu-box/health-check'], ['POST', '/nodes/sync-all']])
      assert.equal((await admin(method, path, {}, { token })).status, 403, `${method} ${path}`);
  assert.equal((await admin('GET', '/nodes', undefined, { token: serve.key, prefix: '/api/admin' })).status, 200);
  assert.equal((await admin('PATCH', '/nodes/gpu-box', { priority: 4 }, { token: serve.key, prefix: '/api/admin' })).status, 200);
});

test('load is known', async () => {
  const slow = fetch(`${serve.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serve.key}` },
    body: JSON.stringify({ model: 'node:gpu-box:mock-small', messages: user('[[mock:slow-1500]] hi') }),
  });
  const of = async () => (await expect(200, 'GET', '/nodes/load-balancer/status')).nodes.find((n) => n.node_code === 'gpu-box');
  await until('a call in flight', async () => (await of()).active_requests > 0);
  await (await slow).text();
  await until('none', async () => (await of()).active_requests === 0);
  assert.ok((await of()).total_requests > 0);
  assert.equal((await expect(200, 'GET', '/nodes/gpu-box/metrics')).node_code, 'gpu-box');
});

test('the gateway starts with nodes as last known when the store is broken', async () => {
  const other = makeHome();
  const env = { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '1' };
  const first = serve;
  const server = await startServe({ config: config(), env, home: other });
  serve = server;
  try {
    await make('survivor', { api_key: SECRET });
    await mock.reset();
    assert.equal((await chat('survivor/mock-small')).status, 200);
  } finally {
    server.child.kill('SIGTERM');
    await server.exited;
  }
  const data = join(other, 'data', 'maestro');
  assert.ok(existsSync(join(data, 'nodes.jsonl')));
  assert.ok(!readFileSync(join(data, 'nodes.jsonl'), 'latin1').includes(SECRET));
  writeFileSync(join(data, 'maestro.db'), 'this is no database, but it is long enough to look like a file '.repeat(100));
  rmSync(join(data, 'maestro.db-wal'), { force: true });
  serve = await startServe({ config: config(), env, home: other });
  try {
    assert.equal((await chat('survivor/mock-small')).status, 200);
    const kept = await expect(200, 'GET', '/nodes/survivor');
    assert.equal(kept.has_api_key, true);
    const last = Object.fromEntries((await mock.requests()).requests.findLast((r) => /chat/.test(r.path)).headers);
    assert.equal(last.authorization, seenAs(SECRET));
    assert.equal((await admin('PATCH', '/nodes/survivor', { priority: 1 })).status, 503);
  } finally {
    const broken = serve;
    serve = first;
    await broken.stop();
  }
});

test('export leaves credentials out and says so; import brings the nodes back', async () => {
  const from = makeHome(), to = makeHome();
  const env = { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '1' };
  const first = serve, file = join(to, 'export.jsonl');
  serve = await startServe({ config: config(), env, home: from });
  const source = serve;
  try {
    await make('traveller', { api_key: SECRET });
    await make('light', { timeouts: { silence_ms: 0 }, quirks: ['starts-in-think'] });
    await expect(200, 'POST', '/nodes/light/sync-models');
    await expect(201, 'POST', '/users', { username: 'tess' });
    const out = await run(['store', 'export', file], { home: from });
    assert.equal(out.code, 0, out.stderr);
    assert.match(out.stderr, /traveller/);
    assert.match(out.stderr, /without/);
  } finally {
    serve = first;
    await source.stop();
  }
  const text = readFileSync(file, 'utf8');
  assert.ok(!text.includes(SECRET) && !text.includes('sealed'));
  const back = await run(['store', 'import', file], { home: to });
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stdout, /1 user, 0 names and 2 nodes/);
  assert.equal((await run(['store', 'import', file], { home: to })).code, 1, 'they are there already');
  writeFileSync(file, text.split('\n').slice(0, -2).join('\n')); // one line less
  assert.match((await run(['store', 'import', file], { home: makeHome() })).stderr, /cut/);
  serve = await startServe({ config: config(), env, home: to });
  const target = serve;
  try {
    const nodes = await expect(200, 'GET', '/nodes');
    assert.equal(nodes.find((n) => n.code === 'traveller').has_api_key, false);
    const light = nodes.find((n) => n.code === 'light');
    assert.ok(light.model_count > 0);
    assert.deepEqual([light.timeouts.silence_ms, light.timeouts.total_ms, light.quirks], [0, null, ['starts-in-think']]);
    assert.equal((await expect(200, 'GET', '/users')).length, 1);
  } finally {
    serve = first;
    await target.stop();
  }
});

test('another key: the credential is told to be unreadable, the node is not used', async () => {
  const other = makeHome();
  const env = { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '1' };
  const first = serve;
  serve = await startServe({ config: config(), env, home: other });
  const made = serve;
  try {
    await make('sealed', { api_key: SECRET });
  } finally {
    made.child.kill('SIGTERM');
    await made.exited;
  }
  serve = await startServe({ config: config(), env: { ...env, MAESTRO_STORE_KEY: 'a-key-of-somebody-else' }, home: other });
  const shut = serve;
  try {
    const seen = await expect(200, 'GET', '/nodes/sealed');
    assert.equal(seen.is_credential_unreadable, true);
    assert.equal(seen.is_in_use, false);
    assert.equal((await chat('sealed/mock-small')).status, 503);
    await expect(200, 'PATCH', '/nodes/sealed', { priority: 1 });
    const mended = await expect(200, 'PATCH', '/nodes/sealed', { api_key: 'sk-a-new-key-0123456789' });
    assert.equal(mended.is_credential_unreadable, undefined);
    assert.equal((await chat('sealed/mock-small')).status, 200);
  } finally {
    serve = first;
    await shut.stop();
  }
});
