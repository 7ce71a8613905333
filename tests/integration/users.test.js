// Users through a real server: who is let in with what, what a change does to the next request, what bad input says.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMock, startServe, run, makeHome, user, until, KEY, BIN, sleep } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
let mock, serve, home;

// Wrong credentials are counted by address, so every call here comes from another one.
let calls = 0;
const address = () => ({ 'x-forwarded-for': `10.0.${++calls >> 8}.${calls & 255}` });

const config = () => ({
  server: { trustedProxies: ['127.0.0.1'] },
  providers: {
    up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-1', models: { alpha: {}, beta: {} } },
    other: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-2', models: { alpha: {}, gamma: {} } },
  },
  priorities: ['up/alpha', 'other/gamma'],
});

/** The admin API: {status, body}. */
async function admin(method, path, body, token = ADMIN, prefix = '/admin/users') {
  const reply = await fetch(serve.url + prefix + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json' },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : undefined, headers: reply.headers };
}

async function make(name, more = {}) {
  const made = await admin('POST', '', { username: name, ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.token;
}

const chat = (model, token, headers = {}) => fetch(`${serve.url}/v1/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...address(), ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
  body: JSON.stringify({ model, messages: user('[[mock:echo]] hi') }),
});
const status = async (model, token) => (await chat(model, token)).status;

async function listed(token, path = '/v1/models') {
  const reply = await fetch(serve.url + path, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(reply.status, 200);
  const body = await reply.json();
  return (body.data ?? body.models).map((m) => m.id ?? m.model ?? m.name);
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

test('a token works at once, in every header, and says whose it is', async () => {
  const token = await make('ann', { has_all_models: true });
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  assert.equal(claims.username, 'ann');
  assert.equal(claims.sub, 'ann');
  assert.equal(claims.iss, 'maestro');
  assert.equal(claims.aud, 'llm-api');
  assert.ok(claims.jti && claims.iat && !('exp' in claims));
  assert.equal(await status('alpha', token), 200);
  for (const headers of [{ 'x-api-key': token }, { 'x-goog-api-key': token }, { authorization: token }]) {
    assert.equal((await chat('alpha', undefined, headers)).status, 200, Object.keys(headers)[0]);
  }
  const messages = await fetch(`${serve.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': token, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'alpha', max_tokens: 50, messages: user('[[mock:echo]] hi') }),
  });
  assert.equal(messages.status, 200);
  await until('the log line of the user', () => serve.logs().find((l) => /^user:\d+$/.test(l.principal)));
});

test('what is no such token is nobody', async () => {
  const token = await make('bob', { has_all_models: true });
  const [header, payload, signature] = token.split('.');
  const b64 = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  const bad = [
    `${b64({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    `${b64({ alg: 'none' })}.${payload}.${signature}`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -1)}`,
    `${header}.${b64({ ...claims, username: 'ann', sub: 'ann' })}.${signature}`,
    `${header}.${b64({ ...claims, aud: 'else' })}.${signature}`,
    token.slice(0, 40), `${token}x`, `${token}.${'a'.repeat(10000)}`, "' OR 1=1 --",
  ];
  for (const one of bad) {
    const reply = await chat('alpha', one);
    assert.equal(reply.status, 401, one.slice(0, 60));
  }
  assert.equal(await status('alpha', token), 200);
});

test('a key, a token and both at once', async () => {
  const token = await make('carl', { has_all_models: true });
  assert.equal((await chat('alpha', KEY, { 'x-api-key': token })).status, 401);
  assert.equal((await chat('alpha', 'unused', { 'x-api-key': token })).status, 200);
});

test('allowlists of models hold in calls and in lists', async () => {
  const none = await make('none');
  assert.equal(await status('alpha', none), 403);
  assert.deepEqual(await listed(none), []);

  const one = await make('one', { models: ['beta'] });
  assert.equal(await status('beta', one), 200);
  assert.equal(await status('up/beta', one), 200);
  const refused = await chat('alpha', one);
  assert.equal(refused.status, 403);
  const body = await refused.json();
  assert.equal(body.error.code, 'permission_denied');
  assert.match(body.error.message, /no access to this model/);
  assert.deepEqual(await listed(one), ['up/beta']);
  assert.deepEqual(await listed(one, '/api/tags'), ['up/beta']);

  const qualified = await make('qualified', { models: ['other/*'] });
  const alpha = await chat('alpha', qualified);
  assert.equal(alpha.status, 200);
  assert.equal(alpha.headers.get('x-maestro-model'), 'other/alpha');
  assert.equal(await status('up/alpha', qualified), 403);
  assert.deepEqual((await listed(qualified)).sort(), ['maestro-auto', 'other/alpha', 'other/gamma', 'router-maestro']);

  // The virtual names choose among what is allowed; listed themselves they grant what they stand for.
  const auto = await chat('maestro-auto', qualified);
  assert.equal(auto.headers.get('x-maestro-model'), 'other/gamma');
  const wide = await make('wide', { models: ['maestro-auto'] });
  assert.equal((await chat('maestro-auto', wide)).headers.get('x-maestro-model'), 'up/alpha');
  assert.equal(await status('up/alpha', wide), 403);
});

test('a refusal comes in the dialect of the path, and names nothing that is not the caller\'s', async () => {
  const token = await make('dia', { models: ['beta'] });
  const post = (path, body) => fetch(serve.url + path, {
    method: 'POST', headers: { 'x-api-key': token, 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  const anthropic = await (await post('/v1/messages', { model: 'alpha', max_tokens: 9, messages: user('x') })).json();
  assert.equal(anthropic.type, 'error');
  assert.equal(anthropic.error.type, 'permission_error');
  const gemini = await post('/v1beta/models/alpha:generateContent', { contents: [{ role: 'user', parts: [{ text: 'x' }] }] });
  assert.equal(gemini.status, 403);
  assert.equal((await gemini.json()).error.status, 'PERMISSION_DENIED');
  const ollama = await post('/api/chat', { model: 'alpha', messages: user('x') });
  assert.equal(ollama.status, 403);
  assert.equal(typeof (await ollama.json()).error, 'string');
  const show = await post('/api/show', { model: 'alpha' });
  assert.equal(show.status, 403);
  const unknown = await chat('alph', token);
  assert.equal(unknown.status, 404);
  assert.doesNotMatch(await unknown.text(), /alpha|gamma|up\//);
  const details = await (await fetch(`${serve.url}/healthz`, { headers: { 'x-api-key': token } })).json();
  assert.deepEqual(details, { status: 'ok' });
});

test('nodes and models of nodes are checked on every candidate', async () => {
  const token = await make('nod', { has_all_models: true });
  assert.equal((await admin('POST', '/nod/nodes', { node_id: 'other' })).status, 200);
  assert.equal((await chat('alpha', token)).headers.get('x-maestro-model'), 'other/alpha');
  assert.equal(await status('up/alpha', token), 403);
  assert.equal(await status('beta', token), 403);
  let reply = await admin('POST', '/nod/node-models', { node_id: 'other', model_name: 'gamma' });
  assert.deepEqual(reply.body, { username: 'nod', node_models: [{ node_id: 'other', model_name: 'gamma' }] });
  assert.equal(await status('alpha', token), 403);
  assert.equal(await status('gamma', token), 200);
  assert.deepEqual((await listed(token)).filter((m) => m.includes('/')), ['other/gamma']);
  reply = await admin('POST', '/nod/nodes', { node_ids: ['up', 'o*'] });
  assert.deepEqual(reply.body, { username: 'nod', has_restriction: true, nodes: ['o*', 'up'] });
  assert.equal((await chat('alpha', token)).headers.get('x-maestro-model'), 'up/alpha');
  assert.equal((await admin('POST', '/nod/nodes/other/models', { models: ['alpha'] })).status, 200);
  assert.equal(await status('gamma', token), 403);
  assert.deepEqual((await admin('GET', '/nod/nodes/other/models')).body,
    { username: 'nod', node_id: 'other', models: ['alpha'], has_restriction: true });
  assert.equal((await admin('POST', '/nod/node-models/all')).status, 200);
  assert.equal((await admin('DELETE', '/nod/nodes/up')).status, 200);
  assert.equal((await admin('DELETE', '/nod/nodes')).status, 200);
  assert.equal(await status('gamma', token), 200);
  assert.equal((await admin('POST', '/nod/nodes', { node_id: 'nowhere' })).status, 422);
  assert.equal((await admin('POST', '/nod/nodes', { node_ids: ['up', 'nowhere'] })).body.error.param, 'node_ids[1]');
  assert.equal((await admin('POST', '/nod/nodes/nowhere/models', { models: [] })).status, 404);
});

test('both shapes of the routes, below both prefixes', async () => {
  await make('shape');
  assert.deepEqual((await admin('POST', '/shape/models', { models: ['x', 'org/y'] })).body,
    { username: 'shape', has_all_models: false, models: ['org/y', 'x'] });
  assert.deepEqual((await admin('DELETE', '/shape/models/org/y')).body.models, ['x']);
  assert.deepEqual((await admin('DELETE', '/shape/models/org%2Fy')).status, 404);
  assert.equal((await admin('POST', '/shape/models/all')).body.has_all_models, true);
  assert.deepEqual((await admin('GET', '/shape/models')).body, { username: 'shape', has_all_models: true, models: ['x'] });
  assert.deepEqual((await admin('DELETE', '/shape/models/all')).body, { username: 'shape', has_all_models: false, models: [] });
  assert.deepEqual((await admin('GET', '/shape/nodes')).body, { username: 'shape', has_restriction: false, nodes: [] });
  assert.equal((await admin('POST', '/shape/nodes/all')).status, 200);
  assert.equal((await admin('PUT', '/shape', { role: 'viewer' })).body.role, 'viewer');
  assert.equal((await admin('PATCH', '/shape', { is_active: false })).body.is_active, false);
  assert.equal((await admin('POST', '/shape/activate')).body.is_active, true);
  const through = await admin('GET', '/shape', undefined, KEY, '/api/admin/users');
  assert.equal(through.status, 200);
  assert.equal(through.body.username, 'shape');
  assert.ok(!('token' in through.body));
  assert.equal(through.headers.get('cache-control'), 'no-store');
  const list = (await admin('GET', '')).body;
  assert.ok(Array.isArray(list) && list.some((u) => u.username === 'shape'));
  assert.ok(!JSON.stringify(list).match(/eyJ|sha256|hash/));
  const page = (await admin('GET', `?limit=1&after=${list[1].username}`)).body;
  assert.deepEqual(page.map((u) => u.username), [list[2].username]);
  assert.equal((await admin('GET', '?limit=0')).status, 422);
  assert.equal((await admin('GET', '?after=nobody')).body.error.param, 'after');
});

test('renewed, revoked, switched off: the old token is dead within a second, on every worker', async () => {
  const first = await make('rev', { has_all_models: true });
  const deadWithin = async (what, token) => {
    const start = Date.now();
    // Many connections, so that every worker is asked.
    for (let i = 0; i < 12; i++) assert.equal(await status('alpha', token), 401, what);
    assert.ok(Date.now() - start < 1000 || /asan|tsan/.test(BIN), `${what} took ${Date.now() - start} ms`);
  };
  const renewed = await admin('PUT', '/rev/token');
  assert.equal(renewed.status, 200);
  await deadWithin('renewed', first);
  assert.equal(await status('alpha', renewed.body.token), 200);
  const ci = await admin('POST', '/rev/tokens', { name: 'ci', expires_in_days: 1 });
  assert.equal(ci.status, 201);
  assert.ok(JSON.parse(Buffer.from(ci.body.token.split('.')[1], 'base64url')).exp > Date.now() / 1000);
  assert.equal(await status('alpha', ci.body.token), 200);
  assert.deepEqual((await admin('GET', '/rev/tokens')).body.tokens.map((t) => t.name), ['default', 'ci']);
  assert.equal((await admin('DELETE', '/rev/tokens/ci')).status, 204);
  await deadWithin('revoked', ci.body.token);
  assert.equal(await status('alpha', renewed.body.token), 200);
  assert.equal((await admin('POST', '/rev/deactivate')).body.is_active, false);
  await deadWithin('switched off', renewed.body.token);
  await admin('POST', '/rev/activate');
  assert.equal(await status('alpha', renewed.body.token), 200);
  assert.equal((await admin('DELETE', '/rev')).status, 204);
  await deadWithin('deleted', renewed.body.token);
  assert.equal((await admin('GET', '/rev')).status, 404);
  const again = await admin('POST', '', { username: 'rev' });
  assert.equal(again.status, 201);
  assert.equal(again.body.has_all_models, false);
});

test('an answer that has not begun when its token is revoked does not begin', async () => {
  const token = await make('late', { has_all_models: true });
  const pending = fetch(`${serve.url}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'alpha', messages: user('[[mock:slow-1500]] hi') }),
  });
  await sleep(400);
  assert.equal((await admin('DELETE', '/late/tokens/default')).status, 204);
  const reply = await pending;
  assert.equal(reply.status, 401);
  assert.match(await reply.text(), /revoked/);
});

test('role by route', async () => {
  const tokens = {};
  for (const role of ['user', 'viewer', 'operator', 'admin']) tokens[role] = await make(`role-${role}`, { role });
  await make('victim');
  const callers = { nobody: undefined, key1: KEY, ADMIN, ...tokens };
  const read = { nobody: 401, key1: 200, ADMIN: 200, user: 403, viewer: 200, operator: 200, admin: 200 };
  const change = { nobody: 401, key1: 200, ADMIN: 200, user: 403, viewer: 403, operator: 403, admin: 200 };
  const rows = [
    ['GET', '/api/admin/users', read], ['GET', '/api/admin/users/victim', read],
    ['POST', '/api/admin/users/victim/models/all', change], ['PATCH', '/api/admin/users/victim', change],
    ['GET', '/admin/users', { ...read, key1: 403 }], ['GET', '/admin/users/victim/models', { ...read, key1: 403 }],
    ['POST', '/admin/users/victim/models/all', { ...change, key1: 403 }],
    ['PUT', '/admin/users/victim/token', { ...change, key1: 403 }],
    ['POST', '/api/admin/models/refresh', { ...change, operator: 200 }],
    ['GET', '/v1/models', { nobody: 401, key1: 200, ADMIN: 200, user: 200, viewer: 200, operator: 200, admin: 200 }],
    ['GET', '/health', { nobody: 200, key1: 200, ADMIN: 200, user: 200, viewer: 200, operator: 200, admin: 200 }],
  ];
  for (const [method, path, expected] of rows) {
    for (const [who, want] of Object.entries(expected)) {
      const reply = await fetch(serve.url + path, {
        method, headers: { ...address(), ...(callers[who] ? { authorization: `Bearer ${callers[who]}` } : {}) },
        body: method === 'GET' ? undefined : method === 'PATCH' ? '{}' : '',
      });
      await reply.arrayBuffer();
      assert.equal(reply.status, want, `${method} ${path} as ${who}`);
    }
  }
});

test('bad input is named, and changes nothing', async () => {
  await make('inp', { models: ['m'] });
  const before_ = JSON.stringify((await admin('GET', '/inp')).body);
  const rows = [
    ['POST', '', '{"username":', 400, undefined],
    ['POST', '', '', 422, 'username'],
    ['POST', '', '[]', 422, undefined],
    ['POST', '', { username: 7 }, 422, 'username'],
    ['POST', '', { username: null }, 422, 'username'],
    ['POST', '', { username: '' }, 422, 'username'],
    ['POST', '', { username: 'a/b' }, 422, 'username'],
    ['POST', '', { username: '..' }, 422, 'username'],
    ['POST', '', { username: 'a\r\nX-Injected: 1' }, 422, 'username'],
    ['POST', '', { username: 'x'.repeat(129) }, 422, 'username'],
    ['POST', '', { username: 'inp' }, 409, 'username'],
    ['POST', '', { username: 'n1', role: 'root' }, 422, 'role'],
    ['POST', '', { username: 'n2', models: 'm' }, 422, 'models'],
    ['POST', '', { username: 'n3', models: ['a', 'a'] }, 422, 'models[1]'],
    ['POST', '', { username: 'n4', models: Array.from({ length: 513 }, (_, i) => `m${i}`) }, 422, 'models'],
    ['POST', '', { username: 'n5', expires_in_days: 0 }, 422, 'expires_in_days'],
    ['POST', '', { username: 'n6', is_admin: true }, 422, 'is_admin'],
    ['POST', '', '{"username":"n7","username":"n8"}', 422, 'username'],
    ['PATCH', '/inp', { is_active: 'yes' }, 422, 'is_active'],
    ['PATCH', '/inp', { username: 'other' }, 422, 'username'],
    ['POST', '/inp/tokens', {}, 422, 'name'],
    ['POST', '/inp/tokens', { name: 'default' }, 409, 'name'],
    ['PUT', '/inp/tokens/none', undefined, 404, undefined],
    ['DELETE', '/inp/tokens/none', undefined, 404, undefined],
    ['DELETE', '/inp/models/none', undefined, 404, undefined],
    ['POST', '/inp/models', {}, 422, 'models'],
    ['POST', '/inp/nodes', {}, 422, 'node_ids'],
    ['POST', '/inp/node-models', { node_id: 'up' }, 422, 'model_name'],
    ['GET', '/nobody', undefined, 404, undefined],
    ['DELETE', '/nobody', undefined, 404, undefined],
    ['PATCH', '/nobody', { is_active: true }, 404, undefined],
    ['PUT', '/nobody/token', undefined, 404, undefined],
    ['POST', '/nobody/models', { models: [] }, 404, undefined],
    ['GET', '/nobody/nodes', undefined, 404, undefined],
    ['GET', '/%00', undefined, 404, undefined],
    ['GET', "/inp'%20OR%20'1'='1", undefined, 404, undefined],
    ['GET', '/inp/tokens/x/y', undefined, 405, undefined],
    ['GET', '/inp/token', undefined, 405, undefined],
    ['GET', '/inp/nothing', undefined, 404, undefined],
  ];
  for (const [method, path, body, want, param] of rows) {
    const reply = await admin(method, path, body);
    const what = `${method} ${path} ${JSON.stringify(body)?.slice(0, 60)}`;
    assert.equal(reply.status, want, `${what}: ${JSON.stringify(reply.body)}`);
    assert.equal(typeof reply.body.detail, 'string', what);
    assert.equal(reply.body.error.param, param, what);
    assert.equal(reply.headers.get('x-injected'), null);
  }
  assert.equal(JSON.stringify((await admin('GET', '/inp')).body), before_);
  const names = (await admin('GET', '')).body.map((u) => u.username);
  assert.ok(!names.some((n) => /^n\d$/.test(n)), names.join());
  const evil = "Robert'); DROP TABLE users;--";
  await make(evil, { models: ["x' OR '1'='1"] });
  assert.equal((await admin('GET', `/${encodeURIComponent(evil)}`)).body.username, evil);
});

test('an entity tag keeps two administrators from overwriting each other', async () => {
  await make('tess');
  const path = `${serve.url}/admin/users/tess`;
  const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' };
  const seen = await fetch(path, { headers });
  const tag = seen.headers.get('etag');
  assert.match(tag, /^"[0-9a-f]{32}"$/);
  const again = await fetch(path, { headers: { ...headers, 'if-none-match': tag } });
  assert.equal(again.status, 304);
  assert.equal(await again.text(), '');
  const change = (ifMatch, body) => fetch(path, { method: 'PATCH', headers: { ...headers, 'if-match': ifMatch }, body: JSON.stringify(body) });
  const first = await change(tag, { role: 'viewer' });
  assert.equal(first.status, 200);
  const late = await change(tag, { role: 'admin' });
  assert.equal(late.status, 412);
  assert.equal((await late.json()).error.code, 'precondition_failed');
  const now = await fetch(path, { headers });
  assert.equal(now.headers.get('etag'), first.headers.get('etag'), 'a change answers with the tag that a read will show');
  assert.equal((await now.json()).role, 'viewer');
  assert.equal((await change(`W/"x", ${first.headers.get('etag')}`, { role: 'operator' })).status, 200);
  assert.equal((await change('*', { role: 'user' })).status, 200);
  const gone = await fetch(`${serve.url}/admin/users/nobody-at-all`, { method: 'PATCH', headers: { ...headers, 'if-match': '*' }, body: '{}' });
  assert.ok([404, 412].includes(gone.status));
});

test('the audit log has one row for each accepted change, with what was and what is', async () => {
  const logs = async (query, token = ADMIN) => {
    const reply = await fetch(`${serve.url}/admin/audit-logs${query}`, { headers: { ...address(), authorization: `Bearer ${token}` } });
    return { status: reply.status, body: await reply.json() };
  };
  const total = async () => (await logs('?limit=1')).body.total;
  const start = await total();
  const token = await make('aud', { models: ['a', 'b', 'c'] });
  assert.equal(await total(), start + 1);
  await admin('POST', '', { username: 'aud' });
  await admin('PATCH', '/aud', { role: 'king' });
  await admin('DELETE', '/aud/models/none');
  await admin('PATCH', '/aud', { role: 'admin' }, 'sk-wrong');
  await admin('GET', '/aud');
  assert.equal(await total(), start + 1);
  const boss = await make('boss', { role: 'admin' });
  assert.equal((await admin('PATCH', '/aud', { is_active: false }, boss)).status, 200);
  assert.equal((await admin('DELETE', '/aud', undefined, KEY, '/api/admin/users')).status, 204);
  const { body } = await logs('?entity_id=aud&entity_type=user');
  assert.deepEqual(body.logs.map((l) => l.action), ['delete', 'update', 'create']);
  assert.equal(body.total, 3);
  assert.deepEqual([body.limit, body.offset], [50, 0]);
  const [deleted, updated, created] = body.logs;
  assert.equal(created.performed_by, 'admin');
  assert.match(updated.performed_by, /^user:\d+$/);
  assert.equal(deleted.performed_by, 'key:1');
  assert.equal(created.admin_ip, '127.0.0.1');
  assert.equal(created.details.before, null);
  assert.deepEqual(created.details.after.models, ['a', 'b', 'c']);
  assert.deepEqual([updated.details.before.is_active, updated.details.after.is_active], [true, false]);
  assert.equal(deleted.details.after, null);
  assert.ok(!JSON.stringify(body).includes(token.split('.')[2]));
  assert.deepEqual((await logs('?entity_id=aud&action=update&offset=0')).body.logs.map((l) => l.id), [updated.id]);
  assert.equal((await logs('?entity_id=aud&limit=1&offset=2')).body.logs[0].id, created.id);
  for (const [query, param] of [['?limit=0', 'limit'], ['?limit=201', 'limit'], ['?offset=-1', 'offset'], ['?action=%00', 'action']]) {
    const bad = await logs(query);
    assert.equal(bad.status, 422, query);
    assert.equal(bad.body.error.param, param);
  }
  assert.equal((await logs('', await make('spy'))).status, 403);
  assert.equal((await logs('', await make('view', { role: 'viewer' }))).status, 200);
});

test('two make the same user at the same time: one does', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => admin('POST', '', { username: 'race' })));
  assert.deepEqual(all.map((r) => r.status).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
});

test('more changes at once than the queue takes are told to come back', async () => {
  const p = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN } });
  const replies = await Promise.all(Array.from({ length: 500 }, (_, i) => fetch(`${p.url}/admin/users`, {
    method: 'POST', headers: { authorization: `Bearer ${ADMIN}` }, body: JSON.stringify({ username: `many${i}` }),
  })));
  const made = replies.filter((r) => r.status === 201).length;
  for (const r of replies.filter((reply) => reply.status !== 201)) {
    assert.equal(r.status, 503);
    assert.equal(r.headers.get('retry-after'), '1');
  }
  const audit = await (await fetch(`${p.url}/admin/audit-logs?limit=1`, { headers: { authorization: `Bearer ${ADMIN}` } })).json();
  assert.equal(audit.total, made, 'what was told is what was done');
  assert.ok(made >= 200, String(made));
  await p.stop();
});

test('users close local calls, and survive a restart; a killed server loses nothing', async () => {
  const own = makeHome();
  const options = { config: config(), key: null, env: { ADMIN_TOKEN: ADMIN }, home: own };
  let p = await startServe(options);
  const local = () => fetch(`${p.url}/v1/models`);
  assert.equal((await local()).status, 200);
  const post = (path, body, method = 'POST') => fetch(`${p.url}/admin/users${path}`, {
    method, headers: { authorization: `Bearer ${ADMIN}` }, body: JSON.stringify(body),
  });
  const { token } = await (await post('', { username: 'ann', has_all_models: true })).json();
  assert.equal((await local()).status, 401);
  const call = () => fetch(`${p.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await call()).status, 200);
  p.child.kill('SIGKILL');
  await p.exited;
  p = await startServe(options);
  assert.equal((await call()).status, 200);
  assert.equal((await local()).status, 401);
  assert.equal((await post('/ann', undefined, 'DELETE')).status, 204);
  assert.equal((await local()).status, 200);
  await p.stop();
});

test('a second server of the same data directory is told who holds it', async () => {
  const second = await run(['serve', '--port', '0'], { home, env: { MAESTRO_API_KEY: KEY } });
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`in use by .maestro serve., process ${serve.child.pid}`));
});

test('with a store that is broken the gateway serves as last known, and says so', async () => {
  const own = makeHome();
  const dir = join(own, 'data', 'maestro'), store = join(dir, 'maestro.db');
  const options = { config: config(), key: null, env: { ADMIN_TOKEN: ADMIN }, home: own };
  const made = await run(['user', 'create', 'ann', '--all-models', '--json'], { home: own });
  const { token } = JSON.parse(made.stdout);
  const good = readFileSync(store);
  assert.equal(statSync(store).mode & 0o777, 0o600);
  writeFileSync(store, 'this is no database, and longer than one hundred bytes, so that nobody takes it for an empty one, ever');
  const p = await startServe(options);
  const as = (t, path, init = {}) => fetch(p.url + path, { ...init, headers: { authorization: `Bearer ${t}` } });
  assert.equal((await as(token, '/v1/models')).status, 200);
  assert.equal((await fetch(`${p.url}/v1/models`)).status, 401);
  const health = await (await as(ADMIN, '/healthz')).json();
  assert.equal(health.status, 'ok');
  assert.equal(health.store.status, 'failing');
  assert.equal(health.store.code, 'store_corrupt');
  assert.equal(health.store.users_from, 'last_known');
  assert.equal(health.store.users, 1);
  assert.match(health.store.detail, /maestro store restore/);
  assert.ok(p.logs().some((l) => l.level === 'error' && l.code === 'store_corrupt'));
  assert.equal((await as(ADMIN, '/admin/users')).status, 200);
  const refused = await as(ADMIN, '/admin/users', { method: 'POST', body: '{"username":"bob"}' });
  assert.equal(refused.status, 503);
  assert.equal((await refused.json()).error.code, 'store_corrupt');
  // Put right while it runs, it is taken up again.
  writeFileSync(store, good);
  await until('the store to be taken up', async () => (await (await as(ADMIN, '/healthz')).json()).store.status === 'ok', 15000);
  assert.equal((await as(ADMIN, '/admin/users', { method: 'POST', body: '{"username":"bob"}' })).status, 201);
  await p.stop();

  // Broken, with nothing kept: nobody is let in without a credential.
  const again = makeHome();
  writeFileSync(join(again, 'data', 'maestro', 'maestro.db'), readFileSync(process.execPath).subarray(0, 5000));
  const q = await startServe({ ...options, home: again });
  assert.equal((await fetch(`${q.url}/v1/models`)).status, 401);
  await q.stop();
});

test('a user who was deleted and made again has no kept responses of the one before', async () => {
  const first = await make('twice', { has_all_models: true });
  const ask = (token, path, body) => fetch(serve.url + path, {
    method: body ? 'POST' : 'GET', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });
  const { id } = await (await ask(first, '/v1/responses', { model: 'alpha', input: 'x', store: true })).json();
  assert.equal((await ask(first, `/v1/responses/${id}`)).status, 200);
  assert.equal((await admin('DELETE', '/twice')).status, 204);
  const second = await make('twice', { has_all_models: true });
  assert.equal((await ask(second, `/v1/responses/${id}`)).status, 404);
  const own = await (await ask(second, '/v1/responses', { model: 'alpha', input: 'y', store: true })).json();
  assert.equal((await ask(second, `/v1/responses/${own.id}`)).status, 200);
});

test('an emptied store begins anew, and the copy of the one before is kept', async () => {
  const own = makeHome(), dir = join(own, 'data', 'maestro');
  await run(['user', 'create', 'ann', '--all-models'], { home: own });
  for (const name of ['maestro.db-wal', 'maestro.db-shm']) rmSync(join(dir, name), { force: true });
  writeFileSync(join(dir, 'maestro.db'), '');
  const p = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN }, home: own });
  const users = await (await fetch(`${p.url}/admin/users`, { headers: { authorization: `Bearer ${ADMIN}` } })).json();
  assert.deepEqual(users, []);
  assert.match(readFileSync(join(dir, 'people.jsonl.of-before'), 'utf8'), /"ann"/);
  assert.ok(p.logs().some((l) => l.level === 'warn' && /people\.jsonl\.of-before$/.test(l.file)));
  await p.stop();
});

// The version is the row's key: in the file five bytes before the row's text, six where that has 58 bytes or more (SQLite's
// record format; the last row's).
const MIGRATIONS = [...readFileSync(new URL('../../src/state/store/migrations.def', import.meta.url), 'utf8').matchAll(/^X\("([^"]+)"/gm)].map((m) => m[1]);
function makeNewer(bytes) {
  const name = MIGRATIONS.at(-1), at = bytes.indexOf(name) - (name.length < 58 ? 5 : 6);
  assert.equal(bytes[at], MIGRATIONS.length);
  bytes[at] = 99;
  return bytes;
}

test('a store of a newer version is left alone', async () => {
  const own = makeHome();
  const store = join(own, 'data', 'maestro', 'maestro.db'), copy = join(own, 'copy.db');
  const made = await run(['user', 'create', 'ann', '--all-models', '--json'], { home: own });
  const { token } = JSON.parse(made.stdout);
  assert.equal((await run(['store', 'backup', copy], { home: own })).code, 0);
  const bytes = makeNewer(readFileSync(copy));
  writeFileSync(store, bytes);
  rmSync(`${store}-wal`, { force: true });
  rmSync(`${store}-shm`, { force: true });
  const p = await startServe({ config: config(), key: null, env: { ADMIN_TOKEN: ADMIN }, home: own });
  const as = (t, path, init = {}) => fetch(p.url + path, { ...init, headers: { authorization: `Bearer ${t}` } });
  const health = await (await as(ADMIN, '/healthz')).json();
  assert.equal(health.store.code, 'store_newer');
  assert.match(health.store.detail, /version 99/);
  assert.equal((await as(token, '/v1/models')).status, 200);
  const refused = await as(ADMIN, '/admin/users', { method: 'POST', body: '{"username":"bob"}' });
  assert.equal(refused.status, 503);
  p.child.kill('SIGTERM'); // stop() would take the home along
  assert.equal(await p.exited, 0);
  const told = await run(['store', 'migrate'], { home: own });
  assert.equal(told.code, 1);
  assert.match(told.stderr, /version 99/);
  assert.equal((await run(['user', 'list'], { home: own })).code, 1);
  assert.equal((await run(['store', 'restore', store], { home: makeHome() })).code, 1);
  assert.ok(readFileSync(store).includes(MIGRATIONS[0]));
});

test('what is restored is a store, and what was there is told only where there was one', async () => {
  const from = makeHome(), to = makeHome(), copy = join(from, 'copy.db'), text = join(from, 'export.jsonl');
  assert.equal((await run(['user', 'create', 'ann'], { home: from })).code, 0);
  assert.equal((await run(['store', 'backup', copy], { home: from })).code, 0);
  assert.equal((await run(['store', 'export', text], { home: from })).code, 0);
  const wrong = await run(['store', 'restore', text], { home: from });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /export\.jsonl is no whole store; nothing was changed/);
  const first = await run(['store', 'restore', copy], { home: to }), second = await run(['store', 'restore', copy], { home: to });
  assert.match(first.stdout, /^Restored 1 user from \S+copy\.db\n$/);
  assert.match(second.stdout, /before-restore\n$/);
});

test('the greeting names the key once there are users, and says when no provider can be used', async () => {
  const own = makeHome(), shown = /^ +(?:Try: |curl|-H|No provider).*$/gm;
  const greeting = async (providers) => {
    const p = await startServe({ config: { ...config(), ...providers }, home: own, key: null });
    await p.waitFor(/"event":"serving"/);
    p.child.kill('SIGTERM'); // stop() would take the home along
    await p.exited;
    return p.output.match(shown).join('\n');
  };
  assert.doesNotMatch(await greeting(), /show-key/);
  assert.equal((await run(['user', 'create', 'ann'], { home: own })).code, 0);
  assert.match(await greeting(), /Bearer \$\(maestro server show-key\)/);
  assert.match(await greeting({ providers: { up: { type: 'anthropic' } } }), /No provider can be used yet: `maestro check`/);
});

test('commands: users with and without a server', async () => {
  const own = makeHome();
  const without = await run(['user', 'create', 'ann', '--models', 'alpha,b*', '--role', 'viewer'], { home: own });
  assert.equal(without.code, 0, without.stderr);
  assert.match(without.stdout, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.match((await run(['user', 'list'], { home: own })).stdout, /ann +viewer +active +1 +alpha,b\*/);
  const p = await startServe({ config: config(), home: own });
  const as = (t) => fetch(`${p.url}/v1/models`, { headers: { authorization: `Bearer ${t}` } });
  assert.equal((await as(without.stdout.trim())).status, 200);
  const renewed = await run(['user', 'refresh-token', 'ann'], { home: own });
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.equal((await as(without.stdout.trim())).status, 401);
  assert.equal((await as(renewed.stdout.trim())).status, 200);
  const shown = JSON.parse((await run(['user', 'show', 'ann', '--json'], { home: own })).stdout);
  assert.deepEqual(shown.models, ['alpha', 'b*']);
  assert.equal((await run(['user', 'create', 'ann'], { home: own })).code, 1);
  assert.match((await run(['user', 'show', 'bob'], { home: own })).stderr, /there is no user "bob"/);
  assert.match((await run(['user', 'create', 'bob', '--role', 'king'], { home: own })).stderr, /"role" must be/);
  assert.match((await run(['user', 'creat', 'x'], { home: own })).stderr, /did you mean `user create`/);
  assert.equal((await run(['user', 'create'], { home: own })).code, 2);
  const wrong = await run(['user', 'create', 'bob', '--rolle', 'admin'], { home: own });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /no flag "--rolle" here; did you mean "--role"\?/);
  assert.match((await run(['stats', '--zzz=1'], { home: own })).stderr, /no flag "--zzz" here; `maestro stats --help`/);
  assert.equal((await run(['user', 'delete', 'ann'], { home: own })).code, 0);
  assert.equal((await as(renewed.stdout.trim())).status, 401);
  await p.stop();
});

test('commands: a list of several pages is whole', async () => {
  const own = makeHome(), lines = join(own, 'many.jsonl');
  const many = (n) => [{ kind: 'maestro-people', version: 1, users: n }, ...Array.from({ length: n }, (_, i) => (
    { id: i + 1, name: `user ${i}`, role: 'user', is_active: true }))].map((o) => JSON.stringify(o)).join('\n') + '\n';
  writeFileSync(lines, many(1000));
  assert.equal((await run(['store', 'import', lines], { home: own })).code, 0);
  const p = await startServe({ config: config(), home: own });
  const names = async () => JSON.parse((await run(['user', 'list', '--json'], { home: own })).stdout).map((u) => u.username);
  const expected = Array.from({ length: 1000 }, (_, i) => `user ${i}`);
  assert.deepEqual(await names(), expected);
  await run(['user', 'create', 'last'], { home: own });
  assert.deepEqual(await names(), [...expected, 'last']);
  await p.stop();
});

test('commands: backup, restore, export, import', async () => {
  const own = makeHome(), copy = join(own, 'copy.db'), lines = join(own, 'people.jsonl');
  const go = (...args) => run(['store', ...args], { home: own });
  assert.equal((await go('backup', copy)).code, 1);
  assert.match((await go('backup', copy)).stderr, /there is no store/);
  await run(['user', 'create', 'ann', '--all-models'], { home: own });
  const p = await startServe({ config: config(), home: own });
  assert.equal((await go('backup', copy)).code, 0);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  assert.ok(!existsSync(`${copy}.part`));
  assert.equal((await go('export', lines)).code, 0);
  assert.equal((await go('export')).stdout, readFileSync(lines, 'utf8'));
  assert.match((await go('migrate')).stdout, /version \d+/);
  for (const [action, file] of [['restore', copy], ['import', lines]]) {
    const held = await go(action, file);
    assert.equal(held.code, 1);
    assert.match(held.stderr, new RegExp(`process ${p.child.pid}`));
  }
  await run(['user', 'create', 'bob'], { home: own });
  p.child.kill('SIGTERM');
  assert.equal(await p.exited, 0);
  const restored = await go('restore', copy);
  assert.equal(restored.code, 0, restored.stderr);
  const former = join(own, 'data', 'maestro', 'maestro.db.before-restore');
  assert.ok(existsSync(former));
  // A log that an earlier one left is not that file's.
  writeFileSync(`${former}-wal`, 'of another');
  rmSync(join(own, 'data', 'maestro', 'maestro.db-wal'), { force: true });
  assert.equal((await go('restore', copy)).code, 0);
  assert.ok(!existsSync(`${former}-wal`) || statSync(`${former}-wal`).size === 0);
  const list = async (h = own) => JSON.parse((await run(['user', 'list', '--json'], { home: h })).stdout).map((u) => u.username);
  assert.deepEqual(await list(), ['ann']);
  assert.equal((await go('import', lines)).code, 1); // ann is there already
  const other = makeHome();
  assert.equal((await run(['store', 'import', lines], { home: other })).code, 0);
  assert.deepEqual(await list(other), ['ann']);
  const audit = async (h) => {
    const q = await startServe({ config: config(), home: h, env: { ADMIN_TOKEN: ADMIN } });
    const { logs } = await (await fetch(`${q.url}/admin/audit-logs`, { headers: { authorization: `Bearer ${ADMIN}` } })).json();
    q.child.kill('SIGTERM'); // stop() would take the home along
    await q.exited;
    return logs.map((l) => [l.action, l.entity_type, l.performed_by, l.details.after.users ?? l.details.after.username]);
  };
  // One row for all of an import, none for one that was refused; a restored store says so itself.
  assert.deepEqual(await audit(other), [['import', 'store', 'command', 1]]);
  assert.deepEqual(await audit(own), [['restore', 'store', 'command', 1], ['create', 'user', 'command', 'ann']]);
  const bad = join(own, 'bad.db');
  writeFileSync(bad, readFileSync(copy).subarray(0, 9000));
  assert.equal((await go('restore', bad)).code, 1);
  writeFileSync(bad, 'no database');
  assert.equal((await go('restore', bad)).code, 1);
  assert.deepEqual(await list(), ['ann']);
  assert.equal((await run(['store', 'nonsense'], { home: own })).code, 2);
});
