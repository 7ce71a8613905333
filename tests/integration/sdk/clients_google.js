// Google's SDK behind the one face that scenarios.js asks for (see matrix.js).
import { GoogleGenAI } from '@google/genai';

const make = ({ url, key }) => new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });

// An answer comes back as the SDK's own chats keep it: a content for each chunk that says something.
const contents = (turns) => turns.flatMap((t) => {
  if (t.answer) return t.answer.replay;
  if (t.results)
    return { role: 'user', parts: t.results.map(([call, output]) => ({ functionResponse: { id: call.id, name: call.name, response: { output } } })) };
  return { role: 'user', parts: [{ text: t.user }, ...(t.image ? [{ inlineData: { mimeType: 'image/png', data: t.image } }] : [])] };
});
const params = (q) => ({
  model: q.model,
  contents: contents(q.turns),
  config: {
    ...(q.tools && { tools: [{ functionDeclarations: q.tools.map(({ parameters, ...f }) => ({ ...f, parametersJsonSchema: parameters })) }] }),
    ...(q.schema && { responseMimeType: 'application/json', responseJsonSchema: q.schema }),
    ...(q.think && { thinkingConfig: { includeThoughts: true } }),
    ...(q.stop && { stopSequences: [q.stop] }),
    ...(q.maxTokens && { maxOutputTokens: q.maxTokens }),
    ...(q.signal && { abortSignal: q.signal }),
  },
});
const stops = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'filter', PROHIBITED_CONTENT: 'refusal' };

/* The parts of parallel calls belong into one content, or the vendor misses results. */
const contentsOf = (chunks) => chunks.map((c) => c.candidates?.[0]?.content)
  .filter((content) => content?.parts?.some((p) => p.text !== '' || p.thoughtSignature));

function answer(chunks) {
  const parts = chunks.flatMap((c) => c.candidates?.[0]?.content?.parts ?? []);
  const last = chunks.at(-1);
  const u = last.usageMetadata;
  const calls = parts.filter((p) => p.functionCall).map((p) => ({ id: p.functionCall.id, name: p.functionCall.name, args: p.functionCall.args }));
  const reason = last.candidates?.[0]?.finishReason ?? chunks.find((c) => c.promptFeedback)?.promptFeedback.blockReason;
  if (!reason) throw new Error('the stream has no end');
  return {
    text: parts.filter((p) => !p.thought).map((p) => p.text ?? '').join(''),
    thinking: parts.filter((p) => p.thought).map((p) => p.text ?? '').join(''),
    calls,
    stop: calls.length && reason === 'STOP' ? 'tool' : stops[reason],
    usage: u && { in: u.promptTokenCount, out: (u.candidatesTokenCount ?? 0) + (u.thoughtsTokenCount ?? 0), cached: u.cachedContentTokenCount ?? 0 },
    replay: calls.length > 1 ? [{ role: 'model', parts }] : contentsOf(chunks),
  };
}

async function ask(at, q) {
  const ai = make(at);
  if (!q.stream) return answer([await ai.models.generateContent(params(q))]);
  const chunks = [];
  for await (const c of await ai.models.generateContentStream(params(q))) {
    chunks.push(c);
    q.onPart?.();
  }
  return answer(chunks);
}

async function models(at) {
  const ids = [];
  for await (const m of await make(at).models.list()) ids.push(m.name.replace(/^models\//, ''));
  return ids;
}

const count = async (at, { model, text }) => (await make(at).models.countTokens({ model, contents: text })).totalTokens;
const embed = async (at, { model, texts }) =>
  ({ vectors: (await make(at).models.embedContent({ model, contents: texts })).embeddings.map((e) => e.values) });

export const googleClients = [{
  id: 'google', dialect: 'gemini', ask, models, count, embed,
  errorOf: (e) => ({ status: e.status }),
  shows: { cached: true },
}];
