// Names through a real server: aliases, groups, tool sets, settings of models, system prompts, settings, seeds.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMock, startServe, run, makeHome, user, until, KEY } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
let mock, serve, home;

const config = () => ({
  providers: {
    one: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-1', models: { alpha: {}, beta: {}, kimi: {} } },
    two: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-2', models: { alpha: {}, gamma: {} } },
    claude: { type: 'anthropic', baseURL: mock.url, apiKey: 'sk-3', models: { opus: {} } },
    gem: { type: 'gemini', baseURL: mock.url, apiKey: 'sk-4', models: { flash: {} } },
    over: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-5', models: { 'fail-413': {}, 'fail-context': {}, 'fail-400': {}, tiny: { contextWindow: 1000 }, tinier: { contextWindow: 500 }, roomy: { contextWindow: 200000 } } },
    local: { type: 'ollama', baseURL: mock.url, models: { llama: {}, 'qwen:8b': {} } },
  },
  aliases: {
    declared: 'one/alpha',
    chain: { model: 'declared', contextLength: '32K' },
    split: [{ model: 'alpha', node: 'two' }, { model: 'one/beta' }],
    qwen: 'qwen:8b',
  },
  groups: {
    turns: { members: ['one/alpha', 'two/alpha'] },
    ranked: { strategy: 'priority', members: [{ model: 'one/beta', priority: 2 }, { model: 'two/gamma', priority: 1 }], listInCatalog: false },
  },
});

async function admin(method, path, body, headers = {}) {
  const reply = await fetch(`${serve.url}/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : undefined, headers: reply.headers };
}

async function ok(method, path, body) {
  const reply = await admin(method, path, body);
  assert.ok(reply.status >= 200 && reply.status < 300, `${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

async function refused(status, param, method, path, body) {
  const reply = await admin(method, path, body);
  assert.equal(reply.status, status, `${method} ${path}: ${JSON.stringify(reply.body)}`);
  if (param) assert.equal(reply.body.error.param, param, JSON.stringify(reply.body));
  return reply.body.detail;
}

const post = (path, body, token = KEY) => fetch(serve.url + path, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** A chat's {status, used, model, dropped, error}. */
async function chat(model, more = {}, token = KEY) {
  const reply = await post('/v1/chat/completions', { model, messages: user('[[mock:echo]] hi'), ...more }, token);
  const body = await reply.json();
  return { status: reply.status, used: reply.headers.get('x-maestro-model'), model: body.model, dropped: reply.headers.get('x-maestro-dropped'), error: body.error };
}

/** What the upstream received last. */
async function received() {
  const { requests } = await mock.requests();
  const last = requests.at(-1);
  return { ...last, json: JSON.parse(last.body) };
}

async function listed(token = KEY, path = '/v1/models') {
  const reply = await fetch(serve.url + path, { headers: { authorization: `Bearer ${token}` } });
  const body = await reply.json();
  return body.data ?? body.models;
}

const audits = async () => (await ok('GET', '/audit-logs?limit=1')).total;

before(async () => {
  mock = await startMock();
  home = makeHome();
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '1' }, home });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

test('declared names are resolved: group, then alias, then model; the reply says what was asked', async () => {
  assert.deepEqual(await chat('declared'), { status: 200, used: 'one/alpha', model: 'declared', dropped: null, error: undefined });
  assert.equal((await chat('chain')).used, 'one/alpha');
  assert.equal((await chat('split')).used, 'two/alpha');
  assert.equal((await chat('qwen')).used, 'local/qwen:8b');
  assert.equal((await chat('ranked')).used, 'two/gamma');
  const turns = [];
  for (let i = 0; i < 4; i++) {
    turns.push((await chat('turns')).used);
    await listed(); // a look takes no turn
  }
  assert.deepEqual(turns, turns[0] === 'one/alpha' ? ['one/alpha', 'two/alpha', 'one/alpha', 'two/alpha'] : ['two/alpha', 'one/alpha', 'two/alpha', 'one/alpha']);
});

test('streams say the alias, too, in each dialect', async () => {
  const sse = await (await post('/v1/chat/completions', { model: 'declared', stream: true, messages: user('[[mock:echo]] hi') })).text();
  assert.match(sse, /"model": ?"declared"/);
  assert.doesNotMatch(sse, /"model": ?"(one\/)?alpha"/);
  const message = await (await post('/v1/messages', { model: 'declared', max_tokens: 99, messages: user('[[mock:echo]] hi') })).json();
  assert.equal(message.model, 'declared');
});

test('lists end with groups and aliases before the virtual names', async () => {
  const ids = (await listed()).map((m) => m.id);
  assert.deepEqual(ids.slice(-6), ['turns', 'chain', 'declared', 'qwen', 'split', 'maestro-auto']);
  assert.ok(!ids.includes('ranked'), 'it is not to be listed');
  const chain = (await listed()).find((m) => m.id === 'chain');
  assert.equal(chain.max_model_len, 32768);
  assert.equal((await fetch(`${serve.url}/v1/models/declared`, { headers: { authorization: `Bearer ${KEY}` } })).status, 200);
});

test('an alias comes, moves and goes', async () => {
  const made = await ok('POST', '/model-mappings', { display_name: 'team/fast', real_name: 'one/alpha', context_length: '198K', capabilities: ['tools'] });
  assert.equal(made.context_length, 198 * 1024);
  assert.equal(made.context_length_display, '198K');
  assert.deepEqual(made.node_ids, []);
  assert.equal((await chat('team/fast')).used, 'one/alpha');
  assert.equal((await ok('GET', '/model-mappings/team/fast')).real_name, 'one/alpha');
  await ok('POST', '/model-mappings', { display_name: 'team/fast', real_name: 'two/gamma', context_length: 128000 });
  assert.equal((await chat('team/fast')).used, 'two/gamma');

  const { token } = await ok('POST', '/users', { username: 'mover', models: ['team/fast'] });
  assert.equal((await chat('team/fast', {}, token)).status, 200);
  assert.equal((await chat('two/gamma', {}, token)).status, 403);
  assert.deepEqual((await listed(token)).map((m) => m.id), ['team/fast']);

  const moved = await ok('PUT', '/model-mappings/team/fast', { display_name: 'team/quick' });
  assert.equal(moved.id, made.id);
  assert.equal(moved.real_name, 'two/gamma');
  assert.equal((await chat('team/quick', {}, token)).status, 200, 'lists of users follow');
  assert.match((await chat('team/fast')).error.message, /nearest are .*"team\/quick"/);
  assert.deepEqual((await ok('GET', '/users/mover')).models, ['team/quick']);
  await ok('POST', '/teams', { name: 'quick', models: ['team/quick'] });
  assert.match(await refused(409, undefined, 'DELETE', '/model-mappings/team/quick'), /allowlists of users: mover$/);
  await ok('DELETE', '/users/mover/models/team/quick');
  assert.match(await refused(409, undefined, 'DELETE', '/model-mappings/team/quick'), /allowlists of teams: quick$/);
  await ok('DELETE', '/teams/quick');
  assert.equal((await admin('DELETE', '/model-mappings/team/quick')).status, 204);
  assert.equal((await chat('team/quick')).status, 404);
  assert.equal((await admin('GET', '/model-mappings/team/quick')).status, 404);
  await ok('DELETE', '/users/mover');
});

test('an alias of a node holds there, one for all everywhere else', async () => {
  const made = await ok('POST', '/model-mappings', { display_name: 'mine', real_name: 'alpha', node_ids: ['two', 'one'] });
  assert.deepEqual(made.node_ids.sort(), ['one', 'two']);
  assert.deepEqual(made.node_types, ['openai-compatible', 'openai-compatible']);
  await ok('POST', '/model-mappings', { display_name: 'mine', real_name: 'local/llama' });
  const both = await ok('GET', '/model-mappings/mine');
  assert.equal(both.length, 2, 'one name, two real ones');
  assert.match((await chat('mine')).used, /\/alpha$/);
  await ok('POST', '/model-mappings', { display_name: 'mine', real_name: 'alpha', node_ids: ['two'] });
  assert.equal((await chat('mine')).used, 'two/alpha');
  // A change that names neither nodes nor model leaves each row its own, whatever it leads to.
  const rows = async (name) => (await ok('GET', `/model-mappings/${name}`)).map((a) => [a.id, a.node_ids, a.real_name, a.context_length]);
  await ok('POST', '/model-mappings', { display_name: 'mine', real_name: 'local/llama', context_length: 77 });
  const before = await rows('mine');
  assert.equal(before.length, 2);
  assert.equal((await ok('PATCH', '/models/mine/capabilities', { capabilities: ['vision'] })).length, 2);
  await ok('PUT', '/model-mappings/mine', { display_name: 'team/ours' });
  assert.deepEqual(await rows('team/ours'), before);
  assert.equal((await admin('GET', '/model-mappings/mine')).status, 404);
  for (const a of await ok('GET', '/model-mappings/team/ours')) assert.deepEqual(a.capabilities, ['vision']);
  assert.equal((await chat('team/ours')).used, 'two/alpha');
  await ok('PATCH', '/models/team/ours/capabilities', { capabilities: [] });
  await refused(422, 'capabilities', 'PATCH', '/models/team/ours/capabilities', {});
  await refused(422, 'real_name', 'PATCH', '/models/team/ours/capabilities', { capabilities: [], real_name: 'alpha' });
  assert.equal((await admin('PATCH', '/models/none/capabilities', { capabilities: [] })).status, 404);
  await ok('DELETE', '/model-mappings/team/ours');
});

test('nodes are said by number, too, as everywhere', async () => {
  const id = async (code) => (await ok('GET', `/nodes/${code}`)).id;
  const [one, two] = [await id('one'), await id('two')];
  assert.equal(typeof one, 'number');
  assert.deepEqual((await ok('POST', '/model-mappings', { display_name: 'numbered', real_name: 'alpha', node_ids: [one, 'TWO'] })).node_ids.sort(), ['one', 'two']);
  assert.deepEqual((await ok('PUT', '/model-mappings/numbered', { node_id: two })).node_ids, ['two']);
  assert.equal((await chat('numbered')).used, 'two/alpha');
  await refused(422, 'node_ids', 'PUT', '/model-mappings/numbered', { node_ids: [4711] });
  await refused(422, 'node_ids[0]', 'PUT', '/model-mappings/numbered', { node_ids: [-1] });
  await refused(422, 'node_ids[1]', 'PUT', '/model-mappings/numbered', { node_ids: [two, two] });
  await ok('POST', '/model-groups', { name: 'pinned' });
  assert.deepEqual((await ok('POST', '/model-groups/pinned/members', { model_display_name: 'alpha', nodes: [two] })).members[0].nodes, ['two']);
  for (let i = 0; i < 3; i++) assert.equal((await chat('pinned')).used, 'two/alpha');
  await refused(422, 'nodes', 'POST', '/model-groups/pinned/members', { model_display_name: 'two/gamma', nodes: [4711] });
  const pins = (nodes) => ok('PUT', `/model-groups/pinned/members/${member.id}`, { nodes });
  const [member] = await ok('GET', '/model-groups/pinned/members');
  for (const [first, last] of [['one', 'two'], ['two', 'one']]) {
    const [m] = (await pins([{ node_id: last, priority: -2 }, { node_id: await id(first), priority: 3 }])).members;
    assert.deepEqual(m.nodes, [{ node_id: last, priority: -2 }, { node_id: first, priority: 3 }]);
    assert.equal((await chat('pinned')).used, `${first}/alpha`);
    assert.deepEqual((await ok('PUT', `/model-groups/pinned/members/${m.id}`, { nodes: m.nodes })).members[0].nodes, m.nodes, 'as read');
  }
  assert.deepEqual((await pins(['one', { node_id: 'two', priority: 0 }])).members[0].nodes, ['one', 'two']);
  const path = `/model-groups/pinned/members/${member.id}`;
  await refused(422, 'nodes[0].priority', 'PUT', path, { nodes: [{ node_id: 'one', priority: 1e7 }] });
  await refused(422, 'nodes[0].priority', 'PUT', path, { nodes: [{ node_id: 'one', priority: '1' }] });
  await refused(422, 'nodes[0].node_id', 'PUT', path, { nodes: [{ priority: 1 }] });
  await refused(422, 'nodes[0].rank', 'PUT', path, { nodes: [{ node_id: 'one', rank: 1 }] });
  await refused(422, 'nodes[1]', 'PUT', path, { nodes: ['one', { node_id: 'one', priority: 1 }] });
  await refused(422, 'nodes', 'PUT', path, { nodes: ['one', { node_id: one, priority: 1 }] });
  await refused(422, 'nodes[0].id', 'PUT', path, { nodes: [{ id: 'one', priority: 1 }] });
  assert.deepEqual((await ok('GET', '/model-groups/pinned/members'))[0].nodes, ['one', 'two'], 'nothing of what was refused');
  await ok('POST', '/users', { username: 'byno', has_all_models: true });
  await ok('POST', `/users/byno/nodes/${two}/models`, { models: ['alpha'] });
  for (const node of ['two', two]) assert.deepEqual(await ok('GET', `/users/byno/nodes/${node}/models`),
    { username: 'byno', node_id: 'two', models: ['alpha'], has_restriction: true });
  await ok('DELETE', '/users/byno');
  assert.deepEqual((await ok('POST', '/teams', { name: 'byno', nodes: [one, 't*'] })).nodes, ['one', 't*']);
  await refused(422, 'nodes[1]', 'PATCH', '/teams/byno', { nodes: ['two', 'three'] });
  await ok('DELETE', '/teams/byno');
  await ok('DELETE', '/model-groups/pinned');
  await ok('DELETE', '/model-mappings/numbered');
});

test('bad aliases are refused with their member', async () => {
  const rows = await audits();
  await refused(422, 'real_name', 'POST', '/model-mappings', { display_name: 'x' });
  await refused(422, 'display_name', 'POST', '/model-mappings', { display_name: '', real_name: 'one/alpha' });
  await refused(422, 'display_name', 'POST', '/model-mappings', { display_name: 'maestro-auto', real_name: 'one/alpha' });
  await refused(422, 'display_name', 'POST', '/model-mappings', { display_name: 'node:one:x', real_name: 'one/alpha' });
  await refused(422, 'real_name', 'POST', '/model-mappings', { display_name: 'x', real_name: 'no-such-model' });
  await refused(422, 'node_ids', 'POST', '/model-mappings', { display_name: 'x', real_name: 'alpha', node_ids: ['nowhere'] });
  await refused(422, 'real_name', 'POST', '/model-mappings', { display_name: 'x', real_name: 'gamma', node_ids: ['one'] });
  for (const bad of ['1KK', '0', '-1', '2000000000', 'K', 0, -5, 1.5, true, [], 1e30])
    await refused(422, 'context_length', 'POST', '/model-mappings', { display_name: 'x', real_name: 'one/alpha', context_length: bad });
  await refused(422, 'colour', 'POST', '/model-mappings', { display_name: 'x', real_name: 'one/alpha', colour: 'red' });
  await refused(422, 'display_name', 'POST', '/model-mappings', { display_name: 7, real_name: 'one/alpha' });
  await refused(400, undefined, 'POST', '/model-mappings', '{"display_name":');
  await refused(404, undefined, 'PUT', '/model-mappings/nobody', { real_name: 'one/alpha' });
  await refused(404, undefined, 'DELETE', '/model-mappings/nobody');
  assert.match(await refused(409, undefined, 'POST', '/model-mappings', { display_name: 'declared', real_name: 'two/gamma' }), /maestro\.json/);
  assert.match(await refused(409, undefined, 'DELETE', '/model-mappings/declared'), /maestro\.json/);
  await refused(409, undefined, 'POST', '/model-mappings', { display_name: 'turns', real_name: 'two/gamma' });
  assert.equal(await audits(), rows, 'what is refused is not in the audit log');
  const sql = "x'); DROP TABLE aliases; --";
  await ok('POST', '/model-mappings', { display_name: sql, real_name: 'one/alpha' });
  assert.equal((await ok('GET', `/model-mappings/${encodeURIComponent(sql)}`)).display_name, sql);
  assert.equal((await chat(sql)).status, 200);
  await ok('DELETE', `/model-mappings/${encodeURIComponent(sql)}`);
  assert.equal(await audits(), rows + 2);
});

test('circles are refused by their names', async () => {
  await ok('POST', '/model-mappings', { display_name: 'a', real_name: 'one/alpha' });
  await ok('POST', '/model-mappings', { display_name: 'b', real_name: 'a' });
  assert.match(await refused(422, 'real_name', 'PUT', '/model-mappings/a', { real_name: 'b' }), /"a" -> "b" -> "a"|"b" -> "a" -> "b"/);
  await ok('POST', '/model-groups', { name: 'g1' });
  await ok('POST', '/model-groups', { name: 'g2' });
  await ok('POST', '/model-groups/g1/members', { model_display_name: 'g2' });
  assert.match(await refused(422, 'model_display_name', 'POST', '/model-groups/g2/members', { model_display_name: 'g1' }), /circle/);
  assert.match(await refused(422, 'model_display_name', 'POST', '/model-groups/g1/members', { model_display_name: 'g1' }), /circle/);
  assert.match(await refused(409, undefined, 'DELETE', '/model-mappings/a'), /alias "b"/);
  assert.match(await refused(409, undefined, 'DELETE', '/model-groups/g2'), /group "g1"/);
  for (const path of ['/model-groups/g1', '/model-groups/g2', '/model-mappings/b', '/model-mappings/a']) await ok('DELETE', path);
});

test('groups: members, strategies, order, failover', async () => {
  const g = await ok('POST', '/model-groups', { name: 'pool', strategy: 'priority', description: 'all of them', max_failover_retries: 0 });
  assert.equal(g.strategy, 'priority');
  await refused(409, undefined, 'POST', '/model-groups', { name: 'pool' });
  await refused(422, 'strategy', 'POST', '/model-groups', { name: 'q', strategy: 'luck' });
  await refused(422, 'max_failover_retries', 'POST', '/model-groups', { name: 'q', max_failover_retries: 101 });
  await ok('POST', '/model-groups/pool/members', { model_display_name: 'one/alpha', priority: 5 });
  await ok('POST', '/model-groups/pool/members', { model_display_name: 'two/gamma', priority: 1 });
  const { members } = await ok('POST', '/model-groups/pool/members', { model_display_name: 'one/kimi', priority: -9, is_fallback: true });
  await refused(409, undefined, 'POST', '/model-groups/pool/members', { model_display_name: 'one/kimi' });
  await refused(422, 'model_display_name', 'POST', '/model-groups/pool/members', { model_display_name: 'nothing' });
  await refused(422, 'weight', 'POST', '/model-groups/pool/members', { model_display_name: 'one/beta', weight: -1 });
  await refused(422, 'nodes', 'POST', '/model-groups/pool/members', { model_display_name: 'alpha', nodes: ['nowhere'] });
  await refused(404, undefined, 'POST', '/model-groups/none/members', { model_display_name: 'one/beta' });
  assert.equal((await chat('pool')).used, 'two/gamma');

  const ids = members.map((m) => m.id);
  await ok('PUT', '/model-groups/pool/members/reorder', { members: [{ id: ids[0], priority: 0 }, { id: ids[1], priority: 3 }] });
  assert.equal((await chat('pool')).used, 'one/alpha');
  await ok('POST', '/model-groups/pool/members/reorder', { member_ids: [ids[1], ids[0], ids[2]] });
  assert.equal((await chat('pool')).used, 'two/gamma');
  await refused(422, 'member_ids[1]', 'PUT', '/model-groups/pool/members/reorder', { member_ids: [ids[0], 99999] });
  await refused(422, 'members', 'PUT', '/model-groups/pool/members/reorder', {});
  assert.deepEqual((await ok('GET', '/model-groups/pool/members')).map((m) => m.priority), [1, 0, 2], 'nothing of what was refused');
  await ok('PUT', `/model-groups/pool/members/${ids[1]}`, { is_active: false });
  assert.equal((await chat('pool')).used, 'one/alpha');
  await ok('PUT', `/model-groups/pool/members/${ids[1]}`, { is_active: true, model_display_name: 'alpha', nodes: ['two'] });
  assert.equal((await chat('pool')).used, 'two/alpha', 'pinned to a node');

  // By name: the mock fails for one provider's model only where the text says so, so both are asked.
  const fails = (retries) => ok('PUT', '/model-groups/pool', { max_failover_retries: retries }).then(() => post('/v1/chat/completions', { model: 'pool', messages: user('[[mock:fail-500]] hi') }));
  const before = (await mock.requests()).requests.length;
  assert.equal((await fails(0)).status, 500);
  assert.equal((await mock.requests()).requests.length, before + 1);
  assert.equal((await fails(2)).status, 500);
  assert.equal((await mock.requests()).requests.length, before + 4, 'the fallback is asked last');

  await ok('PUT', '/model-groups/pool', { name: 'basin', list_in_catalog: false });
  assert.equal((await chat('pool')).status, 404);
  assert.equal((await chat('basin')).status, 200);
  assert.ok(!(await listed()).some((m) => m.id === 'basin'));
  await ok('PUT', '/model-groups/basin', { is_active: false });
  assert.equal((await chat('basin')).status, 404);
  assert.equal((await admin('DELETE', `/model-groups/basin/members/${ids[0]}`)).status, 204);
  assert.equal((await admin('DELETE', `/model-groups/basin/members/${ids[0]}`)).status, 404);
  await refused(404, undefined, 'GET', '/model-groups/pool');
  await ok('DELETE', '/model-groups/basin');
});

test('what is too long for one member goes to those that are for it, and nothing else does', async () => {
  const of = '/model-groups/long/members';
  const member = (model, more) => ok('POST', of, { model_display_name: model, ...more }).then((g) => g.members.at(-1));
  const asked = async (text = 'hi', more = {}) => {
    const from = (await mock.requests()).requests.length;
    const reply = await post('/v1/chat/completions', { model: 'long', messages: user(text), ...more });
    const used = reply.headers.get('x-maestro-model');
    return { status: reply.status, used, text: await reply.text(), models: (await mock.requests()).requests.slice(from).map((r) => JSON.parse(r.body).model) };
  };
  await ok('POST', '/model-groups', { name: 'long', strategy: 'priority' });
  const first = await member('over/fail-413', { priority: 1 });
  await member('one/beta', { priority: 2 });
  const large = await member('over/roomy', { priority: -9, is_fallback_413: true });
  assert.equal(large.is_fallback_413, true);
  assert.equal(first.is_fallback_413, false);

  let r = await asked();
  assert.deepEqual([r.status, r.used, r.models], [200, 'over/roomy', ['fail-413', 'roomy']]);
  r = await asked('hi', { stream: true });
  assert.deepEqual([r.status, r.models], [200, ['fail-413', 'roomy']]);
  assert.ok(r.text.trimEnd().endsWith('data: [DONE]'), r.text);
  await ok('PUT', `${of}/${first.id}`, { model_display_name: 'over/fail-context' });
  assert.equal((await asked()).used, 'over/roomy', 'as the provider says it in its own words');
  await ok('PUT', `${of}/${first.id}`, { model_display_name: 'over/fail-400' });
  assert.deepEqual((await asked()).models, ['fail-400'], 'any other fault of the request is one everywhere');
  await ok('PUT', `${of}/${first.id}`, { model_display_name: 'over/tiny' });
  assert.deepEqual((await asked('word '.repeat(2000))).models, ['roomy'], 'as we count it');
  assert.deepEqual((await asked('hi')).models, ['tiny']);
  assert.deepEqual((await asked('[[mock:fail-500]] hi')).models, ['tiny', 'beta'], 'not a fallback for anything else');
  await ok('PUT', `${of}/${large.id}`, { is_fallback: true });
  assert.deepEqual((await asked('[[mock:fail-500]] hi')).models, ['tiny', 'beta', 'roomy'], 'unless it is one');
  assert.deepEqual((await asked('[[mock:fail-413]] hi')).models, ['tiny', 'roomy'], 'and nobody is asked twice');
  assert.equal((await asked('[[mock:fail-413]] hi')).status, 413);
  await ok('PUT', '/model-groups/long', { max_failover_retries: 0 });
  assert.deepEqual((await asked('[[mock:fail-413]] hi')).models, ['tiny'], 'no further candidate than may be');

  // A user who may not use the first ones is served by what is left.
  const { token } = await ok('POST', '/users', { username: 'roomer', models: ['over/roomy'] });
  await ok('PUT', `${of}/${large.id}`, { is_fallback: false });
  const reply = await post('/v1/chat/completions', { model: 'long', messages: user('hi') }, token);
  assert.equal(reply.headers.get('x-maestro-model'), 'over/roomy', await reply.text());
  await ok('DELETE', '/users/roomer');
  await ok('DELETE', '/model-groups/long');
});

test('a group is shown in lists as its source of metadata', async () => {
  const of = '/model-groups/shown/members';
  const context = async () => (await listed()).find((m) => m.id === 'shown').max_model_len;
  await ok('POST', '/model-groups', { name: 'shown' });
  const [tiny] = (await ok('POST', of, { model_display_name: 'over/tiny' })).members;
  await ok('POST', of, { model_display_name: 'over/tinier' });
  const roomy = (await ok('POST', of, { model_display_name: 'over/roomy', is_metadata_source: true, is_fallback_413: true })).members.at(-1);
  assert.equal(roomy.is_metadata_source, true);
  assert.equal(await context(), 200000);
  const detail = await refused(409, 'is_metadata_source', 'PUT', `${of}/${tiny.id}`, { is_metadata_source: true });
  assert.match(detail, /over\/roomy/);
  await refused(409, 'is_metadata_source', 'POST', of, { model_display_name: 'one/beta', is_metadata_source: true });
  await ok('PUT', `${of}/${roomy.id}`, { is_metadata_source: false });
  assert.equal(await context(), 500, 'the smallest');
  await ok('PUT', `${of}/${tiny.id}`, { is_metadata_source: true });
  assert.equal(await context(), 1000);
  await ok('PUT', `${of}/${tiny.id}`, { is_metadata_source: false });
  await ok('POST', of, { model_display_name: 'chain', is_metadata_source: true });
  assert.equal(await context(), 32768, 'what is said of an alias');
  await ok('POST', '/model-mappings', { display_name: 'as-shown', real_name: 'shown' });
  await ok('POST', '/model-groups', { name: 'shows' });
  await ok('POST', '/model-groups/shows/members', { model_display_name: 'over/tinier' });
  await ok('POST', '/model-groups/shows/members', { model_display_name: 'as-shown', is_metadata_source: true });
  for (const name of ['as-shown', 'shows'])
    assert.equal((await listed()).find((m) => m.id === name).max_model_len, 32768, `${name}: as what it is shown as`);
  const [paused, other] = (await ok('GET', `${of}`)).slice(0, 2);
  await ok('PUT', `${of}/${paused.id}`, { is_active: false, is_metadata_source: true });
  await refused(409, 'is_metadata_source', 'PUT', `${of}/${paused.id}`, { is_active: true });
  await ok('PUT', `${of}/${other.id}`, { weight: 3 });
  await ok('DELETE', '/model-groups/shows');
  await ok('DELETE', '/model-mappings/as-shown');
  await ok('DELETE', '/model-groups/shown');
});

test('weights are shares, and the order of groups changes at once', async () => {
  await ok('POST', '/model-groups', { name: 'w', strategy: 'weighted' });
  await ok('POST', '/model-groups', { name: 'v' });
  await ok('POST', '/model-groups/w/members', { model_display_name: 'one/alpha', weight: 1 });
  await ok('POST', '/model-groups/w/members', { model_display_name: 'two/gamma', weight: 0 });
  for (let i = 0; i < 8; i++) assert.equal((await chat('w')).used, 'one/alpha', 'weight 0 is asked last');
  const rows = await audits();
  await ok('PUT', '/model-groups/reorder', { groups: [{ name: 'v', priority: 7 }, { name: 'w', priority: 2 }] });
  assert.equal(await audits(), rows + 1, 'a batch is one row');
  await refused(422, 'groups[1]', 'PUT', '/model-groups/reorder', { groups: [{ name: 'v', priority: 1 }, { name: 'none', priority: 1 }] });
  const { groups, total } = await ok('GET', '/model-groups');
  assert.equal(total, groups.length);
  assert.deepEqual(groups.filter((g) => g.source === 'stored').map((g) => [g.name, g.priority]), [['w', 2], ['v', 7]]);
  assert.equal(groups.find((g) => g.name === 'turns').source, 'declared');
  await ok('DELETE', '/model-groups/w');
  await ok('DELETE', '/model-groups/v');
});

const tool = (name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } });

test('a tool set filters what is sent, in every dialect', async () => {
  const set = await ok('POST', '/tool-sets', { name: 'reading', tools: ['read_*', 'list'], description: 'looks only' });
  await refused(409, 'name', 'POST', '/tool-sets', { name: 'reading' });
  await refused(422, 'tools[0]', 'POST', '/tool-sets', { name: 'bad', tools: [''] });
  const rule = await ok('POST', '/model-config', { model_prefix: 'ALPHA', tool_set: 'reading' });
  await refused(409, 'model_prefix', 'POST', '/model-config', { model_prefix: 'ALPHA' });
  await refused(422, 'tool_set', 'POST', '/model-config', { model_prefix: 'zeta', tool_set: 'none' });
  await refused(422, 'allowed_tools', 'POST', '/model-config', { model_prefix: 'zeta', tool_set: 'reading', allowed_tools: [] });
  await refused(422, 'unsupported_params[0]', 'POST', '/model-config', { model_prefix: 'zeta', unsupported_params: ['max_tokens'] });
  assert.match(await refused(409, undefined, 'DELETE', `/tool-sets/${set.id}`), /ALPHA/);

  const reply = await chat('one/alpha', { tools: [tool('read_file'), tool('rm'), tool('list')] });
  assert.equal(reply.dropped, 'tools[1]');
  assert.deepEqual((await received()).json.tools.map((t) => t.function.name), ['read_file', 'list']);

  const choice = await chat('one/alpha', { tools: [tool('rm'), tool('list')], tool_choice: { type: 'function', function: { name: 'rm' } } });
  assert.equal(choice.status, 400);
  assert.equal(choice.error.param, 'tool_choice');

  await chat('one/alpha', { tools: [tool('rm')], tool_choice: 'required', parallel_tool_calls: true });
  assert.deepEqual(Object.keys((await received()).json), ['model', 'messages']);

  // The same through translation: Anthropic's client, an OpenAI-like provider; and the reverse.
  await post('/v1/messages', { model: 'one/alpha', max_tokens: 50, messages: user('[[mock:echo]] hi'), tools: [{ name: 'rm', input_schema: { type: 'object' } }, { name: 'read_x', input_schema: { type: 'object' } }] });
  assert.deepEqual((await received()).json.tools.map((t) => t.function.name), ['read_x']);
  const marked = { cache_control: { type: 'ephemeral' }, input_schema: { type: 'object' } };
  const places = await post('/v1/messages', { model: 'one/alpha', max_tokens: 50, messages: user('[[mock:echo]] hi'), tools: [{ name: 'rm', ...marked }, { name: 'read_x', input_schema: { type: 'object' } }, { name: 'mv', ...marked }, { name: 'list', ...marked }] });
  assert.equal(places.headers.get('x-maestro-dropped'), 'tools[0], tools[2], tools[3].cache_control', 'places are the caller\'s');
  await ok('PUT', `/model-config/${rule.id}`, { model_prefix: 'opus' });
  await chat('claude/opus', { max_tokens: 50, tools: [tool('rm'), tool('read_x')] });
  assert.deepEqual((await received()).json.tools.map((t) => t.name), ['read_x']);
  await ok('PUT', '/model-config/opus', { model_prefix: 'flash' });
  await post('/v1beta/models/gem%2Fflash:generateContent', { contents: [{ role: 'user', parts: [{ text: '[[mock:echo]] hi' }] }], tools: [{ functionDeclarations: [{ name: 'rm' }, { name: 'read_x' }] }] });
  assert.deepEqual((await received()).json.tools[0].functionDeclarations.map((t) => t.name), ['read_x']);
  await ok('PUT', `/model-config/${rule.id}`, { model_prefix: 'llama' });
  await post('/api/chat', { model: 'local/llama', stream: false, messages: user('[[mock:echo]] hi'), tools: [tool('rm'), tool('list')] });
  assert.deepEqual((await received()).json.tools.map((t) => t.function.name), ['list']);
  await ok('PUT', `/model-config/${rule.id}`, { model_prefix: 'alpha' });
  await post('/v1/responses', { model: 'one/alpha', input: '[[mock:echo]] hi', tools: [{ type: 'function', name: 'rm', parameters: {} }, { type: 'function', name: 'list', parameters: {} }] });
  assert.deepEqual((await received()).json.tools.map((t) => t.name ?? t.function.name), ['list']);

  await ok('PUT', `/tool-sets/${set.id}`, { name: 'looking' });
  assert.equal((await ok('GET', `/model-config/${rule.id}`)).tool_set, 'looking', 'a new name is followed');
  await ok('DELETE', `/model-config/${rule.id}`);
  await ok('DELETE', `/tool-sets/${set.id}`);
  await refused(404, undefined, 'GET', `/tool-sets/${set.id}`);
});

test('members that a model does not take go, by either word; the rest stays byte for byte', async () => {
  const rule = await ok('POST', '/model-config', { model_prefix: 'kimi', unsupported_params: ['top_p', 'seed'] });
  const reply = await post('/v1/chat/completions', '{"model":"one/kimi", "top_p":0.5,"messages":[{"role":"user","content":"[[mock:echo]] h\\u00e9"}],"x" : 1.50,"seed":3}');
  assert.equal(reply.headers.get('x-maestro-dropped'), 'top_p, seed');
  assert.equal((await received()).body, '{"model":"kimi", "messages":[{"role":"user","content":"[[mock:echo]] h\\u00e9"}],"x" : 1.50}');
  await ok('PUT', `/model-config/${rule.id}`, { maintenance_mode: true });
  const closed = await chat('one/kimi');
  assert.deepEqual([closed.status, closed.error.code], [503, 'model_maintenance']);
  await ok('POST', '/model-groups', { name: 'either', strategy: 'priority' });
  await ok('POST', '/model-groups/either/members', { model_display_name: 'one/kimi', priority: 0 });
  await ok('POST', '/model-groups/either/members', { model_display_name: 'one/alpha', priority: 1 });
  assert.equal((await chat('either')).used, 'one/alpha', 'another member is asked');
  await ok('DELETE', '/model-groups/either');
  await ok('PUT', `/model-config/${rule.id}`, { is_active: false });
  assert.equal((await chat('one/kimi', { top_p: 1 })).dropped, null);
  await ok('PUT', `/model-config/${rule.id}`, { is_active: true, maintenance_mode: false, model_prefix: 'flash' });
  await post('/v1beta/models/gem%2Fflash:generateContent', { contents: [{ role: 'user', parts: [{ text: '[[mock:echo]] hi' }] }], generationConfig: { topP: 0.4, temperature: 1 } });
  assert.deepEqual((await received()).json.generationConfig, { temperature: 1 });
  await ok('DELETE', `/model-config/${rule.id}`);
});

test('a context is shown in lists and said to Ollama', async () => {
  const rule = await ok('POST', '/model-config', { model_prefix: 'llama', default_context_length: '8K' });
  const shown = (await listed()).find((m) => m.id === 'local/llama');
  assert.equal(shown.max_model_len, 8192);
  const told = await (await fetch(`${serve.url}/api/admin/models`, { headers: { authorization: `Bearer ${KEY}` } })).json();
  assert.equal(told.models.find((m) => m.id === 'local/llama').max_context_window_tokens, 8192, 'to administrators, too');
  await chat('local/llama');
  assert.equal((await received()).json.options.num_ctx, 8192);
  await post('/api/chat', { model: 'local/llama', stream: false, messages: user('[[mock:echo]] hi'), options: { temperature: 0 } });
  assert.deepEqual((await received()).json.options, { num_ctx: 8192, temperature: 0 });
  await post('/api/chat', { model: 'local/llama', stream: false, messages: user('[[mock:echo]] hi'), options: { num_ctx: 1024 } });
  assert.equal((await received()).json.options.num_ctx, 1024, 'the caller knows better');
  await ok('POST', '/model-mappings', { display_name: 'roomy', real_name: 'local/llama', context_length: '1M' });
  await chat('roomy');
  assert.equal((await received()).json.options.num_ctx, 1048576);
  // A group shows the smallest of its members': an alias' own, a model's.
  await ok('POST', '/model-mappings', { display_name: 'tight', real_name: 'one/kimi', context_length: 5000 });
  await ok('POST', '/model-groups', { name: 'rooms' });
  const size = async () => (await listed()).find((m) => m.id === 'rooms').max_model_len;
  const member = async (model_display_name) => (await ok('POST', '/model-groups/rooms/members', { model_display_name })).members.at(-1).id;
  const first = await member('tight');
  assert.equal(await size(), 5000);
  await member('local/llama');
  assert.equal(await size(), 5000);
  await ok('DELETE', `/model-groups/rooms/members/${first}`);
  assert.equal(await size(), 8192);
  await ok('DELETE', '/model-groups/rooms');
  await ok('DELETE', '/model-mappings/tight');
  await ok('DELETE', '/model-mappings/roomy');
  await ok('DELETE', `/model-config/${rule.id}`);
});

test('system prompts stand before the caller\'s, by scope and priority', async () => {
  const { token } = await ok('POST', '/users', { username: 'ann', has_all_models: true });
  const made = [];
  for (const p of [
    { scope_type: 'model', scope_value: 'alpha', prompt: 'M', priority: 1 },
    { scope_type: 'user', scope_value: 'ann', prompt: 'U', priority: 5 },
    { scope_type: 'mapping', scope_value: 'declared', prompt: 'A', priority: 1 },
    { scope_type: 'node', scope_value: 'one', prompt: 'N', priority: 1 },
    { scope_type: 'global', prompt: 'G "quoted"\nline' },
  ]) made.push(await ok('POST', '/system-prompts', p));
  await refused(409, 'scope_value', 'POST', '/system-prompts', { scope_type: 'model', scope_value: 'alpha', prompt: 'other', priority: 1 });
  await refused(422, 'scope_value', 'POST', '/system-prompts', { scope_type: 'group', scope_value: 'nothing', prompt: 'x' });
  await refused(422, 'scope_value', 'POST', '/system-prompts', { scope_type: 'user', prompt: 'x' });
  await refused(422, 'scope_type', 'POST', '/system-prompts', { scope_type: 'planet', prompt: 'x' });

  await chat('declared', {}, token);
  assert.deepEqual((await received()).json.messages[0], { role: 'system', content: 'U\n\nN\n\nM\n\nA\n\nG "quoted"\nline' });
  await chat('two/gamma', { messages: [{ role: 'system', content: 'mine' }, ...user('[[mock:echo]] hi')] });
  assert.equal((await received()).json.messages[0].content, 'G "quoted"\nline\n\nmine');

  // Not in the middle of a conversation; and the caller's places are counted as the caller counts them.
  const talk = [...user('hi'), { role: 'assistant', content: 'ho' }, { role: 'system', content: 'mine' }, ...user('[[mock:echo]] hi')];
  const moved = await chat('claude/opus', { max_tokens: 9, messages: talk });
  assert.deepEqual([moved.status, moved.dropped], [200, 'messages[2]'], JSON.stringify(moved.error));
  assert.equal((await received()).json.system, 'G "quoted"\nline');
  const sound = { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } };
  const content = [{ type: 'text', text: 'hi' }, sound];
  assert.equal((await chat('claude/opus', { messages: [{ role: 'user', content }] })).error.param, 'messages[0].content[1]');
  const wrong = await chat('claude/opus', { messages: [{ role: 'user', content: [{ type: 'text', text: 7 }] }] });
  assert.equal(wrong.error.param, 'messages[0].content[0].text');
  assert.match(wrong.error.message, /messages\[0\]/);
  await post('/v1/messages', { model: 'claude/opus', max_tokens: 9, messages: user('[[mock:echo]] hi') });
  assert.equal((await received()).json.system, 'G "quoted"\nline');
  await post('/api/generate', { model: 'local/llama', stream: false, prompt: '[[mock:echo]] hi' });
  assert.equal((await received()).json.system, 'G "quoted"\nline');
  await ok('PUT', `/system-prompts/${made[4].id}`, { is_active: false });
  await chat('two/gamma');
  assert.equal((await received()).json.messages.length, 1);
  for (const p of made) await ok('DELETE', `/system-prompts/${p.id}`);
  await ok('DELETE', '/users/ann');
});

test('settings are a source of the configuration', async () => {
  assert.equal((await ok('GET', '/config')).fallback.maxRetries, 2);
  const set = await ok('POST', '/config', { key: 'fallback.maxRetries', value: '0', description: 'none' });
  assert.equal(set.value, '0');
  assert.equal((await ok('GET', '/config')).fallback.maxRetries, 0, 'in force at once');
  const rows = await audits();
  await ok('PUT', '/config', { fallback: { maxRetries: 5 }, log: { level: 'warn' }, server: { limits: { headerCount: 90 }, origins: ['https://a.example', 'https://b.example'] } });
  assert.equal(await audits(), rows + 1);
  const shown = await ok('GET', '/config');
  assert.equal(shown.fallback.maxRetries, 5);
  assert.equal(shown.server.limits.headerCount, 90);
  assert.deepEqual(shown.server.origins, ['https://a.example', 'https://b.example']);
  assert.deepEqual((await ok('GET', '/config/raw')).configs.map((c) => c.key), ['fallback.maxRetries', 'log.level', 'server.limits.headerCount', 'server.origins']);
  assert.equal((await ok('GET', '/config/log.level')).value, 'warn');
  await refused(422, 'log.level', 'PUT', '/config', { log: { level: 'loud' } });
  await refused(422, 'log.levle', 'PUT', '/config', { log: { levle: 'info' } });
  await refused(422, 'nothing', 'PUT', '/config', { nothing: {} });
  const words = async (body) => (await admin('POST', '/config', body)).body.detail;
  assert.equal(await words({ key: 'log.levle', value: 'info' }), 'there is no option "log.levle"; did you mean "log.level"?');
  assert.equal(await words({ key: 'colour', value: 'red' }), 'there is no option "colour" (docs/config.md)');
  assert.match(await words({ key: 'server.port', value: '1' }), /"server.port" is not kept here: .*maestro\.json/);
  await refused(422, 'key', 'POST', '/config', { key: 'server.key', value: 'sk-maestro-mine' });
  await refused(422, 'key', 'POST', '/config', { key: 'registry.file', value: '/etc/passwd' });
  await refused(422, 'key', 'POST', '/config', { key: 'server.port', value: '1' });
  await refused(422, 'server.limits.writeLowBytes', 'POST', '/config', { key: 'server.limits.writeLowBytes', value: '1GiB' });
  await refused(404, undefined, 'GET', '/config/log.format');
  await refused(404, undefined, 'DELETE', '/config/log.format');
  await ok('PUT', '/config', { log: { level: null }, server: { origins: null, limits: { headerCount: null } } });
  await ok('DELETE', '/config/fallback.maxRetries');
  assert.equal((await ok('GET', '/config')).fallback.maxRetries, 2);
  assert.deepEqual((await ok('GET', '/config/raw')).configs, []);
  // What is shown may be said back, whole, and then forgotten.
  const all = await ok('GET', '/config');
  await ok('PUT', '/config', all);
  assert.deepEqual(await ok('GET', '/config'), all);
  const kept = (await ok('GET', '/config/raw')).configs.map((c) => c.key);
  assert.ok(kept.includes('logs.keepDays') && kept.includes('guards.leak.enabled'), kept.join());
  const without = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, v && typeof v === 'object' && !Array.isArray(v) ? without(v) : null]));
  await ok('PUT', '/config', without(all));
  assert.deepEqual((await ok('GET', '/config/raw')).configs, []);
});

test('what was read may be changed only as it was read', async () => {
  await ok('POST', '/model-groups', { name: 'tagged' });
  const read = await admin('GET', '/model-groups/tagged');
  const tag = read.headers.get('etag');
  assert.equal((await admin('PUT', '/model-groups/tagged', { priority: 3 }, { 'if-match': tag })).status, 200);
  assert.equal((await admin('PUT', '/model-groups/tagged', { priority: 4 }, { 'if-match': tag })).status, 412);
  await ok('DELETE', '/model-groups/tagged');
  await ok('POST', '/model-mappings', { display_name: 'tagged', real_name: 'alpha', node_ids: ['one', 'two'] });
  const alias = (await admin('GET', '/model-mappings/tagged')).headers.get('etag');
  const upsert = { display_name: 'tagged', real_name: 'alpha', node_ids: ['two'] };
  assert.equal((await admin('POST', '/model-mappings', upsert, { 'if-match': alias })).status, 200);
  assert.equal((await admin('POST', '/model-mappings', upsert, { 'if-match': alias })).status, 412);
  const [row] = (await ok('GET', '/audit-logs?limit=1')).logs;
  assert.deepEqual([row.entity_type, row.entity_id, row.details.before.node_ids.length, row.details.after.node_ids], ['alias', 'tagged', 2, ['two']]);
  await ok('DELETE', '/model-mappings/tagged');
});

test('a change of the file shadows, and circles in it change nothing', async () => {
  await ok('POST', '/model-mappings', { display_name: 'later', real_name: 'two/gamma' });
  const path = join(home, 'config', 'maestro', 'maestro.json');
  const next = config();
  next.aliases.later = 'one/beta';
  writeFileSync(path, JSON.stringify(next));
  await until('the declared one', async () => (await chat('later')).used === 'one/beta');
  const rows = (await ok('GET', '/model-mappings')).filter((m) => m.display_name === 'later');
  assert.deepEqual(rows.map((m) => [m.source, m.shadowed]), [['declared', false], ['stored', true]]);
  next.aliases.declared = 'chain';
  writeFileSync(path, JSON.stringify(next));
  await until('the diagnostic', () => /names lead in a circle/.test(serve.output));
  assert.equal((await chat('declared')).used, 'one/alpha', 'the old one goes on');
  writeFileSync(path, JSON.stringify(config()));
  await until('the stored one again', async () => (await chat('later')).used === 'two/gamma');
  await ok('DELETE', '/model-mappings/later');
});

test('maestro check tells both places of a name, and circles', async () => {
  const check = async (text) => run(['check'], { home: (() => { const h = makeHome(); writeFileSync(join(h, 'config', 'maestro', 'maestro.json'), text); return h; })() });
  const twice = await check('{\n "aliases": {"a": "x/y"},\n "groups": {"a": {"members": []}}\n}');
  assert.equal(twice.code, 3, twice.stderr);
  assert.match(twice.stderr, /maestro\.json:2:.*line 3/s);
  const circle = await check('{"aliases": {"a": "b", "b": "a"}}');
  assert.match(circle.stderr, /"a" -> "b" -> "a"/);
  const same = await check('{"aliases": {"a": [{"model": "x", "node": "n"},\n {"model": "y", "node": "n"}]}}');
  assert.match(same.stderr, /already in line 1/);
});

test('seeds are laid once, by a server or without one; names are exported and come back', async () => {
  const first = await run(['store', 'seed', '--json'], { home, env: { MAESTRO_API_KEY: KEY } });
  assert.equal(first.code, 0, first.stderr);
  const rows = JSON.parse(first.stdout).rows;
  assert.deepEqual(rows.filter((r) => r.kind === 'tool_set').map((r) => r.name), ['full', 'standard', 'extended', 'basic', 'minimal', 'readonly']);
  assert.ok(rows.every((r) => r.state === 'added'));
  await ok('PUT', '/model-config/kimi', { unsupported_params: ['seed'] });
  assert.match((await run(['store', 'seed', '--status'], { home })).stdout, /kimi +changed/);
  assert.match((await run(['store', 'seed'], { home })).stdout, /0 of 15/);
  assert.match((await run(['store', 'seed', '--reset'], { home })).stdout, /kimi +restored[\s\S]*1 of 15/);
  assert.deepEqual((await ok('GET', '/model-config/kimi')).unsupported_params, ['top_p']);
  assert.equal((await chat('one/kimi', { top_p: 1 })).dropped, 'top_p', 'in force at once');

  await ok('POST', '/model-mappings', { display_name: 'kept', real_name: 'one/alpha', node_ids: ['one'] });
  const out = join(home, 'names.jsonl');
  assert.equal((await run(['store', 'export', out], { home })).code, 0);
  const other = makeHome();
  const imported = await run(['store', 'import', out], { home: other });
  assert.match(imported.stdout, / 16 names /);
  assert.match((await run(['store', 'seed', '--status'], { home: other })).stdout, /readonly +as delivered/);
  const again = await run(['store', 'import', out], { home: other });
  assert.notEqual(again.code, 0, 'what is there is not doubled');
  assert.match(again.stderr, /there is an? \w+ "[^"]+" already/, 'and it is named');
  const cut = readFileSync(out, 'utf8').trimEnd().split('\n').slice(0, -2).join('\n'); // the nodes' head, and the last name
  writeFileSync(out, cut);
  assert.match((await run(['store', 'import', out], { home: makeHome() })).stderr, /it was cut/);
  await ok('DELETE', '/model-mappings/kept');
});

test('lists come in pages by number, declared ones first, and what goes meanwhile shifts none', async () => {
  const pages = async (path, of, size) => {
    const seen = [];
    for (let at = `${path}?limit=${size}`; at;) {
      const reply = await admin('GET', at);
      assert.equal(reply.status, 200, JSON.stringify(reply.body));
      const rows = of(reply.body), next = /^<\/admin(.*)>; rel="next"$/.exec(reply.headers.get('link') ?? '');
      assert.ok(rows.length === size || !next, 'a page that is not the last one is full');
      seen.push(...rows);
      at = next?.[1];
    }
    return seen;
  };
  const lists = [
    ['/model-mappings', (b) => b, (i) => ({ display_name: `m${i}`, real_name: 'one/alpha' }), (r) => encodeURIComponent(r.display_name)],
    ['/model-groups', (b) => b.groups, (i) => ({ name: `g${i}` }), (r) => r.name],
    ['/tool-sets', (b) => b, (i) => ({ name: `t${i}`, tools: ['x'] }), (r) => r.id],
    ['/model-config', (b) => b, (i) => ({ model_prefix: `c${i}` }), (r) => r.id],
    ['/system-prompts', (b) => b, (i) => ({ scope_type: 'model', scope_value: `none-${i}*`, prompt: 'x' }), (r) => r.id],
  ];
  for (const [path, of, row, key] of lists) {
    const made = [];
    for (let i = 0; i < 5; i++) made.push(await ok('POST', path, row(i)));
    const whole = of(await ok('GET', path));
    assert.ok(whole.length >= 5);
    for (const size of [1, 2, 3, 500]) assert.deepEqual(await pages(path, of, size), whole, `${path} by ${size}`);
    const [third, fourth] = [whole.at(-3), whole.at(-2)];
    await ok('DELETE', `${path}/${key(third)}`); // the one that a page ended with
    assert.deepEqual(of((await admin('GET', `${path}?limit=1&after=${third.id}`)).body)[0], fourth, path);
    await refused(422, 'limit', 'GET', `${path}?limit=501`);
    await refused(422, 'after', 'GET', `${path}?after=x`);
    for (const r of made) if (r.id !== third.id) await ok('DELETE', `${path}/${key(r)}`);
  }
  assert.equal((await ok('GET', '/model-groups?limit=1')).total, (await ok('GET', '/model-groups')).groups.length);
  await refused(422, 'after', 'GET', `/model-groups?after=${2 ** 48}`);
});

test('only administrators change names, and nobody else reads them', async () => {
  const { token } = await ok('POST', '/users', { username: 'plain', has_all_models: true });
  for (const path of ['/model-mappings', '/model-groups', '/tool-sets', '/model-config', '/system-prompts', '/config', '/seed']) {
    for (const prefix of ['/admin', '/api/admin']) {
      const reply = await fetch(serve.url + prefix + path, { headers: { authorization: `Bearer ${token}` } });
      assert.ok([401, 403].includes(reply.status), `${prefix}${path}: ${reply.status}`);
    }
  }
  await ok('DELETE', '/users/plain');
});

test('names outlive the server, and a store that fails', async () => {
  await ok('POST', '/model-mappings', { display_name: 'lasting', real_name: 'one/alpha' });
  await ok('POST', '/model-mappings/invalidate-cache');
  serve.child.kill('SIGTERM'); // stop() would take the home along
  assert.equal(await serve.exited, 0);
  for (const log of ['-wal', '-shm']) rmSync(join(home, 'data', 'maestro', `maestro.db${log}`), { force: true });
  writeFileSync(join(home, 'data', 'maestro', 'maestro.db'), 'this is no database. '.repeat(500));
  assert.ok(existsSync(join(home, 'data', 'maestro', 'names.jsonl')));
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '1' }, home });
  assert.equal((await chat('lasting')).used, 'one/alpha');
  assert.equal((await admin('POST', '/model-mappings', { display_name: 'x', real_name: 'one/alpha' })).status, 503);
});
