// LangChain's OpenAI and Anthropic models, behind the one face that scenarios.js asks for (see matrix.js).
import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';

const messages = (turns) => turns.flatMap((t) => {
  if (t.answer) return [t.answer.replay];
  if (t.results) return t.results.map(([call, content]) => new ToolMessage({ tool_call_id: call.id, name: call.name, content }));
  if (!t.image) return [new HumanMessage(t.user)];
  return [new HumanMessage({ content: [{ type: 'text', text: t.user }, { type: 'image_url', image_url: { url: `data:image/png;base64,${t.image}` } }] })];
});
const partsOf = (m) => (Array.isArray(m.content) ? m.content : [{ type: 'text', text: m.content }]);
const stops = { stop: 'stop', end_turn: 'stop', stop_sequence: 'stop', length: 'length', max_tokens: 'length', max_output_tokens: 'length',
  tool_calls: 'tool', tool_use: 'tool', content_filter: 'filter', refusal: 'refusal' };

function thinkingOf(m) {
  const block = partsOf(m).filter((p) => p.type === 'thinking').map((p) => p.thinking).join('');
  const summary = (m.additional_kwargs.reasoning?.summary ?? []).map((s) => s.text).join('');
  return block || summary || m.additional_kwargs.reasoning_content || '';
}

function answer(m) {
  const meta = m.response_metadata, u = m.usage_metadata;
  const reason = meta.incomplete_details?.reason ?? meta.finish_reason ?? meta.stop_reason ?? m.additional_kwargs.stop_reason;
  const calls = (m.tool_calls ?? []).map((c) => ({ id: c.id, name: c.name, args: c.args }));
  return {
    text: partsOf(m).filter((p) => p.type === 'text').map((p) => p.text).join(''),
    thinking: thinkingOf(m),
    refusal: m.additional_kwargs.refusal,
    calls,
    stop: m.additional_kwargs.refusal ? 'refusal' : reason ? stops[reason] : calls.length ? 'tool' : 'stop',
    usage: u && { in: u.input_tokens, out: u.output_tokens, cached: u.input_token_details?.cache_read },
    replay: m,
  };
}

const asking = (make) => async (at, q) => {
  let model = make(at, q);
  if (q.schema) {
    model = model.withStructuredOutput(q.schema, { name: 'answer' });
    if (!q.stream) return { object: await model.invoke(messages(q.turns), { signal: q.signal }) };
    let object;
    for await (const part of await model.stream(messages(q.turns), { signal: q.signal })) object = part;
    return { object };
  }
  if (q.tools) model = model.bindTools(q.tools.map((f) => ({ type: 'function', function: f })));
  const options = { signal: q.signal, ...(q.stop && { stop: [q.stop] }) };
  if (!q.stream) return answer(await model.invoke(messages(q.turns), options));
  let whole;
  for await (const chunk of await model.stream(messages(q.turns), options)) {
    whole = whole ? whole.concat(chunk) : chunk;
    q.onPart?.();
  }
  return answer(whole);
};
const errorOf = (e) => ({ status: e.status ?? e.cause?.status, retryAfter: (e.headers ?? e.cause?.headers)?.get?.('retry-after') });

const openai = (useResponsesApi) => ({ url, key }, q) => new ChatOpenAI({
  model: q.model, apiKey: key, configuration: { baseURL: `${url}/v1` }, maxRetries: 0, useResponsesApi,
  ...(q.maxTokens && { maxTokens: q.maxTokens }),
  ...(q.think && { reasoning: { effort: 'medium', ...(useResponsesApi && { summary: 'auto' }) } }),
});
const anthropic = ({ url, key }, q) => new ChatAnthropic({
  model: q.model, apiKey: key, anthropicApiUrl: url, maxRetries: 0, maxTokens: q.maxTokens ?? 4096,
  ...(q.think && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
});
const shows = { cached: true, retryAfter: true };

export const langchainClients = [
  { id: 'langchain-openai', dialect: 'openai_chat', errorOf, shows, ask: asking(openai(false)) },
  { id: 'langchain-responses', dialect: 'openai_responses', errorOf, shows, ask: asking(openai(true)) },
  { id: 'langchain-anthropic', dialect: 'anthropic', errorOf, shows: { ...shows, objectByTool: true }, ask: asking(anthropic) },
];
