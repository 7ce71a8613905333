// Budgets and rates of server keys: refusals in every dialect, what is billed when, and that nothing is lost or counted
// twice over failures, disconnects and a kill.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journal, spent, usd } from './journal.js';
import { KEY, makeHome, sleep, startMock, startServe, until, user } from './harness.js';

const slow = /asan|tsan/.test(process.env.MAESTRO_BIN ?? '');
const ADMIN = 'admin-token-of-the-tests';
let mock;
before(async () => { mock = await startMock(); });
after(async () => { await mock?.stop(); });

/** USD per million tokens; `dear` makes a token cost a cent and two. */
const models = {
  dear: { price: { in: 10000, out: 20000 }, maxOutput: 100 },
  cheap: { price: { in: 1, out: 2 }, maxOutput: 4096 },
  unpriced: {},
  free: { price: { in: 0, out: 0 } },
};
const config = (limits, more = {}) => ({
  providers: {
    up: { type: 'openai-compatible', baseURL: `${mock.url}/v1`, apiKey: 'sk-upstream-secret-0001', models },
    claude: { type: 'anthropic', baseURL: mock.url, apiKey: 'sk-upstream-secret-0002', models: { 'claude-mock': models.dear } },
    gem: { type: 'gemini', baseURL: `${mock.url}/v1beta`, apiKey: 'sk-upstream-secret-0003', models: { 'gem-mock': models.dear } },
    ...more.providers,
  },
  limits,
});
const health = async (serve, key = KEY) =>
  (await fetch(`${serve.url}/healthz`, { headers: { authorization: `Bearer ${key}` } })).json();
const account = async (serve, name = 'key:1') => (await health(serve)).limits.find((l) => l.name === name);

async function withServe(limits, fn, options = {}) {
  const serve = await startServe({ config: config(limits, options), ...options });
  try { await fn(serve); } finally { await serve.stop(); }
}

const chat = (serve, model, text, more = {}, headers = {}) =>
  serve.post('/v1/chat/completions', { model, messages: user(text), ...more }, headers);

// ---- refusals ----

test('402 with the exact shortfall, in every dialect', async () => {
  await withServe({ budgetUsd: 6 }, async (serve) => {
    // 512 template tokens and the body at a cent each, 100 tokens at two cents: more than six dollars.
    const shapes = [
      ['/v1/chat/completions', { model: 'dear', messages: user('x'), max_tokens: 100 }, (b) => [b.error.message, b.error.code === 'insufficient_quota']],
      ['/v1/responses', { model: 'dear', input: 'x', max_output_tokens: 100 }, (b) => [b.error.message, b.error.code === 'insufficient_quota']],
      ['/v1/completions', { model: 'dear', prompt: 'x', max_tokens: 100 }, (b) => [b.error.message, b.error.code === 'insufficient_quota']],
      ['/v1/messages', { model: 'dear', messages: user('x'), max_tokens: 100 }, (b) => [b.error.message, b.type === 'error' && b.error.type === 'billing_error']],
      ['/v1beta/models/dear:generateContent', { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { maxOutputTokens: 100 } }, (b) => [b.error.message, b.error.code === 402 && b.error.status === 'RESOURCE_EXHAUSTED']],
      ['/api/chat', { model: 'dear', messages: user('x'), options: { num_predict: 100 } }, (b) => [b.error, true]],
    ];
    for (const [path, body, read] of shapes) {
      const r = await serve.post(path, body), text = await r.text();
      assert.equal(r.status, 402, `${path}: ${text}`);
      const [message, ok] = read(JSON.parse(text));
      assert.ok(ok, `${path}: ${text}`);
      const bytes = Buffer.byteLength(JSON.stringify(body));
      const bound = BigInt(512 + bytes) * 10000000n + 100n * 20000000n + 5n;
      assert.match(message, new RegExp(`\\$${String(usd(bound)).replace('.', '\\.')}, `), `${path}: bound of ${bytes} bytes`);
      assert.match(message, new RegExp(`\\$${String(usd(bound - 6000000000n)).replace('.', '\\.')} are missing`));
    }
    assert.equal((await mock.requests()).requests.filter((q) => q.path !== '/v1/models').length, 0, 'nothing was sent');
    const m = await serve.metrics();
    assert.match(m, /maestro_refused_total\{reason="budget"\} 6/);
    assert.match(m, /maestro_budget_left_usd\{account="key:1"\} 6\n/);
  });
});

test('a model without a price is refused to a budget only; one that is free of charge is not', async () => {
  await withServe({ budgetUsd: 1 }, async (serve) => {
    const r = await chat(serve, 'unpriced', 'x');
    assert.equal(r.status, 402);
    assert.match((await r.json()).error.message, /price of "up\/unpriced" is not known/);
    assert.equal((await chat(serve, 'free', 'x')).status, 200);
  });
  await withServe({}, async (serve) => {
    const r = await chat(serve, 'unpriced', 'x', { maestro: {} });
    assert.equal(r.status, 200);
    assert.equal((await r.json()).maestro.cost_usd, null);
    const { rows } = journal(serve.home);
    assert.equal(rows.length, 1);
    assert.ok(rows[0].flags.unpriced && rows[0].amount === 0n);
  });
});

/** Far enough from the next minute that a test sees one window. */
async function early() {
  while (new Date().getSeconds() > (slow ? 30 : 50)) await sleep(500);
}

test('429 with Retry-After and the dialect\'s headers; each key has its own', async () => {
  await withServe({ requestsPerMinute: 3, tokensPerMinute: 100000 }, async (serve) => {
    await early();
    for (let i = 2; i >= 0; i--) {
      const r = await chat(serve, 'cheap', 'x');
      assert.equal(r.status, 200);
      assert.equal(r.headers.get('x-ratelimit-limit-requests'), '3');
      assert.equal(r.headers.get('x-ratelimit-remaining-requests'), String(i));
      assert.match(r.headers.get('x-ratelimit-reset-requests'), /^\d+s$/);
      assert.equal(r.headers.get('x-ratelimit-limit-tokens'), '100000');
    }
    const now = Date.now(), r = await chat(serve, 'cheap', 'x');
    assert.equal(r.status, 429);
    assert.equal((await r.json()).error.code, 'rate_limit_exceeded');
    const left = 60000 - now % 60000, told = Number(r.headers.get('retry-after-ms'));
    assert.ok(told <= left + 1 && told > left - 2000, `${told} of ${left}`);
    assert.equal(Number(r.headers.get('retry-after')), Math.ceil(told / 1000));
    const a = await serve.post('/v1/messages', { model: 'cheap', max_tokens: 5, messages: user('x') });
    assert.equal(a.status, 429);
    assert.equal((await a.json()).error.type, 'rate_limit_error');
    assert.equal(a.headers.get('anthropic-ratelimit-requests-limit'), '3');
    assert.equal(a.headers.get('anthropic-ratelimit-requests-remaining'), '0');
    const reset = Date.parse(a.headers.get('anthropic-ratelimit-requests-reset'));
    assert.ok(Math.abs(reset - (now + left)) < 2000);
    assert.equal(reset % 60000, 0, 'the end of a minute, to the second');
    assert.equal(a.headers.get('x-ratelimit-limit-requests'), null);
    const g = await serve.post('/v1beta/models/cheap:generateContent', { contents: [{ parts: [{ text: 'x' }] }] });
    assert.equal(g.status, 429);
    assert.equal((await g.json()).error.status, 'RESOURCE_EXHAUSTED');
    const o = await serve.post('/api/chat', { model: 'cheap', messages: user('x') });
    assert.equal(o.status, 429);
    assert.equal(typeof (await o.json()).error, 'string');
    const other = await chat(serve, 'cheap', 'x', {}, { authorization: 'Bearer sk-second-key-000001' });
    assert.equal(other.status, 200);
    assert.match(await serve.metrics(), /maestro_refused_total\{reason="requests"\} 4/);
  }, { env: { MAESTRO_API_KEYS: 'sk-second-key-000001' } });
});

test('tokens and concurrency', async () => {
  await withServe({ tokensPerMinute: 250 }, async (serve) => {
    await early();
    const big = await chat(serve, 'cheap', 'x', { max_tokens: 1000 });
    assert.equal(big.status, 429);
    assert.match((await big.json()).error.message, /alone needs more than the limit of 250 tokens a minute/);
    assert.equal(big.headers.get('retry-after'), null);
    assert.equal(big.headers.get('x-should-retry'), 'false');
    assert.equal((await chat(serve, 'cheap', `[[mock:echo]] ${'word '.repeat(100)}`)).status, 200);
    const r = await chat(serve, 'cheap', 'x'); // the answer's tokens count as well: the prompt and its echo
    assert.equal(r.status, 429);
    assert.ok(Number(r.headers.get('retry-after')) >= 1);
  });
  await withServe({ concurrency: 2 }, async (serve) => {
    const running = [chat(serve, 'cheap', '[[mock:slow-1000]]'), chat(serve, 'cheap', '[[mock:slow-1000]]')];
    await until('both to be in flight', async () => (await health(serve)).journal.in_flight === 2);
    const r = await chat(serve, 'cheap', 'x');
    assert.equal(r.status, 429);
    assert.equal(r.headers.get('retry-after'), '1');
    for (const one of running) assert.equal((await one).status, 200);
    assert.equal((await chat(serve, 'cheap', 'x')).status, 200);
  });
});

// ---- output limits ----

test('the output limit that a budget needs is said, trimmed where allowed, never below the minimum', async () => {
  const sent = async () => JSON.parse((await mock.requests()).requests.at(-1).body);
  await withServe({ budgetUsd: 9 }, async (serve) => {
    const r = await chat(serve, 'dear', '[[mock:echo]] x');
    assert.equal(r.status, 200);
    assert.equal(r.headers.get('x-maestro-max-tokens'), '100', 'the model\'s own maximum');
    assert.equal((await sent()).max_tokens, 100);
    const own = await chat(serve, 'dear', '[[mock:echo]] x', { max_completion_tokens: 7 });
    assert.equal(own.headers.get('x-maestro-max-tokens'), null);
    assert.equal((await sent()).max_completion_tokens, 7);
    const responses = await serve.post('/v1/responses', { model: 'dear', input: '[[mock:echo]] x' });
    assert.equal(responses.headers.get('x-maestro-max-tokens'), '100', await responses.text());
    assert.equal((await sent()).max_tokens, 100, 'translated');
    const gemini = await serve.post('/v1beta/models/gem-mock:generateContent', { contents: [{ role: 'user', parts: [{ text: '[[mock:echo]] x' }] }], generationConfig: { temperature: 1 } });
    assert.equal(gemini.headers.get('x-maestro-max-tokens'), '100', await gemini.text());
    assert.deepEqual((await sent()).generationConfig, { maxOutputTokens: 100, temperature: 1 }, 'relayed');
    const many = await chat(serve, 'dear', '[[mock:echo]] x', { n: 40, max_tokens: 10 });
    assert.equal(many.status, 402, 'forty answers of ten tokens');
  });
  for (const [limits, more, expected] of [
    [{ budgetUsd: 6.5 }, {}, 200],
    [{ budgetUsd: 6.5 }, { max_tokens: 100 }, 402],
    [{ budgetUsd: 6.5, trim: true }, { max_tokens: 100 }, 200],
    [{ budgetUsd: 6.5, trim: true, minOutput: 90 }, { max_tokens: 100 }, 402],
    [{ budgetUsd: 6.5, trim: true }, { max_tokens: 100, stream: true }, 200],
  ]) {
    await withServe(limits, async (serve) => {
      const r = await chat(serve, 'dear', 'x', more), label = JSON.stringify([limits, more]);
      assert.equal(r.status, expected, label);
      if (expected === 402) return;
      const bytes = Buffer.byteLength(JSON.stringify({ model: 'dear', messages: user('x'), ...more }));
      const rest = BigInt(6500000000) - BigInt(512 + bytes) * 10000000n - 5n;
      assert.equal(r.headers.get('x-maestro-max-tokens'), String(rest / 20000000n), label);
      assert.equal((await sent()).max_tokens, Number(rest / 20000000n), label);
      await r.text();
    });
  }
});

test('no limit is trimmed below what makes the request a fault with its vendor', async () => {
  const thinking = (budget_tokens) => ({ model: 'claude-mock', max_tokens: 5000, thinking: { type: 'enabled', budget_tokens }, messages: user('x') });
  await withServe({ budgetUsd: 60, trim: true }, async (serve) => {
    const trimmed = await serve.post('/v1/messages', thinking(1024));
    assert.equal(trimmed.status, 200, await trimmed.text());
    const limit = Number(trimmed.headers.get('x-maestro-max-tokens'));
    assert.ok(limit > 1024 && limit < 5000, String(limit));
    // 3000 tokens of thinking cannot be paid for: told so here, where a lower limit would be the vendor's 400.
    const refused = await serve.post('/v1/messages', thinking(3000));
    assert.equal(refused.status, 402);
    const dollars = /may cost up to \$([\d.]+)/.exec(await refused.text());
    assert.ok(Number(dollars[1]) > 60, 'the least that the request can cost');
  });
  // Of the Responses API no limit is below 16, whatever limits.minOutput says.
  for (const [budgetUsd, status] of [[6, 200], [5.7, 402]]) {
    await withServe({ budgetUsd, minOutput: 1 }, async (serve) => {
      const r = await serve.post('/v1/responses', { model: 'dear', input: 'x' });
      assert.equal(r.status, status, await r.text());
      if (status === 200) assert.ok(Number(r.headers.get('x-maestro-max-tokens')) >= 16);
    });
  }
});

// ---- what is billed ----

test('receipts and rows agree; what costs nothing has no row', async () => {
  await withServe({ budgetUsd: 1000 }, async (serve) => {
    const receipts = [];
    for (const [path, body] of [
      ['/v1/chat/completions', { model: 'dear', messages: user('[[mock:echo]] hello'), maestro: {} }],
      ['/v1/chat/completions', { model: 'dear', messages: user('[[mock:usage-cache+chunks-6]] hello'), maestro: {}, stream: true }],
      ['/v1/messages', { model: 'claude-mock', max_tokens: 50, messages: user('[[mock:echo]] hello'), maestro: {} }],
      ['/v1/messages', { model: 'claude-mock', max_tokens: 50, messages: user('[[mock:echo]] hello'), maestro: {}, stream: true }],
      ['/v1/messages', { model: 'dear', max_tokens: 50, messages: user('[[mock:echo]] hello'), maestro: {}, stream: true }],
      ['/v1/responses', { model: 'claude-mock', input: '[[mock:echo]] hello', maestro: {}, stream: true }],
      ['/v1beta/models/gem-mock:streamGenerateContent?alt=sse', { contents: [{ role: 'user', parts: [{ text: '[[mock:echo]] hello' }] }], maestro: {} }],
      ['/api/chat', { model: 'dear', messages: user('[[mock:echo]] hello'), maestro: {} }],
    ]) {
      const r = await serve.post(path, body), text = await r.text();
      assert.equal(r.status, 200, `${path}: ${text}`);
      const receipt = /"maestro":(\{"trace_id".*?"overhead_us":\d+\})/.exec(text.replace(/\n/g, ' '));
      assert.ok(receipt, `${path}: ${text.slice(-600)}`);
      receipts.push(JSON.parse(receipt[1]));
    }
    const embedded = await serve.post('/v1/embeddings', { model: 'dear', input: 'some text to be embedded' });
    assert.equal(embedded.status, 200, await embedded.text());
    for (const what of ['fail-500', 'fail-429', 'fail-400', 'reset', 'ok-error'])
      assert.ok((await chat(serve, 'dear', `[[mock:${what}]]`)).status >= 400, what);
    const counted = await serve.post('/v1/messages/count_tokens', { model: 'claude-mock', messages: user('x') });
    assert.equal(counted.status, 200);
    const { rows, taken } = journal(serve.home);
    assert.equal(taken, 0);
    assert.equal(rows.length, receipts.length + 1);
    for (const receipt of receipts) {
      const mine = rows.filter((r) => r.trace === receipt.trace_id);
      assert.equal(mine.length, 1, receipt.trace_id);
      assert.equal(usd(mine[0].amount), receipt.cost_usd);
      assert.ok(mine[0].amount > 0n && mine[0].amount <= mine[0].reserved && mine[0].flags.estimated === receipt.estimated);
    }
    const vectors = rows.find((r) => r.trace === embedded.headers.get('x-maestro-trace-id'));
    assert.ok(vectors.amount > 0n && vectors.output === 0n);
    assert.equal(usd(vectors.amount), Number(embedded.headers.get('x-maestro-cost-usd')));
    const a = await account(serve);
    assert.equal(a.spent_usd, usd(spent(serve.home)));
    assert.equal(a.reserved_usd, 0);
  });
});

test('a stream that ends early is settled from the tokens it saw, as an estimate', async () => {
  await withServe({ budgetUsd: 1000 }, async (serve) => {
    const cut = await chat(serve, 'dear', '[[mock:chunks-40+stream-cut]]', { stream: true });
    await cut.text().catch(() => {});
    const leaving = new AbortController();
    const left = await serve.post('/v1/chat/completions', { model: 'dear', messages: user('[[mock:chunks-80+pace-20]]'), stream: true }).catch((e) => e);
    const reader = left.body.getReader();
    for (let i = 0; i < 5; i++) await reader.read();
    leaving.abort();
    await reader.cancel();
    const silent = await chat(serve, 'dear', '[[mock:no-usage+echo]] one two three four');
    assert.equal(silent.status, 200);
    await until('all to be settled', () => journal(serve.home).rows.length === 3 && journal(serve.home).taken === 0);
    const { rows } = journal(serve.home);
    const by = (r) => rows.find((row) => row.trace === r.headers.get('x-maestro-trace-id'));
    for (const r of [cut, left]) {
      assert.ok(by(r).flags.estimated && by(r).flags.failed, JSON.stringify(by(r).flags));
      assert.ok(by(r).output >= 1n && by(r).output <= 100n && by(r).amount > 0n && by(r).amount <= by(r).reserved);
    }
    assert.ok(by(left).output >= 4n && by(left).output < 60n, String(by(left).output));
    assert.ok(by(silent).flags.estimated && !by(silent).flags.failed && by(silent).amount > 0n);
    await until('nothing to be reserved', async () => (await account(serve)).reserved_usd === 0);
  });
});

test('what a provider reports beyond the bound is billed, marked, and blocks', async () => {
  await withServe({ budgetUsd: 8 }, async (serve) => {
    // The mock does not honour the limit: 512 tokens are reported where 5 were allowed.
    const r = await chat(serve, 'dear', '[[mock:big-2]]', { max_tokens: 5, maestro: {} });
    const body = await r.json();
    assert.equal(r.status, 200);
    const { rows } = journal(serve.home);
    assert.ok(rows[0].flags.overrun && rows[0].amount > rows[0].reserved);
    assert.equal(usd(rows[0].amount), body.maestro.cost_usd);
    assert.ok(body.maestro.cost_usd > 8);
    assert.equal((await chat(serve, 'cheap', 'x')).status, 402);
    assert.equal((await account(serve)).left_usd, usd(8000000000n - rows[0].amount));
    assert.match(await serve.metrics(), /maestro_overruns_total 1/);
  });
});

// ---- what survives ----

test('what was spent survives restarts, for the key and wherever it stands', async () => {
  const home = makeHome(), second = 'sk-second-key-000001';
  let serve = await startServe({ config: config({ budgetUsd: 9 }), home, env: { MAESTRO_API_KEYS: second } });
  let total;
  try {
    assert.equal((await chat(serve, 'dear', `[[mock:echo]] ${'abcd'.repeat(20)}`, { max_tokens: 30 })).status, 200);
    total = (await account(serve)).spent_usd;
    assert.ok(total > 0.5);
  } finally { serve.child.kill('SIGTERM'); await serve.exited; }
  serve = await startServe({ config: config({ budgetUsd: 9 }), home, key: second, env: { MAESTRO_API_KEYS: KEY } });
  try {
    const limits = (await health(serve, second)).limits;
    assert.equal(limits.find((l) => l.name === 'key:1').spent_usd, 0);
    assert.equal(limits.find((l) => l.name === 'key:2').spent_usd, total);
    const text = readFileSync(join(home, 'data', 'maestro', 'ledger', 'balances'), 'utf8');
    assert.ok(!text.includes(KEY) && !text.includes(second));
  } finally { await serve.stop(); }
});

test('a damaged balances file and a lock that is held: told, and nobody with a budget is served for nothing', async () => {
  const home = makeHome(), log = (s) => s.output;
  let serve = await startServe({ config: config({ budgetUsd: 100 }), home });
  assert.equal((await chat(serve, 'cheap', 'x')).status, 200);
  serve.child.kill('SIGTERM');
  await serve.exited;
  const folder = join(home, 'data', 'maestro', 'ledger');
  const holder = spawn('flock', ['--no-fork', join(folder, 'lock'), 'sleep', '120']);
  try {
    await until('the lock to be held', () => spawnSync('flock', ['-n', join(folder, 'lock'), 'true']).status !== 0);
    serve = await startServe({ config: config({ budgetUsd: 100 }), home });
    assert.match(log(serve), /another server of this data directory/);
    assert.equal((await chat(serve, 'cheap', 'x')).status, 503);
    assert.equal((await health(serve)).journal.durable, false);
    const { spent_usd, left_usd, budget_usd } = await account(serve);
    assert.deepEqual([spent_usd, left_usd, budget_usd], [null, null, 100], 'unknown is not nothing');
    assert.doesNotMatch(await serve.metrics(), /^maestro_budget_/m);
    assert.ok(serve.logs().some((l) => l.event === 'what is spent will not be written down, and callers with a budget are refused'));
    serve.writeConfig(config({}));
    await until('callers without a budget to be served', async () => (await chat(serve, 'cheap', 'x')).status === 200);
    serve.child.kill('SIGTERM');
    await serve.exited;
  } finally { holder.kill('SIGKILL'); }
  for (const name of ['balances', 'balances.previous']) writeFileSync(join(folder, name), 'x');
  serve = await startServe({ config: config({ budgetUsd: 100 }), home });
  assert.match(log(serve), /cannot be read, and neither can balances.previous; nothing was changed/);
  assert.equal((await chat(serve, 'cheap', 'x')).status, 503);
  assert.equal(readFileSync(join(folder, 'balances'), 'utf8'), 'x');
  await serve.stop();
});

/** A generator that gives the same numbers every time. */
function numbers(seed) {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

/**
 * Many callers, failures, disconnects and a kill -9. `prepare` gives what is asked with, and whose budgets must hold:
 * {credentials, budgets: {account: USD}}; account '' is everybody's. `check` sees the refusals.
 */
async function survives({ limits, callers: CALLERS, calls: CALLS, prepare, check }) {
  const home = makeHome(), random = numbers(7), receipts = [], refusals = new Set();
  let credentials = [KEY], budgets = {};
  const tags = ['echo', 'chunks-5', 'chunks-12+pace-15', 'chunks-9+stream-cut', 'usage-cache', 'no-usage', 'fail-500', 'fail-429',
    'stream-error', 'slow-150', 'garbage-json', 'thinking', 'stream-cut-900', 'ok-error'];
  const env = { ADMIN_TOKEN: ADMIN };
  let serve = await startServe({ config: config(limits), home, env });
  const statuses = {};

  async function oneCall(url) {
    const max = 60 + Math.floor(random() * 40), stream = random() < 0.6, leave = random() < 0.15;
    const body = JSON.stringify({
      model: random() < 0.8 ? 'mid' : 'small', stream, max_tokens: max, maestro: {},
      messages: user(`[[mock:${tags[Math.floor(random() * tags.length)]}]] ${'w'.repeat(Math.floor(random() * 120))}`),
    });
    const away = new AbortController();
    try {
      const r = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST', body, signal: away.signal,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${credentials[Math.floor(random() * credentials.length)]}` },
      });
      statuses[r.status] = (statuses[r.status] ?? 0) + 1;
      if (leave) {
        const reader = r.body.getReader();
        await reader.read();
        away.abort();
        return;
      }
      const text = await r.text();
      if (r.status === 402) refusals.add(/and (.*) has \$/.exec(text)?.[1] ?? text);
      const receipt = /"maestro":(\{"trace_id".*?"overhead_us":\d+\})/.exec(text.replace(/\n/g, ' '));
      if (receipt) receipts.push(JSON.parse(receipt[1]));
    } catch { statuses.lost = (statuses.lost ?? 0) + 1; }
  }
  let isDead = false;
  const callers = (url, calls) => Promise.all(Array.from({ length: CALLERS }, async () => {
    for (let i = 0; i < calls && !isDead; i++) await oneCall(url);
  }));
  after(() => { if (serve.code === undefined) serve.child.kill('SIGKILL'); }); // whatever failed
  serve.writeConfig({ ...config(limits), providers: { up: { ...config(limits).providers.up, models: {
    mid: { price: { in: 100, out: 2000 }, maxOutput: 200 }, small: { price: { in: 10, out: 200 }, maxOutput: 200 } } } } });
  await until('the models to be there', async () => (await (await fetch(`${serve.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })).text()).includes('up/mid'));

  ({ credentials, budgets } = await prepare(serve));

  // The first life is killed in the middle of it all. Three calls that never end see to it that some are in flight at that
  // moment: the others may all end between a look and the kill.
  const held = Array.from({ length: 3 }, () => chat(serve, 'mid', '[[mock:hang]]', { max_tokens: 60 }).catch(() => {}));
  await until('calls to be held', async () => (await health(serve)).journal.in_flight === held.length);
  const first = callers(serve.url, Infinity);
  await until('enough to have happened', () => receipts.length > CALLERS / 3, 60000);
  serve.child.kill('SIGKILL');
  isDead = true;
  await serve.exited;
  await Promise.all([first, ...held]);
  isDead = false;
  assert.ok(journal(home).taken > 0, 'it was killed with calls in flight');
  const before = journal(home);

  serve = await startServe({ home, env });
  try {
    const h = await health(serve);
    assert.ok(h.journal.recovered > 0);
    assert.equal(h.journal.in_flight, 0);
    const recovered = journal(home);
    assert.equal(recovered.taken, 0, 'after recovery no slot is taken');
    assert.equal(recovered.rows.length, before.rows.length + h.journal.recovered);
    for (const r of recovered.rows.filter((x) => x.flags.recovered)) assert.ok(r.flags.estimated && r.amount <= r.reserved);
    if (credentials.length === 1) assert.equal(h.limits.find((l) => l.name === 'key:1').spent_usd, usd(spent(home)), 'exactly what the rows say');

    const caps = Object.entries(budgets).map(([name, amount]) => [name, BigInt(Math.round(amount * 1e9))]);
    const passed = () => caps.filter(([name, cap]) => spent(home, name) > cap).map(([name]) => name);
    const over = new Set();
    const watch = setInterval(() => passed().forEach((name) => over.add(name)), 250);
    await callers(serve.url, CALLS);
    // Until the budget is really used up.
    for (let i = 0; i < 40 && (!check(refusals) || !caps.some(([name, cap]) => spent(home, name) > cap * 7n / 10n)); i++) await Promise.all(Array.from({ length: CALLERS }, () => oneCall(serve.url)));
    clearInterval(watch);
    assert.ok(check(refusals), `budgets were reached: ${JSON.stringify(statuses)} ${[...refusals]}`);
    await until('all to be settled', async () => (await health(serve)).journal.in_flight === 0, 30000);
    const { rows, taken } = journal(home);
    assert.deepEqual([...over, ...passed()], [], 'never more than a budget');
    assert.equal(taken, 0);
    assert.ok(caps.some(([name, cap]) => spent(home, name) > cap / 2n), 'the test spends them');
    for (const l of (await health(serve)).limits) assert.equal(l.reserved_usd, 0, l.name);
    for (const [name] of caps) if (name === '') assert.equal((await account(serve)).spent_usd, usd(spent(home)));
    assert.ok(receipts.length > 100);
    const byTrace = new Map();
    for (const r of rows) byTrace.set(r.trace, [...byTrace.get(r.trace) ?? [], r]);
    for (const receipt of receipts) {
      const mine = byTrace.get(receipt.trace_id) ?? [];
      assert.equal(mine.length, 1, `one row for ${receipt.trace_id}`);
      if (receipt.cost_usd !== null) assert.equal(usd(mine[0].amount), receipt.cost_usd);
    }
  } finally { await serve.stop(); }
  assert.ok(!existsSync(home));
}

// MAESTRO_TEST_CALLERS=500 asks with as many at once; the suite makes do with fewer.
const CALLERS = Number(process.env.MAESTRO_TEST_CALLERS) || 0;

test('many callers, failures, disconnects and a kill -9: never more than the budget, and every receipt has its row', async () => {
  await survives({
    limits: { budgetUsd: 40 },
    callers: CALLERS || (slow ? 100 : 150),
    calls: slow ? 4 : 8,
    prepare: () => ({ credentials: [KEY], budgets: { '': 40 } }),
    check: (refusals) => refusals.has('the budget of key:1'),
  });
});

test('the same with users in teams, a token and a model: no budget of any of them is passed', async () => {
  const USERS = 9, TEAMS = 3;
  await survives({
    limits: {},
    callers: CALLERS || (slow ? 60 : 90),
    calls: slow ? 4 : 8,
    async prepare(serve) {
      const admin = async (path, body) => {
        const r = await fetch(`${serve.url}/admin${path}`, { method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${ADMIN}` } });
        assert.ok(r.ok, `${path}: ${r.status}`);
        return r.json();
      };
      const budgets = { 'model:up/small': 0.4 }, credentials = [KEY];
      await admin('/model-limits/up/small', { budget_usd: 0.4 });
      for (let t = 0; t < TEAMS; t++) {
        const { id } = await admin('/teams', { name: `t${t}` });
        await admin(`/teams/t${t}/limits`, { budget_usd: 4, period: 'month' });
        budgets[`team:${id}`] = 4;
      }
      for (let u = 0; u < USERS; u++) {
        const { id, token } = await admin('/users', { username: `u${u}`, has_all_models: true, team: `t${u % TEAMS}` });
        const [budget, period] = u % 2 ? [1, 'day'] : u ? [3, 'total'] : [1, 'total'];
        await admin(`/users/u${u}/limits`, { budget_usd: budget, period, trim: u % 3 === 0 });
        budgets[`user:${id}`] = budget;
        credentials.push(token);
      }
      const { token } = await admin('/users/u8/tokens', { name: 'ci' });
      await admin('/users/u8/tokens/ci/limits', { budget_usd: '0.9' });
      credentials.push(token);
      return { credentials, budgets };
    },
    check: (refusals) => ['your budget', 'your daily budget', "your team's monthly budget", "this token's budget", "this model's budget"].every((w) => refusals.has(w)),
  });
});
