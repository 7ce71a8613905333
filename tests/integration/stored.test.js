// Stored responses through a real server: seen at once, there after a restart and a kill, their owner's alone, gone when
// deleted, and kept in memory while the file cannot be written.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY, makeHome, run, startMock, startServe, until, configFor } from './harness.js';

const OTHER = 'sk-maestro-test-key-other-1';
let mock;
before(async () => { mock = await startMock(); });
after(async () => { await mock?.stop(); });

const config = (more = {}) => ({ ...configFor(mock), ...more });
const start = (home, more, keys = [KEY, OTHER]) => startServe({ home, key: keys[0], env: { MAESTRO_API_KEYS: keys.slice(1).join(',') }, config: config(more) });
const end = async (serve, signal = 'SIGTERM') => { serve.child.kill(signal); await serve.exited; };
const as = (key) => ({ authorization: `Bearer ${key}` });
const create = (serve, input, more = {}, key = KEY) => serve.post('/v1/responses', { model: 'mock-model', input, ...more }, as(key));
async function made(serve, input, more, key) {
  const reply = await create(serve, input, more, key);
  assert.equal(reply.status, 200);
  return reply.json();
}
const at = (serve, id, key = KEY, method = 'GET', rest = '') => fetch(`${serve.url}/v1/responses/${id}${rest}`, { method, headers: as(key) });
const status = async (...args) => (await at(...args)).status;
const health = async (serve) => (await (await fetch(`${serve.url}/healthz`, { headers: as(KEY) })).json()).responses;
const written = (serve, n) => until(`${n} written`, async () => { const h = await health(serve); return h.waiting === 0 && h.stored === n && h; });
const file = (home) => join(home, 'data', 'maestro', 'responses.db');

test('a response is there at once, and after a restart with all that led to it', async () => {
  const home = makeHome();
  let serve = await start(home);
  const first = await made(serve, '[[mock:echo]] the first question');
  assert.deepEqual(await (await at(serve, first.id)).json(), first);
  const streamed = await at(serve, first.id, KEY, 'GET', '?stream=true');
  assert.deepEqual([streamed.status, (await streamed.json()).error.param], [400, 'stream'], 'no stream without events');
  assert.equal(await status(serve, first.id, KEY, 'GET', '?stream=false'), 200);
  const second = await made(serve, [{ type: 'message', id: 'msg_mine', role: 'user', content: '[[mock:echo]] the second' }], { previous_response_id: first.id });
  const stream = await (await create(serve, '[[mock:echo]] the third', { stream: true, previous_response_id: second.id })).text();
  const third = JSON.parse(/event: response\.completed\ndata: (.*)/.exec(stream)[1]).response;
  const unkept = await made(serve, 'hi', { store: false });
  assert.equal(await status(serve, unkept.id), 404);
  assert.equal((await written(serve, 3)).status, 'ok');
  assert.equal(statSync(file(home)).mode & 0o777, 0o600);
  await end(serve);
  assert.equal(serve.code, 0);

  serve = await start(home);
  assert.equal((await health(serve)).waiting, 0);
  for (const r of [first, second, third]) assert.deepEqual(await (await at(serve, r.id)).json(), r);
  const items = await (await at(serve, third.id, KEY, 'GET', '/input_items?order=asc')).json();
  const texts = items.data.map((i) => i.content.map((c) => c.text).join(''));
  assert.deepEqual(items.data.map((i) => i.role), ['user', 'assistant', 'user', 'assistant', 'user']);
  assert.ok(texts[0].includes('the first question') && texts[4].includes('the third'));
  await mock.reset();
  const fourth = await made(serve, '[[mock:echo]] and now', { previous_response_id: third.id });
  assert.equal(fourth.previous_response_id, third.id);
  const sent = JSON.parse((await mock.requests()).requests.at(-1).body);
  assert.equal(sent.messages.length, 7, 'the whole conversation goes to the provider');
  const referred = await create(serve, [{ type: 'item_reference', id: 'msg_mine' }, { role: 'user', content: 'again?' }]);
  assert.equal(referred.status, 200);
  await serve.stop();
});

test('another key finds nothing, whatever its place in the list', async () => {
  const home = makeHome();
  let serve = await start(home);
  const mine = await made(serve, [{ type: 'message', id: 'msg_secret', role: 'user', content: 'hi' }]);
  await written(serve, 1);
  const isHidden = async () => {
    assert.equal(await status(serve, mine.id, OTHER), 404);
    assert.equal(await status(serve, mine.id, OTHER, 'DELETE'), 404);
    assert.equal(await status(serve, mine.id, OTHER, 'GET', '/input_items'), 404);
    assert.equal((await create(serve, 'x', { previous_response_id: mine.id }, OTHER)).status, 404);
    assert.equal((await create(serve, [{ type: 'item_reference', id: 'msg_secret' }], {}, OTHER)).status, 404);
    assert.equal(await status(serve, mine.id), 200);
  };
  await isHidden();
  await end(serve);
  serve = await start(home, {}, [OTHER, KEY]);
  await isHidden();
  await end(serve);
  assert.ok(!readFileSync(file(home)).includes(KEY));
  rmSync(home, { recursive: true });
});

test('what is deleted stays away', async () => {
  const home = makeHome();
  let serve = await start(home);
  const ids = [];
  for (let i = 0; i < 8; i++) {
    const { id } = await made(serve, `hi ${i}`);
    ids.push(id);
    if (i % 2) await until('it is written', async () => (await health(serve)).waiting === 0);
    const reply = await at(serve, id, KEY, 'DELETE');
    assert.deepEqual([reply.status, await reply.json()], [200, { id, object: 'response', deleted: true }]);
    assert.equal(await status(serve, id), 404);
    assert.equal(await status(serve, id, KEY, 'DELETE'), 404);
  }
  await end(serve);
  serve = await start(home);
  for (const id of ids) assert.equal(await status(serve, id), 404);
  assert.equal((await create(serve, 'x', { previous_response_id: ids[0] })).status, 404);
  await serve.stop();
});

test('a killed server has what it had written', async () => {
  const home = makeHome();
  let serve = await start(home);
  const ids = [];
  for (let i = 0; i < 20; i++) ids.push((await made(serve, `hi ${i}`)).id);
  await written(serve, 20);
  const busy = Array.from({ length: 30 }, (_, i) => create(serve, `more ${i}`).catch(() => {}));
  await end(serve, 'SIGKILL');
  await Promise.all(busy);
  serve = await start(home);
  for (const id of ids) assert.equal(await status(serve, id), 200);
  assert.equal((await health(serve)).status, 'ok');
  await serve.stop();
});

test('bounds hold across restarts, and a reload may tighten them', async () => {
  const home = makeHome();
  let serve = await start(home, { responses: { maxCount: 5 } });
  const ids = [];
  for (let i = 0; i < 9; i++) ids.push((await made(serve, `hi ${i}`)).id);
  await written(serve, 5);
  assert.equal(await status(serve, ids[3]), 404);
  assert.equal(await status(serve, ids[4]), 200);
  await end(serve);
  serve = await start(home, { responses: { maxCount: 5 } });
  assert.equal(await status(serve, ids[4]), 200);
  serve.writeConfig(config({ responses: { maxCount: 2 } }));
  serve.child.kill('SIGHUP');
  await written(serve, 2);
  assert.equal(await status(serve, ids[6]), 404);
  assert.equal(await status(serve, ids[8]), 200);
  serve.writeConfig(config({ responses: { maxCount: 0 } }));
  serve.child.kill('SIGHUP');
  await written(serve, 0);
  assert.equal(await status(serve, (await made(serve, 'hi')).id), 404);
  await serve.stop();
});

test('while the file cannot be made responses are in memory, and it is told', async () => {
  const home = makeHome();
  mkdirSync(file(home)); // in its place
  const serve = await start(home);
  const first = await made(serve, 'hi');
  const h = await until('the fault', async () => { const now = await health(serve); return now.status === 'failing' && now; });
  assert.deepEqual([h.code, h.stored, h.waiting, h.lost], ['store_read_only', 0, 1, 0]);
  assert.equal(await status(serve, first.id), 200);
  const second = await made(serve, 'again', { previous_response_id: first.id });
  assert.equal(await status(serve, second.id), 200);
  assert.equal(await status(serve, 'resp_unknown'), 503, 'it might be in the file');
  rmdirSync(file(home));
  assert.equal((await written(serve, 2)).status, 'ok');
  assert.equal(await status(serve, 'resp_unknown'), 404);
  await serve.stop();
});

test('a full disk: they stay in memory, and all else goes on', async (t) => {
  const home = makeHome(), data = join(home, 'data', 'maestro');
  try { execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'none', data], { stdio: 'ignore' }); } catch { t.skip('this user may mount no small disk'); return; }
  try {
    const serve = await start(home, { server: { workers: 2 } });
    const ids = [];
    let h;
    for (let i = 0; i < 60 && (h = await health(serve)).status === 'ok'; i++) ids.push((await made(serve, `${'x'.repeat(300000)} ${i}`)).id);
    assert.deepEqual([h.status, h.code, h.lost], ['failing', 'store_full', 0]);
    for (const id of ids) assert.equal(await status(serve, id), 200);
    assert.equal((await serve.post('/v1/chat/completions', { model: 'mock-model', messages: [{ role: 'user', content: 'hi' }] })).status, 200);
    await end(serve);
    assert.equal(serve.code, 0);
  } finally { execFileSync('umount', [data]); }
});

test('a store that is put back leaves no responses to whoever gets a user\'s number', async () => {
  const home = makeHome(), copy = join(home, 'copy.db');
  const serve = await start(home);
  await made(serve, 'hi');
  await written(serve, 1);
  assert.equal((await run(['store', 'backup', copy], { home })).code, 0);
  await end(serve);
  assert.ok(existsSync(file(home)));
  assert.equal((await run(['store', 'restore', copy], { home })).code, 0);
  assert.ok(!existsSync(file(home)) && !existsSync(`${file(home)}-wal`));
});

test('a damaged file is put aside', async () => {
  const home = makeHome();
  let serve = await start(home);
  await made(serve, 'hi');
  await written(serve, 1);
  await end(serve);
  writeFileSync(file(home), 'this is no database '.repeat(2000));
  serve = await start(home);
  const { id } = await made(serve, 'hi');
  await written(serve, 1);
  assert.equal(await status(serve, id), 200);
  assert.ok(readdirSync(join(home, 'data', 'maestro')).some((f) => f.startsWith('responses.db.damaged-')));
  await serve.stop();
});
