// `maestro mock` as OpenAI's legacy completions and embeddings, checked by the vendor's own SDK.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { startMock } from './harness.js';

let mock, client;

before(async () => {
  mock = await startMock();
  client = new OpenAI({ apiKey: 'sk-mock', baseURL: `${mock.url}/v1`, maxRetries: 0 });
});
after(async () => { await mock?.stop(); });

const complete = (prompt, extra = {}) => client.completions.create({ model: 'mock-small', prompt, ...extra });
const embed = (input, extra = {}) => client.embeddings.create({ model: 'text-embedding-3-small', input, ...extra });
const failure = async (promise) => { try { await promise; } catch (e) { return e; } return assert.fail('it did not fail'); };
const chunks = async (prompt, extra = {}) => {
  const all = [];
  for await (const chunk of await complete(prompt, { stream: true, ...extra })) all.push(chunk);
  return all;
};
const text = (all, index = 0) => all.flatMap((c) => c.choices).filter((c) => c.index === index).map((c) => c.text).join('');

test('a completion', async () => {
  const r = await complete('Say "this"', { suffix: '!' });
  assert.equal(r.object, 'text_completion');
  assert.match(r.id, /^cmpl-/);
  assert.deepEqual(r.choices.map(({ text: t, ...rest }) => rest), [{ index: 0, logprobs: null, finish_reason: 'stop' }]);
  assert.ok(r.choices[0].text.length > 0);
  assert.equal(r.usage.prompt_tokens, 3);
  assert.equal(r.usage.total_tokens, r.usage.prompt_tokens + r.usage.completion_tokens);
});

test('prompts in an array, n and echo: the choices of the first prompt come first', async () => {
  const r = await complete(['one ', 'two "2" '], { n: 2, echo: true });
  assert.deepEqual(r.choices.map((c) => c.index), [0, 1, 2, 3]);
  assert.deepEqual(r.choices.map((c) => c.text.split(' ')[0]), ['one', 'one', 'two', 'two']);
  assert.equal((await complete([1, 2, 3])).usage.prompt_tokens, 3);
  assert.equal((await complete([[1, 2], [3]])).choices.length, 2);
});

test('a streamed completion says what a whole one says', async () => {
  for (const prompt of ['[[mock:unicode]] x', '[[mock:refusal]] x', '[[mock:length]] x', 'plain']) {
    const whole = (await complete(prompt)).choices[0];
    const all = await chunks(prompt);
    assert.equal(text(all), whole.text, prompt);
    assert.equal(all.at(-1).choices[0].finish_reason, whole.finish_reason);
    assert.ok(all.every((c) => c.object === 'text_completion' && !('usage' in c)));
  }
  const two = await chunks(['one ', 'two '], { echo: true, stream_options: { include_usage: true } });
  assert.match(text(two, 0), /^one This/);
  assert.match(text(two, 1), /^two This/);
  assert.deepEqual(two.at(-1).choices, []);
  assert.ok(two.at(-1).usage.total_tokens > 0);
  assert.equal(two[0].usage, null);
});

test('what completions refuse, and faults', async () => {
  assert.equal((await failure(complete(7))).param, 'prompt');
  assert.equal((await failure(complete('[[mock:fail-429]] x'))).status, 429);
  assert.ok(await failure(chunks('[[mock:stream-error]] x')) instanceof OpenAI.APIError);
  assert.ok(await failure(chunks('[[mock:stream-cut]] x')));
});

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

test('embeddings: length one, the same for the same text, near for near texts', async () => {
  const r = await embed(['the cat sat on the mat', 'the cat sat on a mat', 'quarterly revenue in Zürich', 'The cat sat on the mat']);
  assert.equal(r.object, 'list');
  assert.equal(r.model, 'text-embedding-3-small');
  assert.deepEqual(r.data.map((d) => [d.object, d.index]), [['embedding', 0], ['embedding', 1], ['embedding', 2], ['embedding', 3]]);
  const v = r.data.map((d) => d.embedding);
  for (const x of v) {
    assert.equal(x.length, 1536);
    assert.ok(Math.abs(dot(x, x) - 1) < 1e-4);
  }
  assert.ok(dot(v[0], v[1]) > 0.7 && Math.abs(dot(v[0], v[2])) < 0.3);
  assert.ok(dot(v[0], v[3]) > 0.9);
  assert.equal(r.usage.prompt_tokens, r.usage.total_tokens);
  assert.deepEqual((await embed('the cat sat on the mat')).data[0].embedding, v[0]);
});

test('numbers and base64 are the same vector; dimensions; tokens', async () => {
  const numbers = (await embed('hello', { encoding_format: 'float', dimensions: 16 })).data[0].embedding;
  assert.equal(numbers.length, 16);
  const r = await fetch(`${mock.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ model: 'm', input: 'hello', dimensions: 16, encoding_format: 'base64' }) });
  const { data } = await r.json();
  const bytes = Buffer.from(data[0].embedding, 'base64');
  assert.equal(bytes.length, 64);
  assert.deepEqual(numbers.map(Math.fround), Array.from({ length: 16 }, (_, i) => bytes.readFloatLE(4 * i)));
  const tokens = await embed([101, 102], { dimensions: 8 });
  assert.deepEqual([tokens.data.length, tokens.usage.prompt_tokens], [1, 2]);
  assert.equal((await embed([[101], [102, 103]], { dimensions: 8 })).data.length, 2);
  assert.equal((await client.embeddings.create({ model: 'text-embedding-3-large', input: 'x' })).data[0].embedding.length, 3072);
});

test('what embeddings refuse, and faults', async () => {
  for (const input of ['', [], ['a', ''], 7, [['a']], [1, -1], undefined, Array(2049).fill('a')]) {
    const e = await failure(embed(input));
    assert.equal(e.status, 400, JSON.stringify(input)?.slice(0, 20));
    assert.match(e.message, /input' is invalid/);
  }
  assert.equal((await failure(embed('x', { dimensions: 0 }))).param, 'dimensions');
  assert.equal((await failure(embed('x', { dimensions: 1537 }))).param, 'dimensions');
  assert.equal((await failure(embed('x', { encoding_format: 'hex' }))).param, 'encoding_format');
  assert.equal((await failure(embed('[[mock:fail-500]] x'))).status, 500);
  assert.ok(await failure(embed('[[mock:stream-cut]] x')));
});
