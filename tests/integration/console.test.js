// Signing in through a real server: cookies, tokens, CSRF, lock-out, what ends a session, what survives a restart.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startServe, makeHome, run, sleep, KEY, BIN } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
const PASSWORD = 'correct horse battery';
let serve, home;

// Attempts are counted by address, so each test comes from its own.
let calls = 0;
const address = () => `10.7.${++calls >> 8}.${calls & 255}`;
const config = { server: { trustedProxies: ['127.0.0.1'] } };

async function send(method, path, { body, cookie, csrf, origin = serve.url, from = address(), headers = {}, at = serve.url } = {}) {
  const reply = await fetch(at + path, {
    method,
    headers: {
      'content-type': 'application/json', 'x-forwarded-for': from,
      ...(origin ? { origin } : {}), ...(cookie ? { cookie: `maestro_session=${cookie}` } : {}),
      ...(csrf ? { 'x-csrf-token': csrf } : {}), ...headers,
    },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await reply.text();
  const set = reply.headers.get('set-cookie') ?? '';
  return {
    status: reply.status, headers: reply.headers, text, set,
    body: text && /json/.test(reply.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined,
    cookie: /maestro_session=([^;]*)/.exec(set)?.[1],
  };
}
const login = (username, password, more = {}) => send('POST', '/admin/auth/login', { body: { username, password }, ...more });
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` }, origin: null });
const admin = (method, path, body) => send(method, path, { body, ...bearer(ADMIN) });

before(async () => {
  home = makeHome();
  serve = await startServe({ config, env: { ADMIN_TOKEN: ADMIN, ADMIN_USERNAME: 'root', ADMIN_PASSWORD: PASSWORD, MAESTRO_WORKERS: '2' }, home });
});
after(() => serve?.stop());

test('a login gives a cookie that reads, and changes things with its CSRF token', async () => {
  const made = await login('root', PASSWORD);
  assert.equal(made.status, 200, made.text);
  assert.equal(made.body.username, 'root');
  assert.equal(made.body.role, 'admin');
  assert.ok(!('token' in made.body), 'a page gets no token');
  assert.match(made.set, /^maestro_session=[\w-]{40,}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  assert.equal(made.headers.get('cache-control'), 'no-store');
  const { cookie } = made;
  const csrf = made.body.csrf_token;

  const who = await send('GET', '/admin/auth/session', { cookie });
  assert.equal(who.status, 200);
  assert.deepEqual([who.body.username, who.body.role, who.body.is_session, who.body.can_change, who.body.csrf_token],
    ['root', 'admin', true, true, csrf]);
  assert.equal((await send('GET', '/admin/users', { cookie })).status, 200);
  assert.equal((await send('GET', '/api/admin/users', { cookie })).status, 200);
  assert.equal((await send('POST', '/admin/users', { cookie, csrf, body: { username: 'by-cookie' } })).status, 201);
  const log = await send('GET', '/admin/audit-logs?entity_id=by-cookie', { cookie });
  assert.equal(log.body.logs[0].performed_by, 'admin');

  const change = (more) => send('POST', '/admin/users', { cookie, csrf, body: { username: 'never' }, ...more });
  for (const [what, more] of [
    ['no CSRF token', { csrf: null }], ['a wrong one', { csrf: `${csrf.slice(0, -1)}x` }], ['a longer one', { csrf: `${csrf}x` }],
    ['no origin', { origin: null }], ['a foreign origin', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:1' }], ['null', { origin: 'null' }],
    ['another scheme', { origin: serve.url.replace('http:', 'ftp:') }],
    ['another site', { origin: null, headers: { 'sec-fetch-site': 'cross-site' } }],
    ['the same site', { origin: null, headers: { 'sec-fetch-site': 'same-site' } }],
  ]) assert.equal((await change(more)).status, 403, what);
  assert.equal((await admin('GET', '/admin/users/never')).status, 404);

  // A cookie opens the administration and nothing else.
  assert.equal((await send('GET', '/v1/models', { cookie, origin: null })).status, 401);
  assert.equal((await send('GET', '/healthz', { cookie, origin: null })).body.providers, undefined);
});

test('a script gets a token, which needs no CSRF token, and ends with its session', async () => {
  const made = await login('root', PASSWORD, { origin: null });
  assert.equal(made.status, 200);
  assert.match(made.body.token, /^mb_/);
  assert.notEqual(made.body.token, ADMIN);
  assert.equal((await send('POST', '/admin/users', { ...bearer(made.body.token), body: { username: 'by-token' } })).status, 201);
  assert.equal((await send('GET', '/v1/models', bearer(made.body.token))).status, 403, 'models are for keys and users\' tokens');
  assert.equal((await send('GET', '/admin/users', { cookie: made.body.token, origin: null })).status, 401, 'no cookie');
  assert.equal((await send('GET', '/admin/users', bearer(made.cookie))).status, 403, 'no token');
  assert.equal((await send('POST', '/admin/auth/logout', bearer(made.body.token))).status, 204);
  assert.equal((await send('GET', '/admin/users', bearer(made.body.token))).status, 403);
  assert.equal((await send('GET', '/admin/users', { cookie: made.cookie })).status, 401);
});

test('a logout ends the session at once, on every worker, and only with its CSRF token', async () => {
  const { cookie, body } = await login('root', PASSWORD);
  assert.equal((await send('POST', '/admin/auth/logout', { cookie })).status, 403);
  const out = await send('POST', '/admin/auth/logout', { cookie, csrf: body.csrf_token });
  assert.equal(out.status, 204);
  assert.match(out.set, /^maestro_session=; .*Max-Age=0/);
  for (let i = 0; i < 10; i++) assert.equal((await send('GET', '/admin/users', { cookie })).status, 401);
  assert.equal((await send('POST', '/admin/auth/logout', { cookie, csrf: body.csrf_token })).status, 401);
  assert.equal((await admin('POST', '/admin/auth/logout')).status, 401, 'the admin token is no session');
});

test('a login takes over no session, and ends the one that the browser had', async () => {
  const planted = 'ms_' + 'A'.repeat(43);
  const made = await login('root', PASSWORD, { cookie: planted });
  assert.notEqual(made.cookie, planted);
  assert.equal((await send('GET', '/admin/users', { cookie: planted })).status, 401);
  const next = await login('root', PASSWORD, { cookie: made.cookie });
  assert.notEqual(next.cookie, made.cookie);
  assert.equal((await send('GET', '/admin/users', { cookie: made.cookie })).status, 401);
  assert.equal((await send('GET', '/admin/users', { cookie: next.cookie })).status, 200);
});

test('who signs in with the old password while it changes is not let in', async () => {
  for (let round = 0; round < 4; round++) {
    const old = `the old phrase ${round}`, name = `rae${round}`; // an account of its own: failures lock one
    const set = (password) => admin('PUT', `/admin/users/${name}/password`, { password });
    await admin('POST', '/admin/users', { username: name, role: 'viewer' });
    await set(old);
    const logins = [0, 1, 2].map((i) => sleep(i * 40).then(() => login(name, old)));
    await sleep(15 + round * 25);
    assert.equal((await set(`the new phrase ${round}`)).status, 204);
    for (const made of await Promise.all(logins)) {
      assert.ok(made.status === 200 || made.status === 401, made.text);
      if (made.cookie) assert.equal((await send('GET', '/admin/users', { cookie: made.cookie })).status, 401, `round ${round}`);
    }
    const now = await login(name, `the new phrase ${round}`);
    assert.equal((await send('GET', '/admin/users', { cookie: now.cookie })).status, 200);
  }
});

test('a user with a role and a password signs in, and what ends that', async () => {
  const make = (username, role) => admin('POST', '/admin/users', { username, role });
  const set = (username, password) => admin('PUT', `/admin/users/${username}/password`, { password });
  assert.equal((await make('vera', 'viewer')).body.has_password, false);
  assert.equal((await login('vera', 'no password yet')).status, 401);
  const secret = 'a long enough phrase';
  const done = await set('vera', secret);
  assert.equal(done.status, 204, done.text);
  const vera = await login('vera', secret);
  assert.deepEqual([vera.status, vera.body.username, vera.body.role], [200, 'vera', 'viewer']);
  const who = await send('GET', '/admin/auth/session', { cookie: vera.cookie });
  assert.deepEqual([who.body.username, who.body.role, who.body.can_change], ['vera', 'viewer', false]);
  const csrf = vera.body.csrf_token;
  assert.equal((await send('POST', '/admin/users', { cookie: vera.cookie, csrf, body: { username: 'no' } })).status, 403);
  assert.equal((await login('vera', `${secret} `)).status, 401);

  const read = (cookie) => send('GET', '/admin/users', { cookie }).then((r) => r.status);
  const again = async () => (await login('vera', secret)).cookie;
  const ends = async (what, change) => {
    const cookie = await again();
    assert.equal(await read(cookie), 200, what);
    const reply = await change();
    assert.ok(reply.status < 300, `${what}: ${reply.text}`);
    for (let i = 0; i < 8; i++) assert.equal(await read(cookie), 401, what);
    return cookie;
  };
  await ends('another role', () => admin('PATCH', '/admin/users/vera', { role: 'operator' }));
  await ends('the same password anew', () => set('vera', secret));
  const before_ = await ends('switched off', () => admin('POST', '/admin/users/vera/deactivate'));
  assert.equal((await login('vera', secret)).status, 401);
  await admin('POST', '/admin/users/vera/activate');
  assert.equal(await read(before_), 401, 'a session does not come back');
  const kept = await again();
  await admin('POST', '/admin/users/vera/models', { models: ['x'] });
  assert.equal(await read(kept), 200, 'another change leaves sessions alone');
  await ends('no password', () => admin('DELETE', '/admin/users/vera/password'));
  assert.equal((await login('vera', secret)).status, 401);
  await set('vera', secret);
  await ends('deleted', () => admin('DELETE', '/admin/users/vera'));
  assert.equal((await make('vera', 'viewer')).body.has_password, false);
  assert.equal((await login('vera', secret)).status, 401);

  await make('uma', 'user');
  assert.equal((await set('uma', secret)).status, 409);
  for (const [body, param] of [[{}, 'password'], [{ password: 7 }, 'password'], [{ password: 'short' }, 'password'],
    [{ password: 'x'.repeat(1025) }, 'password'], [{ password: secret, role: 'admin' }, 'role']]) {
    const bad = await admin('PUT', '/admin/users/uma/password', body);
    assert.deepEqual([bad.status, bad.body.error.param], [422, param]);
  }
  assert.equal((await set('nobody', secret)).status, 404);
  const log = (await admin('GET', '/admin/audit-logs?entity_id=vera&action=password_set')).body;
  assert.equal(log.total, 3);
  assert.ok(!/argon2|phrase/.test(JSON.stringify(log)));
  assert.ok(!(await admin('GET', '/admin/users/uma')).text.includes('argon2'));
  const out = await run(['store', 'export'], { home });
  assert.ok(!out.stdout.includes('argon2'), 'an export has no passwords');
});

test('more logins at once than the queue takes are told to come back', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => login(`queue-${i}`, 'not it')));
  const count = (status) => all.filter((r) => r.status === status).length;
  assert.equal(count(401) + count(429), 40);
  assert.ok(count(401) >= 17 && count(429) > 0, `${count(429)} were told`);
  assert.ok(all.filter((r) => r.status === 429).every((r) => Number(r.headers.get('retry-after')) > 0));
});

test('malformed cookies are nobody, and another good one beside them counts', async () => {
  const { cookie } = await login('root', PASSWORD);
  const get = (value) => fetch(`${serve.url}/admin/users`, { headers: { cookie: value } }).then((r) => r.status);
  for (const bad of ['maestro_session', 'maestro_session=', 'maestro_session=;', `maestro_session=${cookie}x`,
    `maestro_session="${cookie}"`, `Maestro_Session=${cookie}`, `xmaestro_session=${cookie}`, `maestro_session=${cookie.slice(0, -1)}`,
    `maestro_session=${'a'.repeat(9000)}`, "maestro_session=' OR 1=1 --", ';;;=;=', `maestro_session=${cookie.toUpperCase()}`]) {
    assert.equal(await get(bad), 401, bad.slice(0, 60));
  }
  assert.equal(await get(`a=b; maestro_session=stale; maestro_session=${cookie} ; c=d`), 200);
});

test('what is no login says so, and nothing of it is repeated', async () => {
  const rows = [
    ['', 422], ['{', 400], ['[]', 422], ['{}', 422], [{ username: 'root' }, 422], [{ username: 7, password: 'x' }, 422],
    [{ username: 'root', password: null }, 422], [{ username: '', password: 'x' }, 422], [{ username: 'root', password: '' }, 422],
    [{ username: 'x'.repeat(129), password: 'x' }, 422], [{ username: 'root', password: 'x'.repeat(1025) }, 422],
    ['{"username":"root","username":"root","password":"x"}', 422], [{ username: 'root', password: 'x', pad: 'y'.repeat(9000) }, 413],
    [{ username: 'root', password: 'hunter2-wrong' }, 401], [{ username: "root' OR '1'='1", password: PASSWORD }, 401],
    [{ username: 'ROOT', password: PASSWORD }, 401], [{ username: 'root\u0000', password: PASSWORD }, 401],
    [{ username: 'root\r\nSet-Cookie: maestro_session=x', password: PASSWORD }, 401],
  ];
  for (const [body, want] of rows) {
    const reply = await send('POST', '/admin/auth/login', { body });
    assert.equal(reply.status, want, `${JSON.stringify(body).slice(0, 80)}: ${reply.text}`);
    assert.equal(typeof reply.body.detail, 'string');
    assert.equal(reply.set, '');
    assert.ok(!reply.text.includes('hunter2'));
  }
  assert.equal((await login('root', 'no')).body.error.code, 'invalid_login');
  assert.equal((await login('root', PASSWORD, { origin: 'http://evil.example' })).status, 403);
  const form = await send('POST', '/admin/auth/login', {
    body: 'username=root&password=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  assert.equal(form.status, 415);
  assert.equal((await send('GET', '/admin/auth/login')).status, 405);
  assert.ok(!serve.output.includes(PASSWORD) && !serve.output.includes('hunter2'), 'no password in the log');
});

test('wrong passwords lock the address out, and the account for strangers', async () => {
  const from = address();
  for (let i = 0; i < 5; i++) assert.equal((await login(`nobody-${i}`, 'x', { from })).status, 401);
  const wait = await login('nobody-9', 'x', { from });
  assert.equal(wait.status, 429);
  const seconds = Number(wait.headers.get('retry-after'));
  assert.ok(seconds > 30 && seconds <= 60, `${seconds}`);
  assert.equal((await login('root', PASSWORD, { from })).status, 429, 'also with the right password');
  // The account, from many addresses. Who has been there before still comes in.
  const own = address();
  assert.equal((await login('root', PASSWORD, { from: own })).status, 200);
  const tries = [];
  for (let i = 0; i < 12; i++) tries.push((await login('root', 'x')).status);
  assert.ok(tries.includes(401) && tries.at(-1) === 429, tries.join());
  assert.equal((await login('root', PASSWORD)).status, 429, 'from an unknown address');
  assert.equal((await login('root', PASSWORD, { from: own })).status, 200);
});

test('lists come in pages, each of which names the next', async () => {
  const follow = async (first, key) => {
    const seen = [];
    for (let path = first, pages = 0; path; pages++) {
      assert.ok(pages < 100);
      const page = await admin('GET', path);
      assert.equal(page.status, 200, page.text);
      seen.push(...key(page.body));
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    return seen;
  };
  const names = ['p1', 'p 2', 'p&3=x', 'p?4', 'pé5', 'p%256', 'p<7>"'];
  for (const username of names) assert.equal((await admin('POST', '/admin/users', { username })).status, 201);
  const all = (await admin('GET', '/admin/users')).body.map((u) => u.username);
  assert.ok(names.every((n) => all.includes(n)));
  for (const limit of [1, 2, 3, all.length, all.length + 1]) {
    assert.deepEqual(await follow(`/admin/users?limit=${limit}`, (b) => b.map((u) => u.username)), all, `limit ${limit}`);
  }
  const whole = (await admin('GET', '/admin/audit-logs?limit=200&action=create')).body.logs.map((l) => l.id);
  assert.deepEqual(await follow('/admin/audit-logs?limit=3&action=create', (b) => b.logs.map((l) => l.id)), whole);
  // What comes meanwhile shifts nothing.
  const first = await admin('GET', '/admin/audit-logs?limit=2&action=create');
  await admin('POST', '/admin/users', { username: 'meanwhile' });
  const [, next] = /<([^>]+)>/.exec(first.headers.get('link'));
  assert.deepEqual((await admin('GET', next)).body.logs.map((l) => l.id), whole.slice(2, 4));
  // What goes meanwhile loses nothing either: the last of a page least of all.
  for (const [kind, list, name] of [['users', 'username', 'p1'], ['teams', 'name', 'q1']]) {
    if (kind === 'teams') for (const n of ['q1', 'q2', 'q3']) assert.equal((await admin('POST', '/admin/teams', { name: n })).status, 201);
    const before = (await admin('GET', `/admin/${kind}`)).body.map((x) => x[list]), at = before.indexOf(name);
    const page = await admin('GET', `/admin/${kind}?limit=${at + 1}`);
    const rest = /<([^>]+)>/.exec(page.headers.get('link'))[1];
    assert.ok((await admin('DELETE', `/admin/${kind}/${name}`)).status < 300, kind);
    assert.equal(page.body.at(-1)[list], name);
    assert.deepEqual((await admin('GET', rest.replace(/limit=\d+/, 'limit=2'))).body.map((x) => x[list]), before.slice(at + 1, at + 3), kind);
  }
  assert.deepEqual((await admin('GET', '/admin/model-limits?after=none/such')).body, []);
  for (const path of ['/admin/users?after=nobody-here', '/admin/users?after=%2Fx', '/admin/teams?after=nobody-here', '/admin/audit-logs?after=x', '/admin/audit-logs?after=0']) {
    assert.deepEqual([(await admin('GET', path)).status, (await admin('GET', path)).body.error.param], [422, 'after'], path);
  }
});

test('who is no trusted proxy says nothing about addresses', async () => {
  const p = await startServe({ home: makeHome(), key: null, env: { ADMIN_TOKEN: ADMIN, ADMIN_PASSWORD: PASSWORD } });
  const tries = [];
  for (let i = 0; i < 7; i++) tries.push((await login(`n-${i}`, 'x', { at: p.url, origin: p.url })).status);
  assert.deepEqual(tries, [401, 401, 401, 401, 401, 429, 429]);
  await send('POST', '/admin/users', { at: p.url, body: { username: 'seen' }, ...bearer(ADMIN) });
  const log = await send('GET', '/admin/audit-logs?entity_id=seen', { at: p.url, ...bearer(ADMIN) });
  assert.equal(log.body.logs[0].admin_ip, '127.0.0.1');
  await p.stop();
  // The last address that no trusted proxy has is the client's; what a client writes before it is not.
  const named = await send('POST', '/admin/users', { body: { username: 'proxied' }, ...bearer(ADMIN), from: '1.2.3.4, 203.0.113.7' });
  assert.equal(named.status, 201);
  const row = (await admin('GET', '/admin/audit-logs?entity_id=proxied')).body.logs[0];
  assert.equal(row.admin_ip, '203.0.113.7');
});

test('without a configured password one lies in the data directory; sessions survive a restart but not a new password', async () => {
  const own = makeHome();
  let p = await startServe({ config, home: own, key: null });
  const file = join(own, 'data', 'maestro', 'admin.password');
  assert.equal((await p.waitFor(/password is in (\S+)/))[1], file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const password = readFileSync(file, 'utf8');
  assert.ok(password.length >= 20 && !p.output.includes(password));
  assert.equal((await login('admin', 'admin', { at: p.url, origin: p.url })).status, 401);
  const made = await login('admin', password, { at: p.url, origin: p.url });
  assert.equal(made.status, 200, made.text);
  const read = (cookie, at) => send('GET', '/admin/audit-logs', { cookie, at, origin: null }).then((r) => r.status);
  assert.equal(await read(made.cookie, p.url), 200);
  const database = ['maestro.db', 'maestro.db-wal'].map((f) => readFileSync(join(own, 'data', 'maestro', f), 'latin1')).join('');
  for (const secret of [made.cookie, password, made.body.csrf_token]) assert.ok(!database.includes(secret));
  p.child.kill('SIGKILL');
  await p.exited;
  p = await startServe({ config, home: own, key: null });
  assert.equal(readFileSync(file, 'utf8'), password);
  assert.equal(await read(made.cookie, p.url), 200);
  const copy = join(own, 'copy.db');
  assert.equal((await run(['store', 'backup', copy], { home: own })).code, 0);
  p.child.kill('SIGTERM');
  await p.exited;
  p = await startServe({ config, home: own, key: null, env: { ADMIN_PASSWORD: 'another one altogether' } });
  assert.equal(await read(made.cookie, p.url), 401);
  p.child.kill('SIGTERM');
  await p.exited;
  // What was signed out meanwhile does not come back with a backup.
  const restored = await run(['store', 'restore', copy], { home: own });
  assert.equal(restored.code, 0, restored.stderr);
  p = await startServe({ config, home: own, key: null });
  assert.equal(await read(made.cookie, p.url), 401);
  await p.stop();
});
