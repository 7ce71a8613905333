// Every fault of `maestro mock` in every dialect: what HTTP shows is the same, what is said is the dialect's.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMock, user } from './harness.js';

let mock;
before(async () => { mock = await startMock(); });
after(async () => { await mock?.stop(); });

const parts = (text) => ({ contents: [{ role: 'user', parts: [{ text }] }] });
const converse = (text) => ({ messages: [{ role: 'user', content: [{ text }] }] });
const anthropic = (text, stream) => ({ model: 'm', max_tokens: 9, messages: user(text), stream });
/** path and body of a whole and of a streamed request, and whether an error of the dialect is one. */
const dialects = {
  openai: { whole: (t) => ['/v1/chat/completions', { model: 'm', messages: user(t) }], stream: (t) => ['/v1/chat/completions', { model: 'm', messages: user(t), stream: true }],
    isError: (e) => Boolean(e.error.message && e.error.type) },
  anthropic: { whole: (t) => ['/v1/messages', anthropic(t, false)], stream: (t) => ['/v1/messages', anthropic(t, true)],
    isError: (e) => e.type === 'error' && Boolean(e.error.message && e.error.type && e.request_id) },
  gemini: { whole: (t) => ['/v1beta/models/m:generateContent', parts(t)], stream: (t) => ['/v1beta/models/m:streamGenerateContent?alt=sse', parts(t)],
    isError: (e) => Boolean(e.error.code && e.error.message && e.error.status) },
  'gemini array': { whole: (t) => ['/v1/models/m:generateContent', parts(t)], stream: (t) => ['/v1/models/m:streamGenerateContent', parts(t)],
    isError: (e) => Boolean((Array.isArray(e) ? e[0] : e).error.status) },
  ollama: { whole: (t) => ['/api/chat', { model: 'm', messages: user(t), stream: false }], stream: (t) => ['/api/chat', { model: 'm', messages: user(t) }],
    isError: (e) => typeof e.error === 'string' },
  'ollama generate': { whole: (t) => ['/api/generate', { model: 'm', prompt: t, stream: false }], stream: (t) => ['/api/generate', { model: 'm', prompt: t }],
    isError: (e) => typeof e.error === 'string' },
  bedrock: { whole: (t) => ['/model/m/converse', converse(t)], stream: (t) => ['/model/m/converse-stream', converse(t)],
    isError: (e) => typeof e.message === 'string' },
};
const post = ([path, body], options = {}) => fetch(mock.url + path, { method: 'POST', body: JSON.stringify(body), redirect: 'manual', ...options });
const length = async (r) => (await r.arrayBuffer()).byteLength;

for (const [name, d] of Object.entries(dialects)) {
  test(`${name}: statuses and their errors`, async () => {
    for (const kind of [d.whole, d.stream]) {
      for (const [fault, status] of [['fail-400', 400], ['fail-418', 418], ['fail-429', 429], ['fail-500', 500], ['fail-529', 529], ['nonsense', 400]]) {
        const r = await post(kind(`[[mock:${fault}]]`));
        assert.equal(r.status, status, fault);
        assert.equal(r.headers.get('retry-after'), status === 429 ? '2' : null);
        assert.ok(d.isError(await r.json()), fault);
      }
      const r = await post(kind('[[mock:ok-error]]'));
      assert.equal(r.status, 200);
      assert.ok(d.isError(await r.json()));
    }
  });

  test(`${name}: bodies that are no answer`, async () => {
    for (const kind of [d.whole, d.stream]) {
      const html = await post(kind('[[mock:fail-html]]'));
      assert.deepEqual([html.status, html.headers.get('content-type')], [502, 'text/html']);
      await html.arrayBuffer();
      const empty = await post(kind('[[mock:fail-empty]]'));
      assert.deepEqual([empty.status, await length(empty)], [200, 0]);
      const moved = await post(kind('[[mock:redirect]]'));
      assert.equal(moved.status, 302);
      assert.match(moved.headers.get('location'), /\/redirect-target\//);
      await moved.arrayBuffer();
    }
    const broken = await post(d.whole('[[mock:garbage-json]]'));
    assert.equal(broken.status, 200);
    await assert.rejects(broken.json());
  });

  test(`${name}: connections that break`, async () => {
    for (const kind of [d.whole, d.stream]) {
      for (const fault of ['garbage', 'reset']) await assert.rejects(post(kind(`[[mock:${fault}]]`)), fault);
      await assert.rejects(post(kind('[[mock:hang]]'), { signal: AbortSignal.timeout(150) }), { name: 'TimeoutError' });
      for (const fault of ['stream-cut', 'stream-cut-40', 'empty+stream-cut', 'chunks-1+stream-cut']) {
        const r = await post(kind(`[[mock:${fault}]]`));
        assert.equal(r.status, 200);
        await assert.rejects(r.arrayBuffer(), fault);
      }
    }
  });

  test(`${name}: a stream that stalls after its first events`, async () => {
    const r = await post(d.stream('[[mock:stream-stall]]'), { signal: AbortSignal.timeout(400) });
    const reader = r.body.getReader();
    assert.ok((await reader.read()).value.length > 20);
    await assert.rejects(reader.read(), { name: 'TimeoutError' });
  });

  test(`${name}: an error in the stream ends it in order`, async () => {
    for (const fault of ['chunks-9+stream-error', 'chunks-9+stream-failed', 'empty+stream-error']) {
      const [good, bad] = [await (await post(d.stream('[[mock:chunks-9]]'))).text(), await (await post(d.stream(`[[mock:${fault}]]`))).text()];
      assert.ok(bad.length < good.length);
      assert.match(bad, /error|exception/i, fault);
      assert.doesNotMatch(good, /error|exception/i);
    }
  });

  test(`${name}: once, late, slow, squeezed`, async () => {
    const once = d.whole(`[[mock:fail-503-once]] ${name}`);
    assert.deepEqual([(await post(once)).status, (await post(once)).status], [503, 200]);
    const late = performance.now();
    await length(await post(d.whole('[[mock:slow-120]]')));
    await length(await post(d.stream('[[mock:slow-first-120]]')));
    assert.ok(performance.now() - late >= 240);
    const paced = performance.now();
    await length(await post(d.stream('[[mock:chunks-4+pace-40]]')));
    assert.ok(performance.now() - paced >= 120);
    const plain = await (await post(d.whole('[[mock:big-40]]'))).text();
    const r = await post(d.whole('[[mock:big-40+gzip]]'), { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(r.headers.get('content-encoding'), 'gzip');
    assert.equal((await r.text()).length, plain.length);
    assert.ok(plain.length > 40 * 1024);
  });

  test(`${name}: a client that leaves is counted`, async () => {
    const before = (await mock.stats()).aborted;
    const abort = new AbortController();
    const r = await post(d.stream('[[mock:chunks-200+pace-50]]'), { signal: abort.signal });
    await r.body.getReader().read();
    abort.abort();
    for (let i = 0; i < 100 && (await mock.stats()).aborted === before; i++) await sleep(10);
    assert.ok((await mock.stats()).aborted > before);
  });
}
