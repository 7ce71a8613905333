// The request log through a real server: every request for a model has a row, refused ones too; lists, figures, exports
// and `maestro stats` tell the same; neither a prompt nor a secret nor a query is in any of it.
import { test, after, before } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMock, startServe, run, makeHome, user, until, KEY } from './harness.js';

const ADMIN = 'admin-token-of-the-tests';
const PROMPT = 'the prompt that nobody may keep';
let mock, serve, home, ann, bob;

const config = () => ({
  providers: {
    up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-upstream-secret-1', models: {
      alpha: { price: { in: 1, out: 2 } }, beta: {} } },
  },
  priorities: ['up/alpha'],
});

async function admin(path, { token = ADMIN, method = 'GET', body, raw = false } = {}) {
  const reply = await fetch(serve.url + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, text, body: raw ? undefined : JSON.parse(text) };
}

const log = async (query = '') => (await admin(`/admin/dashboard/requests-log${query}`)).body;
const call = (path, body, headers = {}) => fetch(serve.url + path, {
  method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body),
});
const chat = (model, token, more = {}, headers = {}) => call('/v1/chat/completions',
  { model, messages: user(`[[mock:echo]] ${PROMPT}`), ...more }, { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers });

/** The log once it has as many rows as that query should find. */
const rows = (n, query = '') => until(`${n} rows of ${query}`, async () => {
  const page = await log(query);
  return page.total === n && page;
});

async function make(name, more) {
  const made = await admin('/admin/users', { method: 'POST', body: { username: name, ...more } });
  assert.equal(made.status, 201, made.text);
  return made.body.token;
}

before(async () => {
  mock = await startMock();
  home = makeHome();
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN, MAESTRO_WORKERS: '2' }, home });
  ann = await make('ann', { has_all_models: true });
  bob = await make('bob', { models: ['beta'] });
});
after(async () => {
  await serve?.stop();
  await mock?.stop();
});

let total = 0; // rows so far: the tests below count on each other's order

test('a call has a row with what is known of it', async () => {
  const reply = await chat('alpha', ann, {}, { 'user-agent': 'OpenAI/JS 7.55.0' });
  assert.equal(reply.status, 200);
  const answer = await reply.json();
  const page = await rows(++total, '');
  assert.deepEqual(page.logs, page.requests);
  const [row] = page.logs;
  assert.equal(row.username, 'ann');
  assert.match(row.principal, /^user:\d+$/);
  assert.equal(row.model_name, 'alpha');
  assert.equal(row.model, 'up/alpha');
  assert.equal(row.node, 'up');
  assert.equal(row.source, 'OpenAI-SDK');
  assert.equal(row.request_type, 'chat');
  assert.equal(row.url_path, '/v1/chat/completions');
  assert.equal(row.status_code, 200);
  assert.equal(row.error_code, null);
  assert.equal(row.is_stream, false);
  assert.equal(row.attempts, 1);
  assert.equal(row.prompt_tokens, answer.usage.prompt_tokens);
  assert.equal(row.completion_tokens, answer.usage.completion_tokens);
  assert.equal(row.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  const cost = (answer.usage.prompt_tokens * 1 + answer.usage.completion_tokens * 2) / 1e6;
  assert.ok(Math.abs(row.cost_usd - cost) < 1e-9, `${row.cost_usd} is not ${cost}`);
  assert.equal(row.trace_id, reply.headers.get('x-maestro-trace-id'));
  assert.ok(Math.abs(Date.parse(row.created_at) - Date.now()) < 60000);
  assert.ok(row.duration_ms > 0);
});

test('streams, other types and unknown prices', async () => {
  await (await chat('beta', ann, { stream: true })).text();
  await (await call('/v1/embeddings', { model: 'beta', input: PROMPT }, { authorization: `Bearer ${ann}` })).text();
  const used = async () => (await serve.metrics()).match(/^maestro_(tokens|cost_unknown)_total.*/gm);
  const before = await used();
  assert.ok(before.length);
  assert.equal((await call('/v1/messages/count_tokens', { model: 'alpha', messages: user(PROMPT) }, { 'x-api-key': ann })).status, 200);
  assert.deepEqual(await used(), before, 'what is counted is not used');
  await (await call('/v1beta/models/alpha:generateContent?key=' + ann, { contents: [{ role: 'user', parts: [{ text: PROMPT }] }] })).text();
  total += 4;
  const newest = (await rows(total)).logs.slice(0, 4); // two workers: rows of one moment come in any order
  const [gemini, count, embed, stream] = ['generateContent', 'count_tokens', 'embeddings', 'chat/completions']
    .map((end) => newest.find((row) => row.url_path.endsWith(end)));
  assert.equal(stream.is_stream, true);
  assert.ok(stream.ttft_ms > 0);
  assert.equal(stream.cost_usd, null, 'no price is not no cost');
  assert.equal(embed.request_type, 'embedding');
  assert.equal(count.request_type, 'count');
  assert.deepEqual([count.prompt_tokens, count.total_tokens, count.cost_usd, count.is_estimated], [null, null, null, false]);
  assert.equal(gemini.url_path, '/v1beta/models/{model}:generateContent', 'the template, never the target');
  assert.equal(gemini.source, 'Node.js');
});

test('refused requests have rows, too', async () => {
  const refused = [
    [await chat('alpha', 'sk-wrong-secret-credential'), 401, null, 'invalid_api_key'],
    [await chat('alpha', bob), 403, 'bob', 'permission_denied'],
    [await chat('nonesuch', ann), 404, 'ann', 'model_not_found'],
    [await call('/v1/chat/completions', { model: 'alpha' }, { authorization: `Bearer ${ann}` }), 400, 'ann', null],
    [await fetch(`${serve.url}/v1/chat/completions`, { headers: { authorization: `Bearer ${ann}` } }), 405, 'ann', 'method_not_allowed'],
  ];
  total += refused.length;
  const newest = (await rows(total)).logs.slice(0, refused.length);
  for (const [reply, status, name, code] of refused) {
    const row = newest.find((r) => r.status_code === status);
    assert.equal(reply.status, status);
    assert.equal(row.username, name);
    if (code) assert.equal(row.error_code, code);
    assert.ok(row.error_message);
    assert.equal(row.prompt_tokens, null);
    if (status === 404) assert.equal(row.model_name, 'nonesuch');
  }
  // Paths that are no model's have none: the admin's own, health, unknown ones.
  await fetch(`${serve.url}/health`);
  await fetch(`${serve.url}/nowhere`);
  await fetch(`${serve.url}/v1/models`, { headers: { authorization: `Bearer ${ann}` } });
  await rows(total);
});

test('a limit or a budget that refuses leaves a row, and so does a provider that fails', async () => {
  const capped = await make('capped', { has_all_models: true });
  const limit = async (limits) => assert.equal((await admin('/admin/users/capped/limits', { method: 'POST', body: limits })).status, 200);
  await limit({ requests_per_minute: 1, budget_usd: 1 });
  const first = await chat('alpha', capped);
  const second = await chat('alpha', capped);
  await limit({ budget_usd: 0.000000001 });
  const third = await chat('alpha', capped, { max_tokens: 100 });
  assert.deepEqual([first.status, second.status, third.status], [200, 429, 402]);
  total += 3;
  const refused = (await rows(total)).logs.slice(0, 3).filter((row) => row.error_code).sort((a, b) => a.status_code - b.status_code);
  assert.deepEqual(refused.map((r) => [r.status_code, r.error_code, r.username, r.asked_model, r.cost_usd]),
    [[402, 'insufficient_quota', 'capped', 'alpha', null], [429, 'rate_limit_exceeded', 'capped', 'alpha', null]]);
  await chat('alpha', ann, { messages: user('[[mock:fail-500]] x') });
  await chat('alpha', ann, { messages: user('[[mock:stream-cut]] x'), stream: true }).then((r) => r.text()).catch(() => {});
  total += 2;
  const newest = (await rows(total)).logs.slice(0, 2);
  const [cut, failed] = [200, 500].map((status) => newest.find((row) => row.status_code === status));
  assert.equal(failed.error_code, 'upstream_error');
  assert.ok(cut, 'its head was out');
  assert.equal(cut.error_code, 'upstream_cut');
  assert.ok(cut.is_estimated && cut.prompt_tokens > 0 && cut.completion_tokens > 0, 'what is charged is what was seen');
  assert.ok(Math.abs(cut.cost_usd - (cut.prompt_tokens * 1 + cut.completion_tokens * 2) / 1e6) < 1e-9, `${cut.cost_usd}`);
  assert.deepEqual([failed.prompt_tokens, failed.cost_usd], [null, null]);
  const errors = await log('?status_category=error&limit=200');
  assert.ok(errors.logs.some((r) => r.trace_id === cut.trace_id), 'a cut answer is no success');
});

test('filters combine', async () => {
  const all = (await log('?limit=200')).logs;
  const cases = [
    ['username=ann', (r) => r.username === 'ann'],
    ['username=nobody-of-that-name', () => false],
    ['model_name=ALP', (r) => /alp/i.test(`${r.asked_model} ${r.model}`)],
    ['status_code=404', (r) => r.status_code === 404],
    ['status_category=success', (r) => r.status_code < 400 && !r.error_code],
    ['request_type=embedding', (r) => r.request_type === 'embedding'],
    ['source=OpenAI-SDK', (r) => r.source === 'OpenAI-SDK'],
    ['url_path=%2Fv1%2Fembeddings', (r) => r.url_path === '/v1/embeddings'],
    ['username=ann&status_category=error&model_name=none', (r) => r.username === 'ann' && r.status_code >= 400 && r.asked_model === 'nonesuch'],
    [`start_date=${all[0].created_at.slice(0, 10)}&end_date=${all[0].created_at.slice(0, 10)}`, () => true],
    ['end_date=2020-01-01', () => false],
    [`start_date=${encodeURIComponent(new Date(Date.parse(all[3].created_at)).toISOString())}`, (r) => r.created_at >= all[3].created_at],
  ];
  for (const [query, keep] of cases) {
    const page = await log(`?limit=200&${query}`);
    const expected = all.filter(keep);
    assert.deepEqual(page.logs.map((r) => r.id), expected.map((r) => r.id), query);
    if (page.total !== null) assert.equal(page.total, expected.length, query);
  }
});

test('pages by cursor and by offset', async () => {
  const all = (await log('?limit=200')).logs.map((r) => r.id);
  const seen = [];
  for (let cursor = ''; cursor !== null;) {
    const page = await log(`?limit=3${cursor && `&cursor=${cursor}`}`);
    seen.push(...page.logs.map((r) => r.id));
    assert.ok(page.logs.length <= 3);
    cursor = page.next_cursor;
  }
  assert.deepEqual(seen, all);
  const linked = [];
  for (let path = '/admin/dashboard/requests-log?limit=4&username=ann'; path;) {
    const reply = await admin(path);
    linked.push(...reply.body.logs.map((r) => r.id));
    path = /<([^>]+)>; rel="next"/.exec(reply.headers.get('link') ?? '')?.[1].replace(/^https?:\/\/[^/]+/, '');
  }
  assert.deepEqual(linked, (await log('?limit=200&username=ann')).logs.map((r) => r.id));
  const page = await log('?limit=2&offset=4');
  assert.deepEqual(page.logs.map((r) => r.id), all.slice(4, 6));
  assert.equal(page.offset, 4);
  assert.equal((await log(`?offset=${all.length}`)).logs.length, 0);
});

test('bad parameters are refused by name', async () => {
  for (const [query, name] of [['limit=0', 'limit'], ['limit=201', 'limit'], ['offset=-1', 'offset'], ['offset=10001', 'offset'],
    ['status_code=ok', 'status_code'], ['status_category=all', 'status_category'], ['start_date=yesterday', 'start_date'],
    ['end_date=2026-02-30', 'end_date'], ['start_date=2026-02-02&end_date=2026-02-01', 'end_date'], ['cursor=x', 'cursor'],
    ['cursor=cffffffffffffffff', 'cursor'], ['after=1', 'after'], [`model_name=${'m'.repeat(201)}`, 'model_name'], ['username=%00', 'username'],
    ["username=%27%20OR%201=1", null]]) {
    const reply = await admin(`/admin/dashboard/requests-log?${query}`);
    if (!name) {
      assert.deepEqual(reply.body.logs, []);
      continue;
    }
    assert.equal(reply.status, 422, query);
    assert.equal(reply.body.error.param, name);
    assert.ok(reply.body.detail);
  }
  assert.equal((await admin('/admin/dashboard/requests-log/export?format=xml')).status, 422);
  assert.equal((await admin('/admin/dashboard/charts/tokens?period=5y')).status, 422);
  assert.equal((await admin('/api/admin/stats?days=0')).status, 422);
  assert.equal((await admin('/admin/users/ann/token-usage?start_date=x')).status, 422);
  for (const what of ['activity', 'token-usage', 'model-usage']) {
    const reply = await admin(`/admin/users/nobody/${what}`);
    assert.equal(reply.status, 404, what);
    assert.match(reply.body.detail, /nobody/);
  }
});

test('who may read it', async () => {
  const viewer = await make('viewer', { role: 'viewer' });
  for (const [path, token, status] of [
    ['/admin/dashboard/requests-log', null, 401], ['/admin/dashboard/requests-log', ann, 403], ['/admin/dashboard/requests-log', viewer, 200],
    ['/api/admin/dashboard/requests-log', KEY, 200], ['/api/admin/dashboard/requests-log', ann, 403],
    ['/admin/dashboard/stats', ann, 403], ['/admin/users/ann/activity', bob, 403], ['/api/admin/stats', KEY, 200], ['/api/admin/stats', null, 401],
  ]) assert.equal((await admin(path, { token })).status, status, `${path} of ${token}`);
});

test('figures are those of the rows', async () => {
  const all = (await log('?limit=200')).logs;
  const sum = (list, f) => list.reduce((n, r) => n + (f(r) ?? 0), 0);
  const stats = (await admin('/admin/dashboard/stats')).body;
  const good = all.filter((r) => r.status_code >= 200 && r.status_code < 400 && !r.error_code).length;
  assert.equal(stats.requests.today, all.length);
  assert.equal(stats.requests.today_success, good);
  assert.equal(stats.requests.today_errors, all.length - good);
  assert.equal(stats.requests.total, all.length);
  assert.equal(stats.tokens.today.prompt, sum(all, (r) => r.prompt_tokens));
  assert.equal(stats.tokens.all_time.completion, sum(all, (r) => r.completion_tokens));
  assert.equal(stats.users.active_today, 3);
  assert.ok(stats.users.total >= 3);
  assert.equal(stats.models.most_used[0].name, 'up/alpha');
  assert.equal(stats.models.most_used[0].requests, all.filter((r) => r.model === 'up/alpha').length);
  assert.equal(stats.system.request_log, 'ok');
  for (const [period, days] of [['7d', 7], ['2w', 14], ['1m', 30]]) {
    const chart = (await admin(`/admin/dashboard/charts/requests?period=${period}`)).body;
    assert.equal(chart.labels.length, days);
    assert.equal(chart.data.at(-1), all.length);
    assert.equal(chart.data.slice(0, -1).every((n) => n === 0), true);
  }
  const tokens = (await admin('/admin/dashboard/charts/tokens')).body;
  assert.equal(tokens.data.at(-1), stats.tokens.today.total);
  const models = (await admin('/admin/dashboard/charts/models')).body;
  assert.equal(models.data[models.labels.indexOf('up/beta')], all.filter((r) => r.model === 'up/beta').length);
});

test('use by users', async () => {
  const all = (await log('?limit=200')).logs;
  const anns = all.filter((r) => r.username === 'ann');
  const prompt = anns.reduce((n, r) => n + (r.prompt_tokens ?? 0), 0);
  const stats = (await admin('/admin/dashboard/user-stats')).body;
  const of = stats.users.find((u) => u.username === 'ann');
  assert.equal(stats.users[0].username, 'ann', 'the most used first');
  assert.equal(of.total_requests, anns.length);
  assert.equal(of.prompt_tokens, prompt);
  assert.equal(of.models.find((m) => m.model_name === 'up/beta').request_count, anns.filter((r) => r.model === 'up/beta').length);
  const usage = (await admin('/admin/users/ann/token-usage')).body;
  assert.equal(usage.usage.total_requests, anns.length);
  assert.equal(usage.usage.prompt_tokens, prompt);
  const none = (await admin('/admin/users/ann/token-usage?end_date=2020-01-01')).body;
  assert.equal(none.usage.total_requests, 0);
  assert.equal(none.period.end_date, '2020-01-01');
  const models = (await admin('/admin/users/ann/model-usage')).body;
  assert.deepEqual(models.model_usage.map((m) => m.model_name).sort(), ['up/alpha', 'up/beta']);
  const activity = (await admin('/admin/users/ann/activity?limit=2')).body;
  assert.deepEqual(activity.activities.map((r) => r.id), anns.slice(0, 2).map((r) => r.id));
  assert.equal(activity.total_returned, 2);
  assert.deepEqual((await admin('/admin/users/bob/activity')).body.activities.map((r) => r.status_code), [403]);
});

test('use by teams, of when their members were in them', async () => {
  const change = async (method, path, body) => {
    const r = await fetch(serve.url + path, { method, headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    assert.ok(r.status < 300, await r.text());
  };
  for (const name of ['red', 'blue', 'idle']) await change('POST', '/admin/teams', { name });
  for (const [team, calls] of [['red', 2], ['blue', 1]]) {
    await change('PATCH', '/admin/users/ann', { team });
    for (let i = 0; i < calls; i++) await (await chat('alpha', ann)).text();
    total += calls;
  }
  await change('PATCH', '/admin/users/ann', { team: null });
  const { logs } = await rows(total, '?limit=200');
  const of = (team) => logs.filter((r) => r.team === team);
  const { teams, total: count, period } = (await admin('/admin/dashboard/team-stats')).body;
  assert.deepEqual([count, teams.map((t) => [t.team, t.total_requests])], [2, [['red', 2], ['blue', 1]]]);
  assert.ok(period.start_date && period.end_date);
  for (const t of teams) {
    assert.equal(t.failed_requests, 0);
    assert.equal(t.prompt_tokens, of(t.team).reduce((n, r) => n + r.prompt_tokens, 0));
    assert.ok(Math.abs(t.cost_usd - of(t.team).reduce((n, r) => n + r.cost_usd, 0)) < 1e-9);
  }
  assert.equal((await admin('/admin/dashboard/team-stats?limit=1')).body.teams.length, 1);
  const red = (await admin('/admin/teams/red/token-usage')).body;
  assert.deepEqual([red.team, red.usage.total_requests, red.usage.prompt_tokens], ['red', 2, teams[0].prompt_tokens]);
  assert.equal((await admin('/admin/teams/red/token-usage?end_date=2020-01-01')).body.usage.total_requests, 0);
  assert.equal((await admin('/admin/teams/idle/token-usage')).body.usage.total_requests, 0);
  assert.equal((await admin('/admin/teams/none/token-usage')).status, 404);
  assert.equal((await admin('/admin/dashboard/team-stats?limit=0')).status, 422);
});

test('exports have every row, and no formula', async () => {
  await chat('=HYPERLINK("http://x")', ann);
  await rows(++total);
  const all = (await log('?limit=200')).logs;
  const csv = await admin('/admin/dashboard/requests-log/export?format=csv', { raw: true });
  assert.match(csv.headers.get('content-type'), /^text\/csv/);
  assert.match(csv.headers.get('content-disposition'), /attachment/);
  const lines = csv.text.trimEnd().split('\r\n');
  assert.equal(lines.length, all.length + 1);
  assert.ok(lines[0].startsWith('id,created_at,trace_id,username'));
  assert.ok(lines[1].includes('"\'=HYPERLINK(""http://x"")"'), lines[1]);
  assert.doesNotMatch(csv.text, /(^|,)"?[=+@]/m);
  const jsonl = await admin('/admin/dashboard/requests-log/export?format=jsonl&username=ann', { raw: true });
  assert.deepEqual(jsonl.text.trimEnd().split('\n').map((l) => JSON.parse(l)), all.filter((r) => r.username === 'ann'));
});

test('maestro stats, with the server and without it', async () => {
  const here = { home, env: { MAESTRO_API_KEY: KEY } };
  const told = (await admin('/api/admin/stats?days=7')).body;
  assert.equal(told.by_provider.up.request_count, told.total_requests);
  assert.equal(told.by_model['up/alpha'].request_count + told.by_model['up/beta'].request_count, told.total_requests);
  const filtered = (await admin('/api/admin/stats?model=beta')).body;
  assert.equal(filtered.total_requests, told.by_model['up/beta'].request_count, 'filters apply to the totals, too');
  const asked = await run(['stats', '--json'], here);
  assert.equal(asked.code, 0, asked.stderr);
  assert.deepEqual(JSON.parse(asked.stdout), told);
  const human = await run(['stats', '--days', '3', '--heatmap'], here);
  assert.match(human.stdout, /Total requests +\d/);
  assert.match(human.stdout, /alpha +up +\d/);
  const estimated = told.estimated_requests;
  const noted = new RegExp(`estimated for ${estimated} requests?, whose providers did not tell them all`);
  assert.equal(noted.test(human.stdout), estimated > 0, human.stdout);
  assert.match(human.stdout, /█/);
  assert.doesNotMatch(human.stdout, /\x1b/, 'no colour into a pipe');
  assert.equal((await run(['stats', '--days', '0'], here)).code, 2);
  assert.equal((await run(['stats', 'everything'], here)).code, 2);
  serve.child.kill('SIGTERM');
  assert.equal(await serve.exited, 0);
  const alone = await run(['stats', '--json'], here);
  assert.equal(alone.code, 0, alone.stderr);
  assert.deepEqual(JSON.parse(alone.stdout), told);
  assert.match((await run(['stats', '--model', 'nonesuch'], here)).stdout, /No usage data/);
});

test('after a restart the log goes on; nothing in it is a prompt or a secret', async () => {
  serve = await startServe({ config: config(), env: { ADMIN_TOKEN: ADMIN }, home });
  const before = (await log()).total;
  await chat('alpha', ann);
  await rows(before + 1);
  const folder = join(home, 'data', 'maestro', 'logs');
  assert.ok(existsSync(folder));
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name)).toString('latin1');
    for (const secret of [PROMPT, 'sk-wrong-secret', 'sk-upstream-secret', ann, ADMIN, KEY, 'key=']) {
      assert.ok(!bytes.includes(secret), `${name} has ${secret}`);
    }
  }
  const metrics = await serve.metrics();
  assert.match(metrics, /maestro_request_log_rows_total [1-9]/);
  assert.match(metrics, /maestro_request_log_dropped_total 0/);
});

test('switched off there are no rows, and no harm', async () => {
  const before = (await log()).total;
  const reloaded = async (enabled) => {
    const seen = (serve.output.match(/configuration in force/g) ?? []).length;
    serve.writeConfig({ ...config(), logs: { enabled } });
    await until('the reload', () => (serve.output.match(/configuration in force/g) ?? []).length > seen);
  };
  await reloaded(false);
  assert.equal((await chat('alpha', ann)).status, 200);
  await reloaded(true);
  await chat('beta', ann);
  const page = await rows(before + 1);
  assert.equal(page.logs[0].model_name, 'beta');
});
