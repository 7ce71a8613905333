// The OpenAI SDK, chat and Responses, behind the one face that scenarios.js asks for (see matrix.js).
import OpenAI from 'openai';

const make = ({ url, key }) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const errorOf = (e) => ({ status: e.status, retryAfter: e.headers?.get?.('retry-after'), code: e.code });
const dataUrl = (data) => `data:image/png;base64,${data}`;
const embed = async (at, { model, texts }) => {
  const r = await make(at).embeddings.create({ model, input: texts });
  return { vectors: r.data.map((d) => d.embedding), tokens: r.usage?.prompt_tokens };
};
const models = async (at) => {
  const ids = [];
  for await (const m of make(at).models.list()) ids.push(m.id);
  return ids;
};

const chatMessages = (turns) => turns.flatMap((t) => {
  if (t.results) return t.results.map(([call, text]) => ({ role: 'tool', tool_call_id: call.id, content: text }));
  if (t.answer) return [t.answer.replay];
  if (!t.image) return [{ role: 'user', content: t.user }];
  return [{ role: 'user', content: [{ type: 'text', text: t.user }, { type: 'image_url', image_url: { url: dataUrl(t.image) } }] }];
});
const chatBody = (q) => ({
  model: q.model,
  messages: chatMessages(q.turns),
  ...(q.tools && { tools: q.tools.map((f) => ({ type: 'function', function: f })) }),
  ...(q.schema && { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: q.schema, strict: true } } }),
  ...(q.think && { reasoning_effort: 'medium' }),
  ...(q.stop && { stop: [q.stop] }),
  ...(q.maxTokens && { max_tokens: q.maxTokens }),
});
const chatStops = { stop: 'stop', length: 'length', tool_calls: 'tool', content_filter: 'filter' };

function chatAnswer(choice, usage, thinking) {
  const m = choice.message;
  return {
    text: m.content ?? '',
    thinking: thinking ?? '',
    refusal: m.refusal,
    calls: (m.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: JSON.parse(c.function.arguments) })),
    stop: m.refusal ? 'refusal' : chatStops[choice.finish_reason],
    usage: usage && { in: usage.prompt_tokens, out: usage.completion_tokens, cached: usage.prompt_tokens_details?.cached_tokens },
    replay: m,
  };
}

async function chatAsk(at, q) {
  const completions = make(at).chat.completions;
  if (!q.stream) {
    const r = await completions.create(chatBody(q), { signal: q.signal });
    return chatAnswer(r.choices[0], r.usage, r.choices[0].message.reasoning_content);
  }
  const runner = completions.stream({ ...chatBody(q), stream_options: { include_usage: true } }, { signal: q.signal });
  let thinking = '';
  runner.on('chunk', (c) => { thinking += c.choices[0]?.delta?.reasoning_content ?? ''; q.onPart?.(); });
  const r = await runner.finalChatCompletion();
  return chatAnswer(r.choices[0], r.usage, thinking);
}

const inputItems = (turns) => turns.flatMap((t) => {
  if (t.results) return t.results.map(([call, output]) => ({ type: 'function_call_output', call_id: call.id, output }));
  if (t.answer) return t.answer.replay;
  if (!t.image) return [{ role: 'user', content: t.user }];
  return [{ role: 'user', content: [{ type: 'input_text', text: t.user }, { type: 'input_image', image_url: dataUrl(t.image), detail: 'auto' }] }];
});
const responsesBody = (q) => ({
  model: q.model,
  input: inputItems(q.turns),
  store: false,
  ...(q.tools && { tools: q.tools.map((f) => ({ type: 'function', strict: false, ...f })) }),
  ...(q.schema && { text: { format: { type: 'json_schema', name: 'answer', schema: q.schema, strict: true } } }),
  ...(q.think && { reasoning: { effort: 'medium', summary: 'auto' }, include: ['reasoning.encrypted_content'] }),
  ...(q.maxTokens && { max_output_tokens: q.maxTokens }),
});

function responsesAnswer(r) {
  if (r.status === 'failed') throw Object.assign(new Error(r.error.message), { code: r.error.code });
  const parts = r.output.filter((i) => i.type === 'message').flatMap((i) => i.content);
  const calls = r.output.filter((i) => i.type === 'function_call');
  const refusal = parts.find((p) => p.type === 'refusal')?.refusal;
  const reasons = { max_output_tokens: 'length', content_filter: 'filter' };
  const stop = r.status === 'incomplete' ? reasons[r.incomplete_details.reason] : refusal ? 'refusal' : calls.length ? 'tool' : 'stop';
  return {
    text: r.output_text,
    thinking: r.output.filter((i) => i.type === 'reasoning').flatMap((i) => i.summary).map((s) => s.text).join(''),
    refusal,
    calls: calls.map((c) => ({ id: c.call_id, name: c.name, args: JSON.parse(c.arguments) })),
    stop,
    usage: r.usage && { in: r.usage.input_tokens, out: r.usage.output_tokens, cached: r.usage.input_tokens_details?.cached_tokens },
    replay: r.output,
  };
}

async function responsesAsk(at, q) {
  const { responses } = make(at);
  if (!q.stream) return responsesAnswer(await responses.create(responsesBody(q), { signal: q.signal }));
  const runner = responses.stream(responsesBody(q), { signal: q.signal });
  let last;
  for await (const event of runner) {
    last = event;
    q.onPart?.();
    // The SDK hands these two to the program, which has to look at them: they are how a stream fails.
    if (event.type === 'error') throw Object.assign(new Error(event.message), { code: event.code });
    if (event.type === 'response.failed') throw Object.assign(new Error(event.response.error.message), { code: event.response.error.code });
  }
  if (!/^response\.(completed|incomplete)$/.test(last?.type)) throw new Error('the stream has no end');
  return responsesAnswer(await runner.finalResponse());
}

export const openaiClients = [
  { id: 'openai-chat', dialect: 'openai_chat', ask: chatAsk, errorOf, embed, models, shows: { cached: true, retryAfter: true } },
  { id: 'openai-responses', dialect: 'openai_responses', ask: responsesAsk, errorOf, shows: { cached: true, retryAfter: true } },
];
