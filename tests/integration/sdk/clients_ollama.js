// Ollama's SDK behind the one face that scenarios.js asks for (see matrix.js).
import { Ollama } from 'ollama';

// It takes no signal for a call: one that ends its requests comes in by its fetch.
const make = ({ url, key }, signal) => new Ollama({
  host: url,
  headers: { authorization: `Bearer ${key}` },
  fetch: signal ? (u, init) => fetch(u, { ...init, signal }) : undefined,
});

const messages = (turns) => turns.flatMap((t) => {
  if (t.answer) return [t.answer.replay];
  if (t.results) return t.results.map(([call, content]) => ({ role: 'tool', tool_name: call.name, content }));
  return [{ role: 'user', content: t.user, ...(t.image && { images: [t.image] }) }];
});
const body = (q) => ({
  model: q.model,
  messages: messages(q.turns),
  ...(q.tools && { tools: q.tools.map((f) => ({ type: 'function', function: f })) }),
  ...(q.schema && { format: q.schema }),
  ...(q.think && { think: true }),
  ...((q.stop || q.maxTokens) && { options: { ...(q.stop && { stop: [q.stop] }), ...(q.maxTokens && { num_predict: q.maxTokens }) } }),
});

// The last two are no reasons of Ollama's own server: its clients take any word.
const stops = { stop: 'stop', length: 'length', content_filter: 'filter', refusal: 'refusal' };

function answer(message, last) {
  const calls = (message.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: c.function.arguments }));
  return {
    text: message.content ?? '',
    thinking: message.thinking ?? '',
    calls,
    stop: calls.length && last.done_reason === 'stop' ? 'tool' : stops[last.done_reason],
    usage: { in: last.prompt_eval_count, out: last.eval_count },
    replay: message,
  };
}

async function ask(at, q) {
  const client = make(at, q.signal);
  if (!q.stream) {
    const r = await client.chat(body(q));
    return answer(r.message, r);
  }
  const message = { role: 'assistant', content: '' };
  let last;
  for await (const c of await client.chat({ ...body(q), stream: true })) {
    message.content += c.message.content ?? '';
    if (c.message.thinking) message.thinking = (message.thinking ?? '') + c.message.thinking;
    if (c.message.tool_calls) message.tool_calls = [...(message.tool_calls ?? []), ...c.message.tool_calls];
    last = c;
    q.onPart?.();
  }
  return answer(message, last);
}

const models = async (at) => (await make(at).list()).models.map((m) => m.name);
const embed = async (at, { model, texts }) => {
  const r = await make(at).embed({ model, input: texts });
  return { vectors: r.embeddings, tokens: r.prompt_eval_count };
};

export const ollamaClients = [{
  id: 'ollama', dialect: 'ollama', ask, models, embed,
  errorOf: (e) => ({ status: e.status_code }),
  shows: {},
}];
