// Anthropic's SDK behind the one face that scenarios.js asks for (see matrix.js).
import Anthropic from '@anthropic-ai/sdk';

const make = ({ url, key }) => new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });

const messages = (turns) => turns.map((t) => {
  if (t.answer) return { role: 'assistant', content: t.answer.replay };
  if (t.results)
    return { role: 'user', content: t.results.map(([call, content]) => ({ type: 'tool_result', tool_use_id: call.id, content })) };
  if (!t.image) return { role: 'user', content: t.user };
  return { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: t.image } }, { type: 'text', text: t.user }] };
});
const body = (q) => ({
  model: q.model,
  max_tokens: q.maxTokens ?? 4096,
  messages: messages(q.turns),
  ...(q.tools && { tools: q.tools.map(({ parameters, ...f }) => ({ ...f, input_schema: parameters })) }),
  ...(q.schema && { output_config: { format: { type: 'json_schema', schema: q.schema } } }),
  ...(q.think && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
  ...(q.stop && { stop_sequences: [q.stop] }),
});
const stops = { end_turn: 'stop', stop_sequence: 'stop', max_tokens: 'length', tool_use: 'tool', refusal: 'refusal' };
const join = (blocks, type, member) => blocks.filter((b) => b.type === type).map((b) => b[member]).join('');

function answer(m) {
  const { usage: u } = m;
  const read = u.cache_read_input_tokens ?? 0, written = u.cache_creation_input_tokens ?? 0;
  return {
    text: join(m.content, 'text', 'text'),
    thinking: join(m.content, 'thinking', 'thinking'),
    calls: m.content.filter((b) => b.type === 'tool_use').map((b) => ({ id: b.id, name: b.name, args: b.input })),
    stop: stops[m.stop_reason],
    stopSequence: m.stop_sequence,
    usage: { in: u.input_tokens + read + written, out: u.output_tokens, cached: read },
    replay: m.content,
  };
}

async function ask(at, q) {
  const client = make(at);
  if (!q.stream) return answer(await client.messages.create(body(q), { signal: q.signal }));
  const runner = client.messages.stream(body(q), { signal: q.signal });
  if (q.onPart) runner.on('streamEvent', q.onPart);
  return answer(await runner.finalMessage());
}

async function models(at) {
  const ids = [];
  for await (const m of make(at).models.list()) ids.push(m.id);
  return ids;
}

const count = async (at, { model, text }) =>
  (await make(at).messages.countTokens({ model, messages: [{ role: 'user', content: text }] })).input_tokens;

export const anthropicClients = [{
  id: 'anthropic', dialect: 'anthropic', ask, models, count,
  errorOf: (e) => ({ status: e.status, retryAfter: e.headers?.get?.('retry-after'), code: e.error?.error?.type }),
  shows: { cached: true, retryAfter: true },
}];
