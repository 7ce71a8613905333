// `maestro mock` speaks Gemini: checked by the vendor's own SDK, without the gateway between them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { GoogleGenAI } from '@google/genai';
import { startMock } from './harness.js';

let mock, ai;

before(async () => {
  mock = await startMock();
  ai = new GoogleGenAI({ apiKey: 'AIza-any', httpOptions: { baseUrl: mock.url } });
});
after(async () => { await mock?.stop(); });

const weather = { name: 'get_weather', description: 'w', parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] } };
const declare = (...functionDeclarations) => ({ tools: [{ functionDeclarations }] });
const ask = (contents, config = {}) => ai.models.generateContent({ model: 'gemini-mock', contents, config });
const streamed = async (contents, config = {}) => {
  const chunks = [];
  for await (const c of await ai.models.generateContentStream({ model: 'gemini-mock', contents, config })) chunks.push(c);
  return chunks;
};
const parts = (chunks) => chunks.flatMap((c) => c.candidates?.[0]?.content?.parts ?? []);
const textOf = (chunks) => parts(chunks).filter((p) => !p.thought).map((p) => p.text ?? '').join('');
const refused = async (promise, code, status, message) => {
  const e = await promise.then(() => assert.fail('no error'), (x) => x);
  const { error } = JSON.parse(e.message);
  assert.deepEqual([e.status, error.code, error.status], [code, code, status], e.message);
  assert.match(error.message, message);
};

test('an answer with usage', async () => {
  const r = await ask('[[mock:echo]] hello');
  assert.equal(r.text, '[[mock:echo]] hello');
  assert.equal(r.modelVersion, 'gemini-mock');
  assert.ok(r.responseId.length > 8);
  assert.deepEqual([r.candidates[0].finishReason, r.candidates[0].index, r.candidates[0].content.role], ['STOP', 0, 'model']);
  const u = r.usageMetadata;
  assert.deepEqual([u.promptTokenCount, u.candidatesTokenCount, u.totalTokenCount], [5, 5, 10]);
});

test('a stream: pieces, usage on each, the finish reason last', async () => {
  const chunks = await streamed('[[mock:echo+chunks-4]] hello');
  assert.equal(textOf(chunks), '[[mock:echo+chunks-4]] hello');
  assert.ok(chunks.length >= 5);
  assert.deepEqual(chunks.map((c) => c.candidates[0].finishReason).filter(Boolean), ['STOP']);
  assert.equal(chunks.at(-1).candidates[0].finishReason, 'STOP');
  assert.ok(chunks.every((c) => c.usageMetadata.promptTokenCount === 7 && c.responseId === chunks[0].responseId));
  assert.equal(chunks.at(-1).usageMetadata.totalTokenCount, 14);
});

test('a stream adds up to the whole answer', async () => {
  const config = { ...declare(weather, { ...weather, name: 'get_time' }) };
  for (const name of ['echo', 'unicode', 'tool', 'tool-parallel', 'thinking', 'thinking+tool', 'empty', 'length', 'filter', 'big-40', 'json-out']) {
    const whole = await ask(`[[mock:${name}]] x`, config);
    const chunks = await streamed(`[[mock:${name}]] x`, config);
    const thoughts = (list) => parts(list).filter((p) => p.thought).map((p) => p.text).join('');
    const calls = (list) => parts(list).filter((p) => p.functionCall).map((p) => [p.functionCall.name, p.functionCall.args, p.thoughtSignature]);
    assert.equal(textOf(chunks), textOf([whole]), name);
    assert.equal(thoughts(chunks), thoughts([whole]), name);
    assert.deepEqual(calls(chunks), calls([whole]), name);
    assert.equal(chunks.at(-1).candidates[0].finishReason, whole.candidates[0].finishReason, name);
    assert.deepEqual(chunks.at(-1).usageMetadata, whole.usageMetadata, name);
  }
});

test('without alt=sse a stream is one JSON array', async () => {
  const post = (text) => fetch(`${mock.url}/v1beta/models/m:streamGenerateContent?key=any`, { method: 'POST', body: JSON.stringify({ contents: [{ parts: [{ text }] }] }) });
  const r = await post('[[mock:echo]] hi');
  assert.match(r.headers.get('content-type'), /^application\/json/);
  assert.equal(textOf(await r.json()), '[[mock:echo]] hi');
  const failed = await post('[[mock:fail-503]]');
  assert.deepEqual((await failed.json()).map((x) => x.error.status), ['UNAVAILABLE']);
  assert.equal((await (await post('[[mock:stream-error]]')).json()).at(-1).error.status, 'INTERNAL');
  await assert.rejects((await post('[[mock:garbage-json]]')).json());
});

test('finish reasons and blocked prompts', async () => {
  for (const [name, reason] of Object.entries({ length: 'MAX_TOKENS', filter: 'SAFETY', 'stop-sequence': 'STOP' }))
    assert.equal((await ask(`[[mock:${name}]]`)).candidates[0].finishReason, reason);
  for (const r of [await ask('[[mock:refusal]]'), (await streamed('[[mock:refusal]]'))[0]]) {
    assert.equal(r.promptFeedback.blockReason, 'PROHIBITED_CONTENT');
    assert.equal(r.candidates, undefined);
  }
  const empty = await ask('[[mock:empty]]');
  assert.deepEqual(empty.candidates[0].content, { role: 'model' });
});

test('tools: ids and signatures; a result is repeated', async () => {
  const chunks = await streamed('[[mock:tool]] weather', declare(weather));
  const [call] = parts(chunks).filter((p) => p.functionCall);
  assert.deepEqual(call.functionCall.args, { city: 'mock' });
  assert.ok(call.functionCall.id);
  assert.equal(call.thoughtSignature.length, 64);
  const result = (response) => ({ role: 'user', parts: [{ functionResponse: { id: call.functionCall.id, name: 'get_weather', response } }] });
  const turn = (part, response) => ask([{ role: 'user', parts: [{ text: '[[mock:tool]] weather' }] }, { role: 'model', parts: [part] }, result(response)], declare(weather));
  assert.equal((await turn(call, { output: '12 degrees' })).text, '12 degrees');
  assert.equal((await turn(call, { degrees: 12 })).text, '{"degrees":12}');
  const both = await ask('[[mock:tool-parallel]]', declare(weather, { ...weather, name: 'get_time' }));
  assert.deepEqual(both.functionCalls.map((c) => c.name), ['get_weather', 'get_time']);
  assert.deepEqual(parts([both]).map((p) => Boolean(p.thoughtSignature)), [true, false], 'only the first of parallel calls is signed');
  await refused(ask([{ role: 'user', parts: [{ text: 'x' }] }, result({})]), 400, 'INVALID_ARGUMENT', /number of function response parts is equal/);
});

test('a signature survives a turn, or is refused', async () => {
  const first = await ask('[[mock:strict-signature+thinking+tool]] x', declare(weather));
  const call = parts([first]).find((p) => p.functionCall);
  const turn = (part, name) => ask([{ role: 'user', parts: [{ text: `[[mock:${name}]] x` }] }, { role: 'model', parts: [part] },
    { role: 'user', parts: [{ functionResponse: { name: 'get_weather', response: { output: 'ok' } } }] }], declare(weather));
  const { thoughtSignature, ...bare } = call;
  assert.equal((await turn(call, 'strict-signature+tool')).text, 'ok');
  assert.equal((await turn(bare, 'tool')).text, 'ok');
  assert.equal((await turn({ ...bare, thoughtSignature: 'skip_thought_signature_validator' }, 'strict-signature+tool')).text, 'ok');
  await refused(turn(bare, 'strict-signature+tool'), 400, 'INVALID_ARGUMENT', /^Function call is missing a thought_signature .* `default_api:get_weather` , position 2\./);
  await refused(turn({ ...bare, thoughtSignature: 'Zm9yZWlnbg==' }, 'tool'), 400, 'INVALID_ARGUMENT', /Thought signature is not valid/);
});

test('thoughts, and their tokens beside the answer', async () => {
  const r = await ask('[[mock:thinking]]');
  const [thought, text] = r.candidates[0].content.parts;
  assert.equal(thought.thought, true);
  assert.equal(text.thoughtSignature.length, 64);
  const u = r.usageMetadata;
  assert.ok(u.thoughtsTokenCount > 0);
  assert.equal(u.totalTokenCount, u.promptTokenCount + u.candidatesTokenCount + u.thoughtsTokenCount);
  const again = await ask([{ role: 'user', parts: [{ text: 'x' }] }, r.candidates[0].content, { role: 'user', parts: [{ text: '[[mock:echo]]' }] }]);
  assert.equal(again.text, '[[mock:echo]]');
});

test('structured output from both kinds of schema', async () => {
  const a = await ask('[[mock:json-out]]', { responseMimeType: 'application/json',
    responseSchema: { type: 'OBJECT', properties: { n: { type: 'INTEGER' }, list: { type: 'ARRAY', minItems: '1', items: { type: 'STRING' } } }, required: ['n', 'list'] } });
  assert.deepEqual(JSON.parse(a.text).n, 1);
  const b = await ask('[[mock:json-out]]', { responseMimeType: 'application/json', responseJsonSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] } });
  assert.deepEqual(JSON.parse(b.text), { ok: true });
});

test('cached tokens, candidates, sources', async () => {
  const r = await ask(`[[mock:usage-cache]] ${'x'.repeat(78)}`);
  assert.equal(r.usageMetadata.cachedContentTokenCount, 12);
  assert.equal((await ask('x', { candidateCount: 3 })).candidates.length, 3);
  assert.equal((await ask('[[mock:no-usage]]')).usageMetadata, undefined);
  assert.equal((await ask('[[mock:server-tool]]')).candidates[0].groundingMetadata.groundingChunks[0].web.title, 'A page');
  assert.equal((await streamed('[[mock:citations]]')).at(-1).candidates[0].citationMetadata.citations.length, 1);
});

test('counting, embedding, models', async () => {
  assert.equal((await ai.models.countTokens({ model: 'm', contents: '12345678' })).totalTokens, 2);
  const { embeddings } = await ai.models.embedContent({ model: 'm', contents: ['a', 'b', 'a'], config: { outputDimensionality: 32 } });
  assert.deepEqual(embeddings.map((e) => e.values.length), [32, 32, 32]);
  assert.deepEqual(embeddings[0].values, embeddings[2].values);
  assert.notDeepEqual(embeddings[0].values, embeddings[1].values);
  assert.ok(Math.abs(Math.hypot(...embeddings[0].values) - 1) < 1e-6);
  const one = await (await fetch(`${mock.url}/v1/models/m:embedContent`, { method: 'POST', body: JSON.stringify({ content: { parts: [{ text: 'a' }] } }) })).json();
  assert.equal(one.embedding.values.length, 16);
  const names = [];
  for await (const m of await ai.models.list()) names.push(m.name);
  assert.ok(names.includes('models/mock-small'));
  assert.equal((await ai.models.get({ model: 'echo' })).name, 'models/echo');
  const v1 = await (await fetch(`${mock.url}/v1/models`, { headers: { 'x-goog-api-client': 'google-genai-sdk/3.1.0' } })).json();
  assert.equal(v1.models[0].name, 'models/mock-small');
});

test('errors by status', async () => {
  const names = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL', 503: 'UNAVAILABLE', 504: 'DEADLINE_EXCEEDED' };
  for (const [code, status] of Object.entries(names)) {
    await refused(ask(`[[mock:fail-${code}]]`), Number(code), status, /./);
    await refused(streamed(`[[mock:fail-${code}]]`), Number(code), status, /./);
  }
  await refused(ask('[[mock:fail-context]]'), 400, 'INVALID_ARGUMENT', /input token count \(9001\) exceeds/);
  await refused(ask('[[mock:fail-quota]]'), 429, 'RESOURCE_EXHAUSTED', /current quota/);
  const r = await fetch(`${mock.url}/v1beta/nothing`);
  assert.deepEqual([r.status, (await r.json()).error.status], [404, 'NOT_FOUND']);
});

test('faults in mid-stream are seen as such', async () => {
  for (const name of ['stream-error', 'stream-cut', 'stream-cut-300', 'garbage-json'])
    await assert.rejects(streamed(`[[mock:${name}]]`), name);
});

test('no stream has comments, and lines end with CR LF', async () => {
  const r = await fetch(`${mock.url}/v1beta/models/m:streamGenerateContent?alt=sse`, { method: 'POST', body: JSON.stringify({ contents: [{ parts: [{ text: 'x' }] }] }) });
  const body = await r.text();
  assert.ok(body.split('\r\n\r\n').every((e) => e === '' || /^data: \{[^\r\n]*\}$/.test(e)));
});
