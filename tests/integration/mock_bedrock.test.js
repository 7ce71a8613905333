// `maestro mock` speaks Bedrock Converse: checked by the vendor's own SDK, without the gateway between them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, CountTokensCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startMock } from './harness.js';

let mock, client;

before(async () => {
  mock = await startMock();
  client = new BedrockRuntimeClient({
    region: 'us-east-1', endpoint: mock.url, maxAttempts: 1, requestHandler: new NodeHttpHandler(),
    credentials: { accessKeyId: 'AKIAMOCK', secretAccessKey: 'secret' },
  });
});
after(async () => {
  client?.destroy();
  await mock?.stop();
});

const user = (...content) => ({ role: 'user', content: content.map((c) => (typeof c === 'string' ? { text: c } : c)) });
const tool = (name) => ({ toolSpec: { name, description: 'w', inputSchema: { json: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } } });
const toolConfig = { tools: [tool('get_weather'), tool('get_time')] };
const input = (text, extra = {}) => ({ modelId: 'anthropic.claude-mock-v1:0', messages: [user(text)], ...extra });
const ask = (text, extra) => client.send(new ConverseCommand(input(text, extra)));
const streamed = async (text, extra) => {
  const events = [];
  const { stream } = await client.send(new ConverseStreamCommand(input(text, extra)));
  for await (const e of stream) events.push(e);
  return events;
};
const names = (events) => events.map((e) => Object.keys(e)[0]);
/** The events put together as the whole answer has them. */
const joined = (events) => {
  const content = [];
  for (const { contentBlockStart: s, contentBlockDelta: d } of events) {
    if (s) content[s.contentBlockIndex] = { toolUse: { ...s.start.toolUse, input: '' } };
    if (!d) continue;
    const { text, toolUse, reasoningContent: r, citation } = d.delta;
    const at = (content[d.contentBlockIndex] ??= {});
    if (toolUse) at.toolUse.input += toolUse.input;
    if (text !== undefined) at.text = (at.text ?? '') + text;
    if (citation) at.citation = citation;
    if (r?.redactedContent) at.reasoningContent = { redactedContent: r.redactedContent };
    else if (r) {
      const thought = ((at.reasoningContent ??= { reasoningText: { text: '' } }).reasoningText);
      if (r.text) thought.text += r.text;
      if (r.signature) thought.signature = r.signature;
    }
  }
  for (const c of content) if (c.toolUse) c.toolUse.input = JSON.parse(c.toolUse.input);
  return content;
};
const refused = async (promise, status, name, message) => {
  const e = await promise.then(() => assert.fail('no error'), (x) => x);
  assert.deepEqual([e.$metadata?.httpStatusCode, e.name], [status, name], e.message);
  assert.match(e.message, message);
  assert.match(e.$metadata.requestId, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
};

test('an answer with usage', async () => {
  const r = await ask('[[mock:echo]] hello');
  assert.deepEqual(r.output.message, { role: 'assistant', content: [{ text: '[[mock:echo]] hello' }] });
  assert.equal(r.stopReason, 'end_turn');
  assert.deepEqual([r.usage.inputTokens, r.usage.outputTokens, r.usage.totalTokens], [5, 5, 10]);
  assert.ok(r.metrics.latencyMs > 0);
});

test('a model by its ARN', async () => {
  const modelId = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-mock';
  assert.equal((await ask('[[mock:echo]]', { modelId })).output.message.content[0].text, '[[mock:echo]]');
  assert.match((await mock.requests()).requests.at(-1).path, /%2F/);
});

test('a stream: its events in order, no start for text', async () => {
  const events = await streamed('[[mock:echo+chunks-3]] hello');
  assert.deepEqual(names(events), ['messageStart', 'contentBlockDelta', 'contentBlockDelta', 'contentBlockDelta', 'contentBlockStop', 'messageStop', 'metadata']);
  assert.deepEqual(joined(events), [{ text: '[[mock:echo+chunks-3]] hello' }]);
  assert.equal(events.at(-1).metadata.usage.totalTokens, 14);
  const tools = await streamed('[[mock:tool]]', { toolConfig });
  assert.deepEqual(names(tools).slice(0, 3), ['messageStart', 'contentBlockStart', 'contentBlockDelta']);
});

test('a stream adds up to the whole answer', async () => {
  for (const name of ['echo', 'unicode', 'tool', 'tool-parallel', 'thinking', 'thinking+tool', 'thinking-redacted', 'empty', 'length', 'refusal', 'filter', 'big-40', 'usage-cache']) {
    const whole = await ask(`[[mock:${name}]]`, { toolConfig });
    const events = await streamed(`[[mock:${name}]]`, { toolConfig });
    const plain = (content) => JSON.parse(JSON.stringify(content, (k, v) => (k === 'toolUseId' ? '-' : v)));
    assert.deepEqual(plain(joined(events)), plain(whole.output.message.content), name);
    assert.equal(events.find((e) => e.messageStop).messageStop.stopReason, whole.stopReason, name);
    assert.deepEqual(events.at(-1).metadata.usage, whole.usage, name);
  }
});

test('stop reasons', async () => {
  const reasons = { length: 'max_tokens', filter: 'content_filtered', tool: 'tool_use', 'stop-sequence': 'stop_sequence' };
  for (const [name, reason] of Object.entries(reasons)) assert.equal((await ask(`[[mock:${name}]]`, { toolConfig })).stopReason, reason);
  const r = await ask('[[mock:stop-sequence]]', { inferenceConfig: { stopSequences: ['###'] }, additionalModelResponseFieldPaths: ['/stop_sequence'] });
  assert.deepEqual(r.additionalModelResponseFields, { stop_sequence: '###' });
});

test('tools: a call and its result', async () => {
  const first = await ask('[[mock:tool]] weather', { toolConfig });
  const { toolUse } = first.output.message.content[0];
  assert.deepEqual([toolUse.name, toolUse.input], ['get_weather', { city: 'mock' }]);
  const turn = (content, extra = { toolConfig }) => ask('', { ...extra, messages: [user('[[mock:tool]] weather'), first.output.message, user(...content)] });
  const result = (c) => ({ toolResult: { toolUseId: toolUse.toolUseId, content: [c] } });
  assert.equal((await turn([result({ text: '12 degrees' })])).output.message.content[0].text, '12 degrees');
  assert.equal((await turn([result({ json: { degrees: 12 } })])).output.message.content[0].text, '{"degrees":12}');
  await refused(turn(['and?']), 400, 'ValidationException', /^Expected toolResult blocks at messages\.2\.content for the following Ids: tooluse_/);
  await refused(turn([result({ text: 'a' }), result({ text: 'b' })]), 400, 'ValidationException', /exceeds the number of toolUse blocks/);
  await refused(turn([result({ text: 'a' })], {}), 400, 'ValidationException', /toolConfig field must be defined/);
});

test('a signature survives a turn, or is refused', async () => {
  for (const name of ['thinking', 'thinking-redacted']) {
    const events = await streamed(`[[mock:${name}]]`);
    const content = joined(events);
    const turn = (c) => ask('', { messages: [user('x'), { role: 'assistant', content: c }, user('[[mock:echo]]')] });
    assert.equal((await turn(content)).output.message.content[0].text, '[[mock:echo]]');
    const thought = content[0].reasoningContent;
    if (thought.reasoningText) thought.reasoningText.signature = 'Zm9yZWlnbg==';
    else thought.redactedContent = new Uint8Array([1, 2, 3]);
    await refused(turn(content), 400, 'ValidationException', /Invalid `signature` in `thinking` block/);
  }
});

test('structured output, citations, counting, cache', async () => {
  const schema = JSON.stringify({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] });
  const r = await ask('[[mock:json-out]]', { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema, name: 'x' } } } } });
  assert.deepEqual(JSON.parse(r.output.message.content[0].text), { n: 1 });
  const cited = await ask('[[mock:citations]]');
  assert.equal(cited.output.message.content[0].citationsContent.citations[0].title, 'A document');
  assert.equal((await streamed('[[mock:citations]]')).find((e) => e.contentBlockDelta?.delta.citation).contentBlockDelta.delta.citation.title, 'A document');
  const count = await client.send(new CountTokensCommand({ modelId: 'm', input: { converse: { messages: [user('12345678')] } } }));
  assert.equal(count.inputTokens, 2);
  const { usage } = await ask(`[[mock:usage-cache]] ${'x'.repeat(382)}`);
  assert.deepEqual([usage.inputTokens, usage.cacheReadInputTokens, usage.cacheWriteInputTokens], [26, 50, 25]);
});

test('what the service refuses', async () => {
  const bad = (messages, message) => refused(ask('', { messages }), 400, 'ValidationException', message);
  await bad([{ role: 'assistant', content: [{ text: 'x' }] }], /must start with a user message/);
  await bad([user('a'), user('b')], /must alternate/);
  await bad([{ role: 'user', content: [] }], /content field in the Message object at messages\.0 is empty/);
  await bad([user(' ')], /text field in the ContentBlock object at messages\.0\.content\.0 is blank/);
});

test('errors by status', async () => {
  const kinds = { 400: 'ValidationException', 403: 'AccessDeniedException', 404: 'ResourceNotFoundException', 408: 'ModelTimeoutException', 424: 'ModelErrorException', 429: 'ThrottlingException', 500: 'InternalServerException', 503: 'ServiceUnavailableException' };
  for (const [status, name] of Object.entries(kinds)) {
    await refused(ask(`[[mock:fail-${status}]]`), Number(status), name, /./);
    await refused(streamed(`[[mock:fail-${status}]]`), Number(status), name, /./);
  }
  await refused(ask('[[mock:fail-context]]'), 400, 'ValidationException', /Input is too long/);
  await refused(ask('[[mock:fail-quota]]'), 429, 'ThrottlingException', /Too many tokens/);
});

test('faults in mid-stream are seen as such', async () => {
  const failing = (name) => streamed(`[[mock:${name}]]`).then(() => assert.fail(`${name}: no error`), (e) => e);
  const e = await failing('stream-error');
  assert.deepEqual([e.name, e.originalStatusCode], ['ModelStreamErrorException', 500]);
  await failing('garbage-json');
  await failing('stream-cut-300');
  await failing('fail-html');
});
