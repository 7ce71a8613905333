// Every endpoint of the administration, tried as everybody there is, against roles.txt; and the API's description itself.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startMock, startServe } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
const PASSWORD = 'correct horse battery';
const METRICS = 'metrics-token-of-the-tests';
const KEYS = ['sk-maestro-first-0123456789', 'sk-maestro-other-0123456789'];
let mock, serve, bare;

// Wrong credentials are counted by address.
let calls = 0;
const address = () => `10.8.${++calls >> 8}.${calls & 255}`;

// { endpoints: [{method, pattern, rights}], rights: { open: { nobody: 'in', … } } }
function readTable() {
  const table = { endpoints: [], rights: {} };
  let names;
  for (const line of readFileSync(new URL('roles.txt', import.meta.url), 'utf8').split('\n')) {
    const words = line.replace(/^#\s+(?=nobody )/, 'names names ').split(/\s+/).filter(Boolean);
    if (words[0] === 'names') names = words.slice(2);
    else if (words[0] === 'rights') {
      assert.equal(words.length - 2, names.length, line);
      table.rights[words[1]] = Object.fromEntries(names.map((n, i) => [n, words[i + 2]]));
    } else if (words.length && !line.startsWith('#')) {
      assert.equal(words.length, 3, line);
      const pattern = words[1].replace(/[.]/g, '\\.').replace(/\*\*/g, '\u0001').replace(/\*/g, '[^/]+').replace(/\u0001/g, '.+');
      assert.ok(table.rights[words[2]], line);
      table.endpoints.push({ method: words[0], pattern: new RegExp(`^${pattern}$`), rights: words[2] });
    }
  }
  return table;
}

async function send(at, method, path, headers = {}, body) {
  const reply = await fetch(at + path, { method, headers: { 'x-forwarded-for': address(), ...headers }, body, redirect: 'manual' });
  return { status: reply.status, headers: reply.headers, text: await reply.text() };
}
const bearer = (token) => ({ authorization: `Bearer ${token}` });

async function makeCallers() {
  const post = (method, path, body) => send(serve.url, method, path, { ...bearer(ADMIN), 'content-type': 'application/json' }, JSON.stringify(body));
  const signIn = async (username) => {
    const reply = await send(serve.url, 'POST', '/admin/auth/login', { 'content-type': 'application/json', origin: serve.url },
      JSON.stringify({ username, password: PASSWORD }));
    assert.equal(reply.status, 200, reply.text);
    return {
      cookie: reply.headers.get('set-cookie').split(';')[0], origin: serve.url, 'x-csrf-token': JSON.parse(reply.text).csrf_token,
    };
  };
  const callers = {
    nobody: {}, wrong: bearer('not-a-credential'), first: bearer(KEYS[0]), other: bearer(KEYS[1]), token: bearer(ADMIN),
    docs: { authorization: `Basic ${Buffer.from('reader:docs password').toString('base64')}` }, metrics: bearer(METRICS),
    's:root': await signIn('root'),
  };
  for (const role of ['user', 'viewer', 'operator', 'admin']) {
    const made = await post('POST', '/admin/users', { username: `a-${role}`, role });
    callers[role] = bearer(JSON.parse(made.text).token);
    if (role === 'user') continue;
    assert.equal((await post('PUT', `/admin/users/a-${role}/password`, { password: PASSWORD })).status, 204);
    callers[`s:${role}`] = await signIn(`a-${role}`);
  }
  return callers;
}

const description = async () => JSON.parse((await send(serve.url, 'GET', '/api/openapi.json', bearer(ADMIN))).text);
const operations = (doc) => Object.entries(doc.paths)
  .flatMap(([path, item]) => Object.entries(item).map(([method, op]) => ({ method: method.toUpperCase(), path, op })));
const isAdmin = (path) => /^\/(api\/)?admin\/|^\/api\/(docs|redoc|openapi|pull|push|create|copy|delete)/.test(path);

before(async () => {
  mock = await startMock();
  const config = { server: { trustedProxies: ['127.0.0.1'] }, providers: {
    up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-1',
      models: { alpha: { contextWindow: 1000, maxOutput: 100 }, beta: {} } } } };
  serve = await startServe({ config, key: null, env: {
    MAESTRO_API_KEYS: KEYS.join(), ADMIN_TOKEN: ADMIN, ADMIN_USERNAME: 'root', ADMIN_PASSWORD: PASSWORD,
    DOCS_USERNAME: 'reader', DOCS_PASSWORD: 'docs password', MAESTRO_METRICS_TOKEN: METRICS },
    files: { 'priorities.json': '{ "priorities": ["up/beta"], // by hand\n "guards": { "leak_guard": { "enabled": true } }, "thinking": {} }' } });
  bare = await startServe({ config, key: null });
});
after(async () => {
  await serve?.stop();
  await bare?.stop();
  await mock?.stop();
});

test('every endpoint of the administration, as everybody', async () => {
  const table = readTable();
  const callers = await makeCallers();
  const all = operations(await description()).filter(({ path }) => isAdmin(path));
  assert.ok(all.length > 60, `${all.length} endpoints`);
  // Signing out ends the session that tried it, so it comes last.
  all.sort((a, b) => a.path.endsWith('/logout') - b.path.endsWith('/logout'));
  const wrong = [];
  for (const { method, path } of all) {
    const row = table.endpoints.find((e) => (e.method === method || e.method === 'ANY') && e.pattern.test(path));
    assert.ok(row, `roles.txt has no line for ${method} ${path}`);
    // Names that nobody has: who is let in finds nothing, and what has no name gets a body that says nothing.
    const target = path.replace(/\{[^}]+\}/g, 'no-such-thing');
    await Promise.all(Object.entries(table.rights[row.rights]).map(async ([who, want]) => {
      const headers = { ...(callers[who] ?? {}), ...(method === 'GET' ? {} : { 'content-type': 'application/json' }) };
      const body = method === 'GET' ? undefined : '{}';
      // A call is local only without a header that a proxy adds.
      const { status } = who === 'local' ? await fetch(bare.url + target, { method, headers, body })
        : await send(serve.url, method, target, headers, body);
      const got = status === 401 || status === 403 ? `${status}` : 'in';
      const isOut = path.endsWith('/logout') && want === 'in' && !who.startsWith('s:'); // "there is no session to end"
      if (got !== (isOut ? '401' : want) || status >= 500) wrong.push(`${method} ${path} as ${who}: ${status}, not ${want}`);
    }));
  }
  assert.deepEqual(wrong, []);
});

test('errors of the administration have their code, path and detail', async () => {
  for (const { method, path, op } of operations(await description())) {
    if (!/^\/(api\/)?admin\//.test(path)) continue;
    const reply = await send(serve.url, method, path.replace(/\{[^}]+\}/g, 'x'));
    if (path === '/admin/auth/login') continue;
    assert.equal(reply.status, 401, `${method} ${path}`);
    const body = JSON.parse(reply.text);
    assert.ok(body.error.code && body.error.message && typeof body.detail === 'string', `${method} ${path}`);
    assert.ok(op.responses['401'] && op.responses['403'], `${method} ${path} is described with them`);
  }
  for (const path of ['/admin/no/such/path', '/api/admin/no/such']) {
    const reply = await send(serve.url, 'GET', path, bearer(ADMIN));
    assert.equal(reply.status, 404);
    assert.equal(typeof JSON.parse(reply.text).detail, 'string');
  }
});

// What every member of every body gets: none of it may be more than refused, or taken as the text that it is.
const HOSTILE = [
  null, true, -1, 1e308, 9007199254740993, {}, [[]], { a: { b: [1] } }, '', 'x'.repeat(5000), "x'); DROP TABLE users;-- ' OR '1'='1",
  'a\u0000b', 'a\r\nX-Injected: 1', '../../etc/passwd', '\ud800', ['a\r\nX-Injected: 1'],
];

test('every member of every body: hostile values are refused by name or taken as text, and break nothing', async () => {
  const doc = await description();
  const before_ = (await send(serve.url, 'GET', '/admin/users/a-viewer', bearer(ADMIN))).text;
  const wrong = [];
  let tried = 0;
  for (const { method, path, op } of operations(doc)) {
    const schema = op.requestBody?.content['application/json'].schema;
    if (!path.startsWith('/admin/') || !schema?.properties) continue;
    const target = path.replace(/\{[^}]+\}/g, 'no-such-thing');
    for (const key of Object.keys(schema.properties)) {
      await Promise.all(HOSTILE.map(async (value) => {
        const reply = await send(serve.url, method, target, { ...bearer(ADMIN), 'content-type': 'application/json' }, JSON.stringify({ [key]: value }));
        const what = `${method} ${path} {"${key}": ${JSON.stringify(value).slice(0, 40)}}: ${reply.status} ${reply.text.slice(0, 200)}`;
        tried++;
        if (![200, 201, 204, 400, 404, 409, 422].includes(reply.status)) wrong.push(what);
        if (reply.headers.get('x-injected')) wrong.push(`injected: ${what}`);
        if (reply.status < 400) return;
        const body = JSON.parse(reply.text);
        if (typeof body.detail !== 'string' || !body.error?.code) wrong.push(`no detail: ${what}`);
        if (reply.status === 422 && !body.error.param) wrong.push(`no path: ${what}`);
      }));
    }
    for (const body of ['[]', '"x"', 'null', '7', '{"a":1,"a":2}', '{"no_such_member":1}', '{', '\u0000', `{"x":${'['.repeat(500)}${']'.repeat(500)}}`]) {
      const reply = await send(serve.url, method, target, { ...bearer(ADMIN), 'content-type': 'application/json' }, body);
      if (reply.status !== 400 && reply.status !== 422) wrong.push(`${method} ${path} ${body.slice(0, 30)}: ${reply.status}`);
    }
  }
  assert.deepEqual(wrong.slice(0, 30), [], `${wrong.length} of ${tried}`);
  assert.ok(tried > 500, `${tried}`);
  assert.equal((await send(serve.url, 'GET', '/admin/users/a-viewer', bearer(ADMIN))).text, before_);
});

test('the description is valid OpenAPI 3.1 and says what is served', async () => {
  const doc = await description();
  const result = await new Validator().validate(structuredClone(doc));
  assert.ok(result.valid, JSON.stringify(result.errors)?.slice(0, 2000));
  assert.equal(doc.openapi, '3.1.0');
  const bodies = operations(doc).flatMap(({ op }) => op.requestBody?.content['application/json'].schema ?? []);
  const schemas = new Ajv2020();
  for (const schema of [...Object.values(doc.components.schemas), ...bodies]) assert.ok(schemas.validateSchema(schema), JSON.stringify(schemas.errors));
  const all = operations(doc);
  assert.equal(new Set(all.map(({ op }) => op.operationId)).size, all.length);
  for (const { method, path, op } of all) {
    assert.ok(op.summary && op.summary !== path && op.tags.length === 1, `${method} ${path}`);
    const names = [...path.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]);
    assert.deepEqual(op.parameters.filter((p) => p.in === 'path').map((p) => p.name), names, path);
    // What is described is routed: another method there is refused as such, the path is not unknown.
    const reply = await send(serve.url, 'OPTIONS', path.replace(/\{[^}]+\}/g, 'x'));
    assert.ok(reply.headers.get('allow')?.includes(method), `${method} ${path}: ${reply.headers.get('allow')}`);
  }
  for (const path of ['/v1/chat/completions', '/v1/messages', '/v1beta/models/{model}:generateContent', '/api/chat', '/v1/responses']) {
    assert.match(doc.paths[path].post.externalDocs.url, /^https:\/\//, path);
  }
  const create = doc.paths['/admin/users'].post;
  const schema = create.requestBody.content['application/json'].schema;
  assert.deepEqual(schema.required, ['username']);
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(schema.properties.role.enum, ['user', 'viewer', 'operator', 'admin']);
  assert.ok(create.responses['201'] && create.responses['409'] && create.responses['422']);
  const list = doc.paths['/admin/users'].get.responses['200'];
  assert.deepEqual(list.content['application/json'].schema, { type: 'array', items: { $ref: '#/components/schemas/User' } });
  assert.deepEqual(Object.keys(list.headers), ['ETag', 'Link']);
  const { properties, required } = doc.components.schemas.User;
  assert.deepEqual([properties.created_at.format, properties.team.type, required.includes('token')], ['date-time', ['string', 'null'], false]);
  assert.deepEqual(doc.components.schemas.Request.properties.duration_ms['x-unit'], 'ms');
  assert.deepEqual(Object.keys(doc.paths['/admin/dashboard/requests-log/export'].get.responses['200'].content), ['text/csv', 'application/x-ndjson']);
  assert.deepEqual(Object.keys(doc.components.responses.ChatCompletion.content), ['application/json', 'text/event-stream']);
  // Every reference leads somewhere, and no operation is without a word about its answer.
  const names = new Set(Object.entries(doc.components).flatMap(([folder, all_]) => Object.keys(all_).map((n) => `#/components/${folder}/${n}`)));
  for (const [, ref] of JSON.stringify(doc).matchAll(/"\$ref":"([^"]+)"/g)) assert.ok(names.has(ref), ref);
  const silent = (r) => !r.$ref && !r.content && r.description !== 'done';
  assert.deepEqual(all.filter(({ op }) => Object.values(op.responses).some(silent)).map(({ path }) => path), []);
  assert.deepEqual(doc.paths['/admin/users'].get['x-callers'], ['local', 'viewer', 'operator', 'admin']);
  const tag = await send(serve.url, 'GET', '/api/openapi.json', bearer(ADMIN));
  assert.equal((await send(serve.url, 'GET', '/api/openapi.json', { ...bearer(ADMIN), 'if-none-match': tag.headers.get('etag') })).status, 304);
});

test('what router-maestro\'s users read', async () => {
  const get = async (path) => JSON.parse((await send(serve.url, 'GET', `/api/admin/${path}`, bearer(KEYS[1]))).text);
  const { models } = await get('models');
  assert.deepEqual(models.map((m) => m.id), ['up/beta', 'up/alpha']);
  assert.deepEqual(models[1], { provider: 'up', id: 'up/alpha', name: 'alpha', max_prompt_tokens: 900, max_output_tokens: 100,
    max_context_window_tokens: 1000, operation_capabilities: { chat: true, chat_stream: true, responses: false,
      responses_stream: false, native_anthropic: false } });
  assert.equal(models[0].max_context_window_tokens, null);
  const auth = await get('auth');
  assert.deepEqual(auth, { providers: [{ provider: 'up', auth_type: 'api', status: 'active' }] });
  assert.equal((await get('auth/providers')).providers[0].provider, 'up');
  const priorities = await get('priorities');
  assert.deepEqual(priorities.priorities, ['up/beta']);
  assert.deepEqual(priorities.fallback, { strategy: 'priority', maxRetries: 2 });
  assert.match(priorities.revision, /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify([auth, priorities, models]).includes('sk-1'));
});

test('priorities: replaced where the revision is the one that was read, kept in their file, in force at once', async () => {
  const path = '/api/admin/priorities';
  const change = (body, method = 'PATCH', at = serve.url, token = KEYS[0]) =>
    send(at, method, path, { ...bearer(token), 'content-type': 'application/json' }, JSON.stringify(body));
  const was = JSON.parse((await send(serve.url, 'GET', path, bearer(KEYS[0]))).text);
  const done = await change({ ...was, priorities: ['up/alpha', 'up/beta'], fallback: { strategy: 'none', maxRetries: 1 } });
  assert.equal(done.status, 200, done.text);
  const now = JSON.parse(done.text);
  assert.deepEqual([now.priorities, now.fallback], [['up/alpha', 'up/beta'], { strategy: 'none', maxRetries: 1 }]);
  assert.notEqual(now.revision, was.revision);
  const { models } = JSON.parse((await send(serve.url, 'GET', '/api/admin/models', bearer(KEYS[0]))).text);
  assert.deepEqual(models.map((m) => m.id), ['up/alpha', 'up/beta']);
  const file = JSON.parse(readFileSync(serve.configPath.replace('maestro.json', 'priorities.json'), 'utf8'));
  assert.deepEqual(file, { priorities: ['up/alpha', 'up/beta'], fallback: { strategy: 'none', maxRetries: 1 },
    guards: { leak_guard: { enabled: true } }, thinking: {} });
  const stale = await change({ ...was, priorities: [] });
  assert.deepEqual([stale.status, JSON.parse(stale.text).error.code], [409, 'config_revision_conflict']);
  assert.match(stale.text, new RegExp(now.revision));
  assert.equal(JSON.parse(stale.text).detail.code, 'config_revision_conflict');
  assert.equal(JSON.parse(stale.text).detail.current_revision, now.revision);
  assert.deepEqual([done, stale].map((r) => r.headers.get('etag')), [`"${now.revision}"`, `"${now.revision}"`]);
  const unchanged = await send(serve.url, 'GET', path, { ...bearer(KEYS[0]), 'if-none-match': `"${now.revision}"` });
  assert.equal(unchanged.status, 304);
  const { revision } = now;
  for (const [body, param] of [[{ priorities: [] }, 'revision'], [{ revision }, 'priorities'], [{ revision, priorities: 'x' }, 'priorities'],
    [{ revision, priorities: ['up/alpha', 'nothing'] }, 'priorities[1]'], [{ revision, priorities: ['a/b', 'a/b'] }, 'priorities[1]'],
    [{ revision, priorities: [], fallback: { strategy: 'x', maxRetries: 1 } }, 'fallback.strategy'],
    [{ revision, priorities: [], fallback: { strategy: 'none', maxRetries: 11 } }, 'fallback.maxRetries'],
    [{ revision, priorities: [], fallback: { strategy: 'none' } }, 'fallback.maxRetries'], [{ revision, priorities: [], more: 1 }, 'more']]) {
    const bad = await change(body);
    assert.deepEqual([bad.status, JSON.parse(bad.text).error.param], [422, param], bad.text);
  }
  const audit = JSON.parse((await send(serve.url, 'GET', '/admin/audit-logs?action=priorities_set', bearer(ADMIN))).text);
  assert.equal(audit.total, 1);
  assert.deepEqual(audit.logs[0].details.before.priorities, ['up/beta']);
  assert.deepEqual(audit.logs[0].details.after.priorities, ['up/alpha', 'up/beta']);
  // Of many who read the same, one changes it.
  let { revision: current } = now;
  for (let round = 0; round < 6; round++) {
    const list = round % 2 ? ['up/alpha', 'up/beta'] : ['up/beta', 'up/alpha'];
    const replies = await Promise.all(Array.from({ length: 30 }, () => change({ revision: current, priorities: list, fallback: now.fallback })));
    const won = replies.filter((r) => r.status === 200);
    assert.deepEqual([won.length, replies.filter((r) => r.status === 409).length], [1, 29]);
    current = JSON.parse(won[0].text).revision;
  }
  const back = await change({ revision: current, priorities: ['up/beta'], fallback: was.fallback }, 'PUT');
  assert.equal(JSON.parse(back.text).revision, was.revision);
});

test('the pages for people: a login, no foreign byte, every endpoint', async () => {
  const basic = { authorization: `Basic ${Buffer.from('reader:docs password').toString('base64')}` };
  for (const path of ['/api/docs', '/api/redoc']) {
    const asked = await send(serve.url, 'GET', path, { accept: 'text/html,*/*' });
    assert.equal(asked.status, 401);
    assert.match(asked.headers.get('www-authenticate'), /^Basic realm=/);
    assert.match(asked.text, /<form id="login">/);
    assert.ok(!asked.text.includes('/admin/users'));
    assert.ok(!(await send(bare.url, 'GET', path, { accept: 'text/html' })).headers.get('www-authenticate')?.includes('Basic'));
    const page = await send(serve.url, 'GET', path, basic);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    assert.equal(page.headers.get('content-security-policy'),
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    assert.ok(!/<script(?! src="\/api\/docs\/docs\.js" defer>)|<style|style=| on\w+=/.test(page.text), 'nothing inline');
    for (const [, url] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      assert.match(url, /^(\/api\/|#|https:\/\/(platform\.openai|docs\.anthropic|ai\.google|github)\.)/, url);
    }
    for (const { path: route } of operations(await description())) {
      assert.ok(page.text.includes(`<code>${route}</code>`) || route.startsWith('/api/admin/'), route);
    }
    for (const [, name] of page.text.matchAll(/href="#answer-([^"]+)"/g)) assert.ok(page.text.includes(`id="answer-${name}"`), name);
    assert.match(page.text, /200: list of <a href="#answer-User">User</);
    assert.match(page.text, /<code>tokens<\/code><\/td><td>list of <a href="#answer-UserToken">/);
  }
  for (const [asset, type] of [['docs.css', 'text/css'], ['docs.js', 'text/javascript']]) {
    const reply = await send(serve.url, 'GET', `/api/docs/${asset}`);
    assert.equal(reply.status, 200);
    assert.ok(reply.headers.get('content-type').startsWith(type) && reply.text.length > 500);
    assert.ok(!/https?:|@import|url\(/.test(reply.text), 'nothing from elsewhere');
  }
});
