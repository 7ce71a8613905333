// Teams, and limits of users, tokens, teams and models through a real server: the admin API, and what binds the next call.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMock, startServe, run, makeHome, user, until, sleep, KEY } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
let mock, serve, home;

const config = () => ({
  providers: {
    up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-1', models: {
      alpha: { price: { in: 10000, out: 20000 }, maxOutput: 100 }, beta: { price: { in: 1, out: 2 } }, unpriced: {} } },
    other: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-2', models: { beta: { price: { in: 1, out: 2 } } } },
  },
});

async function admin(method, path, body, headers = {}) {
  const reply = await fetch(`${serve.url}/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : undefined, tag: reply.headers.get('etag') };
}
async function ok(method, path, body) {
  const r = await admin(method, path, body);
  assert.ok(r.status < 300, `${method} ${path}: ${r.status} ${JSON.stringify(r.body)}`);
  return r.body;
}
const make = (name, more = {}) => ok('POST', '/users', { username: name, has_all_models: true, ...more });
const chat = (token, model, more = {}, path = '/v1/chat/completions') => fetch(serve.url + path, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  body: JSON.stringify({ model, messages: user('[[mock:echo]] hi'), ...more }),
});
const status = async (...args) => (await chat(...args)).status;
const message = async (...args) => (await (await chat(...args)).json()).error.message;

/** Far enough from the next minute that a test sees one window. */
async function early() {
  while (new Date().getSeconds() > 45) await sleep(500);
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

test('limits of a user: the reference\'s shape, all members, replaced, merged, taken away', async () => {
  await make('ann');
  const none = {
    username: 'ann', budget_usd: null, period: 'total', request_limit: null, token_limit: null, requests_per_minute: null,
    requests_per_day: null, tokens_per_minute: null, tokens_per_day: null, concurrency: null, min_output: 16, trim: false,
  };
  assert.deepEqual(await ok('GET', '/users/ann/limits'), none);
  const set = await ok('POST', '/users/ann/limits', { request_limit: 100, token_limit: 5000 });
  assert.deepEqual(set, { ...none, request_limit: 100, token_limit: 5000, requests_per_day: 100, tokens_per_day: 5000 });
  assert.deepEqual(await ok('GET', '/users/ann/limits'), set);
  const merged = await ok('PATCH', '/users/ann/limits', { budget_usd: 1.5, period: 'month', trim: true, min_output: 8 });
  assert.deepEqual(merged, { ...set, budget_usd: 1.5, period: 'month', trim: true, min_output: 8 });
  assert.deepEqual((await ok('GET', '/users/ann')).limits.budget_usd, 1.5);
  const cleared = await ok('PATCH', '/users/ann/limits', { request_limit: null, budget_usd: null });
  assert.equal(cleared.requests_per_day, null);
  assert.equal(cleared.budget_usd, null);
  assert.equal(cleared.token_limit, 5000);
  const replaced = await ok('PUT', '/users/ann/limits', { concurrency: 2 });
  assert.deepEqual(replaced, { ...none, concurrency: 2 });
  assert.equal((await admin('DELETE', '/users/ann/limits')).status, 204);
  assert.deepEqual(await ok('GET', '/users/ann/limits'), none);
  assert.equal((await ok('GET', '/users/ann')).limits, null);
});

test('what cannot be a limit is refused with its path, and leaves no trace', async () => {
  await make('bad');
  await ok('POST', '/teams', { name: 'bad' });
  const rows = (await ok('GET', '/audit-logs')).total;
  for (const [body, code, param] of [
    [{ request_limit: 0 }, 422, 'request_limit'], [{ request_limit: -1 }, 422, 'request_limit'], [{ request_limit: 1.5 }, 422, 'request_limit'],
    [{ request_limit: '5' }, 422, 'request_limit'], [{ token_limit: 4000000001 }, 422, 'token_limit'], [{ requests: 5 }, 422, 'requests'],
    [{ budget_usd: -1 }, 422, 'budget_usd'], [{ budget_usd: 1000001 }, 422, 'budget_usd'], [{ budget_usd: 'x' }, 422, 'budget_usd'],
    [{ budget_usd: 0.0000000001 }, 422, 'budget_usd'], [{ period: 'week' }, 422, 'period'], [{ trim: 1 }, 422, 'trim'],
    [{ concurrency: 0 }, 422, 'concurrency'], [{ min_output: 0 }, 422, 'min_output'],
    [{ request_limit: 5, requests_per_day: 6 }, 422, 'request_limit'], [[], 422, ''],
  ]) for (const path of ['/users/bad/limits', '/users/bad/tokens/default/limits', '/teams/bad/limits', '/model-limits/up/beta']) {
    const r = await admin('POST', path, body);
    assert.equal(r.status, code, `${path} ${JSON.stringify(body)}: ${JSON.stringify(r.body)}`);
    assert.equal(r.body.error.param ?? '', param, JSON.stringify(r.body));
  }
  for (const [method, path, body] of [
    ['GET', '/users/nobody/limits'], ['POST', '/users/nobody/limits', {}], ['DELETE', '/users/nobody/limits'], ['GET', '/users/nobody/balance'],
    ['GET', '/users/bad/tokens/none/limits'], ['POST', '/users/bad/tokens/none/limits', {}], ['GET', '/teams/none'], ['GET', '/teams/none/limits'],
    ['PATCH', '/teams/none', {}], ['DELETE', '/teams/none'], ['GET', '/teams/none/members'], ['POST', '/teams/none/limits', {}],
    ['POST', '/model-limits/up/none', {}], ['GET', '/model-limits/up/alpha'], ['DELETE', '/model-limits/up/alpha'], ['POST', '/model-limits/alpha', {}],
  ]) assert.equal((await admin(method, path, body)).status, 404, `${method} ${path}`);
  assert.equal((await admin('POST', '/teams', { name: 'bad' })).status, 409);
  for (const [body, param] of [[{}, 'name'], [{ name: '' }, 'name'], [{ name: 'a/b' }, 'name'], [{ name: 'x', models: 'y' }, 'models'],
    [{ name: 'x', nodes: ['a', 'a'] }, 'nodes[1]'], [{ name: 'x', more: 1 }, 'more']]) {
    const r = await admin('POST', '/teams', body);
    assert.equal(r.status, 422, JSON.stringify(body));
    assert.equal(r.body.error.param, param);
  }
  assert.equal((await admin('PATCH', '/users/bad', { team: 'none' })).body.error.param, 'team');
  assert.equal((await ok('GET', '/audit-logs')).total, rows);
});

test('a team\'s lists narrow what its members may use; an empty list restricts nothing', async () => {
  const { token } = await make('carl', { team: null });
  await ok('POST', '/teams', { name: 'red', models: ['beta'], nodes: ['up'] });
  assert.equal(await status(token, 'alpha', { max_tokens: 5 }), 200);
  assert.equal((await ok('PATCH', '/users/carl', { team: 'red' })).team, 'red');
  assert.deepEqual((await ok('GET', '/teams/red/members')).members, ['carl']);
  assert.equal(await status(token, 'alpha'), 403);
  assert.match(await message(token, 'alpha'), /your team has no access to this model/);
  assert.equal(await status(token, 'up/beta'), 200);
  assert.match(await message(token, 'other/beta'), /your team has no access to a provider/);
  const listed = async () => (await (await fetch(`${serve.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).json()).data.map((m) => m.id).filter((id) => id !== 'maestro-auto');
  assert.ok((await listed()).every((id) => id.endsWith('beta')), String(await listed()));
  const team = await ok('PATCH', '/teams/red', { models: [], nodes: [] });
  assert.deepEqual([team.models, team.nodes, team.limits], [[], [], null]);
  assert.equal(await status(token, 'other/beta'), 200);
  await ok('POST', '/users/carl/models', { models: ['alpha'] });
  assert.equal(await status(token, 'beta'), 403, 'the user\'s own list still counts');
  const kept = await admin('DELETE', '/teams/red');
  assert.equal(kept.status, 409);
  assert.match(kept.body.detail, /"carl"/);
  await ok('PATCH', '/users/carl', { team: null });
  assert.equal((await admin('DELETE', '/teams/red')).status, 204);
  assert.equal((await admin('GET', '/teams/red')).status, 404);
});

test('money: all have to agree, the refusal says whose budget it was and what is missing', async () => {
  const { token } = await make('dora');
  await ok('POST', '/teams', { name: 'blue' });
  await ok('PATCH', '/users/dora', { team: 'blue' });
  const ask = { max_tokens: 100, n: 1 };
  const bytes = Buffer.byteLength(JSON.stringify({ model: 'alpha', messages: user('[[mock:echo]] hi'), ...ask }));
  const bound = BigInt(512 + bytes) * 10000000n + 100n * 20000000n + 5n;
  const nano = (text) => BigInt(Math.round(Number(text) * 1e9));
  for (const [path, whose] of [
    ['/users/dora/limits', 'your'], ['/teams/blue/limits', "your team's"], ['/users/dora/tokens/default/limits', "this token's"],
    ['/model-limits/up/alpha', "this model's"],
  ]) {
    await ok('POST', path, { budget_usd: 6, period: 'month' });
    const r = await chat(token, 'alpha', ask);
    assert.equal(r.status, 402, path);
    const text = (await r.json()).error.message;
    const [, said, left, missing] = /up to \$\S+, and (.*) monthly budget has \$(\S+) left: \$(\S+) are missing/.exec(text) ?? [text];
    assert.equal(said, whose, text);
    assert.ok(nano(left) <= 6000000000n && nano(left) > 5000000000n, text);
    assert.equal(nano(missing), bound - nano(left), text);
    assert.equal(await status(token, 'unpriced'), path === '/model-limits/up/alpha' ? 200 : 402, `${path}: a model without a price`);
    await ok('POST', path, { budget_usd: 7.9, period: 'month', trim: true });
    const trimmed = await chat(token, 'alpha', ask);
    assert.equal(trimmed.status, 200, `${path}: ${await trimmed.text()}`);
    assert.ok(Number(trimmed.headers.get('x-maestro-max-tokens')) < 100, path);
    assert.equal((await admin('DELETE', path)).status, 204);
  }
  const balance = (await ok('GET', '/users/dora/balance')).balances;
  assert.deepEqual(balance.map((b) => b.name), ['user dora', 'team blue']);
  assert.ok(balance[0].spent_usd > 0);
  assert.equal(balance[1].spent_usd, balance[0].spent_usd);
});

test('rates: the tightest is told, whoever\'s it is, and nothing is taken by a call that another one refuses', async () => {
  const { token } = await make('emma');
  await ok('POST', '/teams', { name: 'green' });
  await ok('PATCH', '/users/emma', { team: 'green' });
  await ok('POST', '/users/emma/limits', { requests_per_minute: 9, tokens_per_day: 100000 });
  await ok('POST', '/teams/green/limits', { requests_per_day: 3 });
  await early();
  for (let left = 2; left >= 0; left--) {
    const r = await chat(token, 'beta');
    assert.equal(r.status, 200);
    assert.equal(r.headers.get('x-ratelimit-limit-requests'), '3');
    assert.equal(r.headers.get('x-ratelimit-remaining-requests'), String(left));
    assert.equal(r.headers.get('x-ratelimit-limit-tokens'), '100000');
  }
  const refused = await chat(token, 'beta');
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.match((await refused.json()).error.message, /your team's limit of 3 requests a day is reached/);
  await ok('DELETE', '/teams/green/limits');
  assert.equal((await chat(token, 'beta')).headers.get('x-ratelimit-remaining-requests'), '5', 'the refused one took none of the user\'s');
});

test('a model\'s limit binds everybody, server keys included; another candidate is asked instead', async () => {
  const { token } = await make('finn');
  await early();
  await ok('POST', '/model-limits/up/beta', { requests_per_minute: 2 });
  assert.deepEqual((await ok('GET', '/model-limits')).map((l) => l.model), ['up/beta']);
  assert.equal(await status(token, 'up/beta'), 200);
  assert.equal(await status(KEY, 'up/beta'), 200);
  assert.equal(await status(token, 'up/beta'), 429);
  assert.match(await message(KEY, 'up/beta'), /this model's limit of 2 requests a minute is reached/);
  const instead = await chat(token, 'beta');
  assert.equal(instead.status, 200, 'the same model elsewhere');
  assert.equal((await instead.json()).model, 'other/beta');
  assert.equal((await admin('DELETE', '/model-limits/up%2Fbeta')).status, 204);
  assert.equal(await status(token, 'up/beta'), 200);
});

test('one that is made again inherits nothing; a renewed token keeps its account', async () => {
  const { token } = await make('gina');
  await ok('POST', '/users/gina/limits', { budget_usd: 9 });
  await ok('POST', '/users/gina/tokens/default/limits', { budget_usd: 8 });
  assert.equal(await status(token, 'alpha', { max_tokens: 5 }), 200);
  const spent = async () => (await ok('GET', '/users/gina/balance')).balances.map((b) => b.spent_usd);
  const [first] = await spent();
  assert.ok(first > 0);
  await ok('PUT', '/users/gina/token');
  assert.deepEqual(await spent(), [first, first]);
  await ok('DELETE', '/users/gina');
  const again = await make('gina');
  assert.deepEqual(await spent(), [0]);
  assert.equal(again.limits, null);
  assert.equal(await status(again.token, 'alpha', { max_tokens: 5 }), 200);
});

test('a change by somebody who saw it as it was no more is refused', async () => {
  await make('hugo');
  const { tag } = await admin('GET', '/users/hugo/limits');
  assert.equal((await admin('POST', '/users/hugo/limits', { concurrency: 1 }, { 'if-match': tag })).status, 200);
  assert.equal((await admin('POST', '/users/hugo/limits', { concurrency: 2 }, { 'if-match': tag })).status, 412);
  assert.equal((await ok('GET', '/users/hugo/limits')).concurrency, 1);
  const log = (await ok('GET', '/audit-logs?entity_id=hugo')).logs;
  assert.deepEqual(log.map((l) => l.action), ['limits_set', 'create']);
  assert.equal(log[0].details.before.concurrency, null);
  assert.equal(log[0].details.after.concurrency, 1);
});

test('figures: who is limited is shown to operators, a caller sees what binds it', async () => {
  const { token } = await make('ines');
  await ok('POST', '/users/ines/limits', { budget_usd: 3 });
  const limits = async (credential) => (await (await fetch(`${serve.url}/healthz`, { headers: { authorization: `Bearer ${credential}` } })).json()).limits;
  assert.ok((await limits(KEY)).some((l) => l.name === 'user ines' && l.budget_usd === 3));
  const scraped = async () => (await fetch(`${serve.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  assert.match(await scraped(), /maestro_build_info/);
  assert.doesNotMatch(await scraped(), /account|maestro_budget/);
  await ok('PATCH', '/users/ines', { role: 'viewer' });
  assert.match(await scraped(), /maestro_budget_left_usd\{account="user ines"\} 3\n/);
  assert.deepEqual((await limits(token)).map((l) => l.name), ['user ines']);
  assert.match(await serve.metrics(), /maestro_budget_left_usd\{account="user ines"\} 3\n/);
  await ok('DELETE', '/users/ines/limits');
  assert.doesNotMatch(await serve.metrics(), /maestro_budget_left_usd\{account="user ines"\}/);
  await ok('POST', '/users/ines/limits', { budget_usd: 2.5, period: 'day' });
  const shown = await run(['user', 'show', 'ines'], { home, env: { ADMIN_TOKEN: ADMIN } });
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /budget \$2\.5 a day, \$2\.5 left/);
});

test('limits survive a restart, a store that fails, and an export', async () => {
  const { token } = await make('jana');
  await ok('POST', '/teams', { name: 'gold', models: ['*'] });
  await ok('PATCH', '/users/jana', { team: 'gold' });
  await ok('POST', '/teams/gold/limits', { budget_usd: 8, period: 'month' });
  await ok('POST', '/users/jana/tokens/default/limits', { concurrency: 3 });
  await ok('POST', '/model-limits/other/beta', { tokens_per_day: 5000 });
  assert.equal(await status(token, 'alpha', { max_tokens: 5 }), 200);
  const before = (await ok('GET', '/users/jana/balance')).balances;
  await until('people.jsonl to have it', () => /"gold"/.test(readFileSync(join(home, 'data/maestro/people.jsonl'), 'utf8')), 15000);
  serve.child.kill('SIGKILL');
  await serve.exited;
  const shown = (await run(['user', 'show', 'jana'], { home })).stdout;
  assert.match(shown, /\n {2}token default: 3 calls at the same time\n/, 'without a server, too');
  const exported = await run(['store', 'export'], { home });
  assert.equal(exported.code, 0, exported.stderr);
  const elsewhere = makeHome(), file = join(home, 'people.export');
  writeFileSync(file, exported.stdout);
  const imported = await run(['store', 'import', file], { home: elsewhere });
  assert.equal(imported.code, 0, imported.stderr);
  const strip = (text) => text.replace(/"(id|created_us|updated_us|life|sessions_from_us)":\d+,?/g, '');
  assert.equal(strip((await run(['store', 'export'], { home: elsewhere })).stdout), strip(exported.stdout));
  rmSync(elsewhere, { recursive: true });
  for (const broken of [false, true]) {
    if (broken) for (const name of ['maestro.db', 'maestro.db-wal', 'maestro.db-shm']) writeFileSync(join(home, 'data/maestro', name), 'no database, and longer than a header of one hundred bytes ......................................');
    serve = await startServe({ home, env: { ADMIN_TOKEN: ADMIN } });
    const balances = (await ok('GET', '/users/jana/balance')).balances;
    assert.deepEqual(balances.map((b) => [b.name, b.spent_usd]), before.map((b) => [b.name, b.spent_usd]), `broken: ${broken}`);
    assert.equal((await ok('GET', '/teams/gold')).limits.budget_usd, 8);
    assert.equal((await ok('GET', '/model-limits/other/beta')).token_limit, 5000);
    assert.equal(await status(token, 'alpha', { max_tokens: 100 }), 402);
    if (broken) assert.equal((await admin('POST', '/teams/gold/limits', {})).status, 503);
    serve.child.kill('SIGTERM');
    await serve.exited;
  }
});
