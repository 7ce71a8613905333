// Every operation of the administration, done once with something to answer: the harness holds each answer against the
// API's description, and here is seen that none is left out, and that the harness would see a lie.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { startMock, startServe, user } from './harness.js';
import { described } from './described.js';

const ADMIN = 'admin-token-of-the-tests';
const PASSWORD = 'correct horse battery';
let mock, serve;

before(async () => {
  mock = await startMock();
  serve = await startServe({
    config: { providers: { up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-1', code: 'upc',
      models: { alpha: { contextWindow: 1000, maxOutput: 100, price: { in: 1, out: 2 } }, beta: {} } } },
      aliases: { quick: 'up/alpha' } },
    env: { ADMIN_TOKEN: ADMIN, ADMIN_USERNAME: 'root', ADMIN_PASSWORD: PASSWORD },
    files: { 'priorities.json': '{ "priorities": ["up/beta"] }' },
  });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

async function send(method, path, body, headers = {}) {
  const reply = await fetch(serve.url + path, {
    method, headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return reply.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text;
}
const get = (path) => send('GET', path);
const all = async (...calls) => { for (const call of calls) await send(...call); };

async function people() {
  const { token } = await send('POST', '/admin/users', { username: 'ann', role: 'operator', models: ['up/*'] });
  await all(['POST', '/admin/teams', { name: 'red', models: ['up/*'] }], ['PUT', '/admin/teams/red', { nodes: ['up'] }],
    ['PATCH', '/admin/users/ann', { team: 'red' }], ['PUT', '/admin/users/ann', { is_active: true }],
    ['POST', '/admin/users/ann/deactivate'], ['POST', '/admin/users/ann/activate'],
    ['POST', '/admin/users/ann/tokens', { name: 'ci' }], ['PUT', '/admin/users/ann/tokens/ci'], ['GET', '/admin/users/ann/tokens'],
    ['PUT', '/admin/users/ann/password', { password: PASSWORD }], ['DELETE', '/admin/users/ann/password']);
  for (const [subject, body] of [['users/ann', { budget_usd: 5, period: 'day', requests_per_minute: 60 }],
    ['users/ann/tokens/ci', { concurrency: 2 }], ['teams/red', { budget_usd: '1.5', tokens_per_day: 1000000 }], ['model-limits/up/alpha', { trim: true }]]) {
    const path = subject.startsWith('model-limits') ? `/admin/${subject}` : `/admin/${subject}/limits`;
    await all(['POST', path, body], ['PUT', path, body], ['PATCH', path, { min_output: 20 }], ['GET', path]);
  }
  // Somebody calls, so that there is something to count.
  for (const with_ of [token, serve.key]) {
    const reply = await fetch(`${serve.url}/v1/chat/completions`, { method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${with_}` },
      body: JSON.stringify({ model: 'up/alpha', messages: user('[[mock:echo]] hi') }) });
    assert.equal(reply.status, 200, await reply.text());
  }
  await all(['GET', '/admin/users'], ['GET', '/admin/users?limit=1'], ['GET', '/admin/users/ann'], ['GET', '/admin/users/ann/balance'],
    ['GET', '/admin/teams'], ['GET', '/admin/teams/red'], ['GET', '/admin/teams/red/members'], ['GET', '/admin/teams/red/balance'],
    ['GET', '/admin/model-limits']);
}

async function lists() {
  const at = '/admin/users/ann';
  await all(['POST', `${at}/models`, { models: ['up/alpha', 'up/beta'] }], ['GET', `${at}/models`], ['DELETE', `${at}/models/up/beta`],
    ['POST', `${at}/models/all`], ['DELETE', `${at}/models/all`], ['DELETE', `${at}/models`],
    ['POST', `${at}/nodes`, { node_id: 'up' }], ['GET', `${at}/nodes`], ['DELETE', `${at}/nodes/up`], ['POST', `${at}/nodes/all`], ['DELETE', `${at}/nodes`],
    ['POST', `${at}/node-models`, { node_id: 'up', model_name: 'alpha' }], ['GET', `${at}/node-models`],
    ['DELETE', `${at}/node-models`, { node_id: 'up', model_name: 'alpha' }], ['POST', `${at}/node-models/all`],
    ['POST', `${at}/nodes/up/models`, { models: ['alpha'] }], ['GET', `${at}/nodes/up/models`], ['DELETE', `${at}/nodes/up/models`],
    ['POST', `${at}/nodes/up/models/all`]);
}

async function nodes() {
  const { code, id } = await send('POST', '/admin/nodes', { node_type: 'openai-compatible', base_url: `${mock.url}/v1`, allow_private: true, name: 'gpu',
    api_key: 'sk-node-secret-0123456789', headers: { 'X-Team': 'research' } });
  const at = `/admin/nodes/${code}`;
  await all(['PUT', at, { priority: 3 }], ['PATCH', at, { base_url: `${mock.url.replace('127.0.0.1', 'localhost')}/v1` }], ['PATCH', `${at}/toggle`], ['PATCH', `${at}/toggle`],
    ['PATCH', at, { api_key: 'sk-node-secret-0123456789' }],
    ['PATCH', '/admin/nodes/batch/priority', { priorities: [{ id, priority: 5 }] }], ['POST', `${at}/sync-models`], ['POST', `${at}/discover`],
    ['POST', '/admin/nodes/sync-all'], ['POST', `${at}/health-check`], ['GET', '/admin/nodes'], ['GET', at], ['GET', `${at}/models`], ['GET', `${at}/metrics`],
    ['GET', '/admin/nodes/models/distribution'], ['GET', '/admin/nodes/load-balancer/status'], ['GET', '/admin/models/openai-compatible'],
    ['POST', `${at}/models`, { model_name: 'by/hand', context_length: '8K' }], ['PATCH', `${at}/models/by/hand`, { context_length: null }],
    ['PATCH', `/admin/models/nodes/${code}/by/hand/available`, { is_available: false }], ['PATCH', '/admin/models/by/hand/available', { is_available: true }],
    ['DELETE', `${at}/models/by/hand`], ['DELETE', at], ['POST', '/admin/models/sync-capabilities'], ['POST', '/admin/models/sync-vllm-meta']);
}

async function ollama() {
  const pull = { name: 'smol:1b', stream: false };
  await all(['POST', '/admin/nodes', { node_type: 'ollama', base_url: mock.url, allow_private: true, name: 'box' }],
    ['POST', '/admin/nodes/box/pull-model', pull], ['POST', '/admin/nodes/box/pull-model', { model: 'smol:1b' }], ['POST', '/admin/nodes/pull-model-all', pull],
    ['POST', '/admin/models/pull', { ...pull, node: 'box' }], ['POST', '/admin/models/show?name=smol:1b&node=box'], ['DELETE', '/admin/models/ollama/smol:1b?node=box'],
    ['DELETE', '/admin/nodes/box']);
}

async function names() {
  const mappings = '/admin/model-mappings', groups = '/admin/model-groups';
  await all(['POST', mappings, { display_name: 'fast', real_name: 'up/alpha', context_length: '1K', capabilities: ['tools'] }],
    ['POST', mappings, { display_name: 'fast', real_name: 'up/beta', node_id: 'up' }], ['GET', `${mappings}/fast`], ['GET', `${mappings}/quick`], ['GET', mappings],
    ['PATCH', '/admin/models/fast/capabilities', { capabilities: ['vision'] }],
    ['PUT', `${mappings}/fast`, { display_name: 'faster' }], ['POST', `${mappings}/invalidate-cache`],
    ['POST', groups, { name: 'team', description: 'for people' }], ['PUT', `${groups}/team`, { strategy: 'weighted' }], ['PATCH', `${groups}/team`, { max_failover_retries: 2 }]);
  const { members: [{ id }] } = await send('POST', `${groups}/team/members`, { model_display_name: 'up/alpha', capability_tags: ['x'], nodes: ['up'] });
  await all(['PUT', `${groups}/team/members/${id}`, { weight: 2 }], ['PATCH', `${groups}/team/members/${id}`, { priority: 1 }],
    ['GET', `${groups}/team/members`], ['GET', `${groups}/team`], ['GET', groups]);
  for (const method of ['PUT', 'POST']) await send(method, `${groups}/team/members/reorder`, { members: [{ id, priority: 2 }] });
  await all(['PUT', `${groups}/reorder`, { groups: [{ name: 'team', priority: 1 }] }], ['DELETE', `${groups}/team/members/${id}`], ['DELETE', `${groups}/team`],
    ['DELETE', `${mappings}/faster`]);
  for (const [path, body, change] of [['tool-sets', { name: 'few', tools: ['read_*'] }, { description: 'for people' }],
    ['model-config', { model_prefix: 'alpha', default_context_length: '1K', unsupported_params: ['top_k'] }, { maintenance_mode: false }],
    ['system-prompts', { scope_type: 'global', prompt: 'Be kind.' }, { priority: 2 }]]) {
    const { id: row } = await send('POST', `/admin/${path}`, body);
    await all(['PUT', `/admin/${path}/${row}`, change], ['PATCH', `/admin/${path}/${row}`, change], ['GET', `/admin/${path}/${row}`], ['GET', `/admin/${path}`],
      ['DELETE', `/admin/${path}/${row}`]);
  }
}

async function server() {
  await all(['POST', '/admin/config', { key: 'log.level', value: 'info' }], ['PUT', '/admin/config', { log: { level: 'warn' } }], ['GET', '/admin/config'],
    ['GET', '/admin/config/raw'], ['GET', '/admin/config/log.level'], ['DELETE', '/admin/config/log.level'], ['GET', '/admin/seed'], ['POST', '/admin/seed', { reset: true }],
    ['GET', '/api/admin/models'], ['GET', '/api/admin/auth'], ['GET', '/api/admin/auth/providers'], ['POST', '/api/admin/models/refresh']);
  const was = await get('/api/admin/priorities');
  const now = await send('PATCH', '/api/admin/priorities', { ...was, priorities: ['up/alpha'] });
  await send('PUT', '/api/admin/priorities', { ...now, priorities: was.priorities });
  const session = await send('POST', '/admin/auth/login', { username: 'root', password: PASSWORD });
  await all(['GET', '/admin/auth/session'], ['GET', '/admin/auth/session', undefined, { authorization: `Bearer ${session.token}` }],
    ['POST', '/admin/auth/logout', undefined, { authorization: `Bearer ${session.token}` }]);
}

async function records() {
  for (const query of ['', '?limit=1', '?username=ann']) await get(`/admin/dashboard/requests-log${query}`);
  for (const format of ['csv', 'jsonl']) await get(`/admin/dashboard/requests-log/export?format=${format}`);
  for (const path of ['stats', 'charts/requests', 'charts/tokens', 'charts/models', 'user-stats', 'team-stats']) await get(`/admin/dashboard/${path}`);
  for (const path of ['activity', 'token-usage', 'model-usage']) await get(`/admin/users/ann/${path}?limit=1`);
  await all(['GET', '/admin/stats'], ['GET', '/admin/teams/red/token-usage'], ['GET', '/admin/audit-logs'], ['GET', '/admin/audit-logs?limit=1']);
}

async function end() {
  await all(['DELETE', '/admin/users/ann/tokens/ci/limits'], ['DELETE', '/admin/users/ann/limits'], ['DELETE', '/admin/teams/red/limits'],
    ['DELETE', '/admin/model-limits/up/alpha'], ['PUT', '/admin/users/ann/token'], ['DELETE', '/admin/users/ann/tokens/ci'], ['DELETE', '/admin/users/ann'],
    ['PATCH', '/admin/teams/red', { models: [] }], ['DELETE', '/admin/teams/red']);
  for (const path of ['/', '/health', '/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/docs', '/api/redoc', '/api/docs/docs.css',
    '/api/docs/docs.js', '/api/version', '/api/hello', '/api/ps', '/api/tags', '/v1/models', '/v1beta/models', '/api/anthropic/v1/models']) await get(path);
}

test('every operation of the administration answers as it is described', async () => {
  for (const step of [people, lists, nodes, ollama, names, server, records, end]) await step();
  // What stands below /api/admin is the same function again.
  const described_ = described.operations().filter(({ path }) => path.startsWith('/admin/') || /^\/(api\/docs|$|health|readyz|metrics)/.test(path)
    || (path.startsWith('/api/admin/') && !described.operations().some((o) => o.path === path.slice(4))));
  const answered = new Set([...described.seen].filter((s) => / 20\d$/.test(s)).map((s) => s.replace(/ \d+$/, '')));
  assert.deepEqual(described_.map(({ method, path }) => `${method} ${path}`).filter((o) => !answered.has(o)), []);
  assert.ok(described_.length > 150, `${described_.length}`);
});

test('an answer that is not as it is described is seen', async () => {
  const me = { username: 'root', role: 'admin', can_change: true, is_session: false };
  const see = (body, { status = 200, headers = {}, method = 'GET', path = '/admin/auth/session', sent } = {}) => {
    const text = JSON.stringify(body);
    return described.faultOf(method, new URL(serve.url + path), { body: sent }, new Response(text, { status,
      headers: { 'content-type': 'application/json', 'content-length': `${text.length}`, ...headers } }));
  };
  const error = { error: { message: 'x', code: 'y' }, detail: 'x' };
  assert.equal(await see(me), undefined);
  assert.match(await see({ ...me, more: 1 }), /additional/);
  assert.match(await see({ ...me, role: 'king' }), /allowed values/);
  assert.match(await see({ ...me, role: null }), /string/);
  assert.match(await see({ ...me, is_session: undefined }), /is_session/);
  assert.match(await see({ ...me, created_at: 'yesterday' }), /date-time/);
  assert.match(await see(error, { status: 418 }), /status 418/);
  assert.match(await see(error, { status: 409 }), /status 409/);
  assert.equal(await see(error, { status: 403 }), undefined);
  assert.match(await see({ error: 'x' }, { status: 403 }), /detail|object/);
  assert.match(await see(me, { headers: { etag: '"x"' } }), /header etag/);
  assert.match(await see(me, { headers: { 'content-type': 'text/plain' } }), /type text\/plain/);
  assert.match(await see([{}], { path: '/admin/teams' }), /id/);
  const team = { id: 1, name: 'x', created_at: '2026-11-29T00:00:00Z', updated_at: '2026-11-29T00:00:00Z', models: [], nodes: [], limits: null };
  const made = { status: 201, method: 'POST', path: '/admin/teams' };
  assert.equal(await see(team, { ...made, sent: '{"name":"x"}' }), undefined);
  assert.match(await see(team, { ...made, sent: '{"models":[]}' }), /name.* of what was sent/);
  assert.match(await see({ ...team, limits: { ...team.limits, trim: true } }, made), /budget_usd|null/);
});
