// The AI SDK with four providers, behind the one face that scenarios.js asks for (see matrix.js).
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateObject, generateText, jsonSchema, streamObject, streamText, tool } from 'ai';

globalThis.AI_SDK_LOG_WARNINGS = false;

const messages = (turns) => turns.flatMap((t) => {
  if (t.answer) return t.answer.replay;
  if (t.results)
    return [{ role: 'tool', content: t.results.map(([call, value]) =>
      ({ type: 'tool-result', toolCallId: call.id, toolName: call.name, output: { type: 'text', value } })) }];
  return [{ role: 'user', content: [{ type: 'text', text: t.user }, ...(t.image ? [{ type: 'image', image: t.image, mediaType: 'image/png' }] : [])] }];
});
const stops = { stop: 'stop', length: 'length', 'tool-calls': 'tool', 'content-filter': 'filter' };
const usageOf = (u) => ({ in: u.inputTokens, out: u.outputTokens, cached: u.inputTokenDetails?.cacheReadTokens });

async function objectOf(options, q) {
  if (!q.stream) return (await generateObject({ ...options, schema: jsonSchema(q.schema) })).object;
  let failure;
  const r = streamObject({ ...options, schema: jsonSchema(q.schema), onError: ({ error }) => { failure = error; } });
  for await (const part of r.partialObjectStream) void part;
  if (failure) throw failure;
  return r.object;
}

async function streamed(options, q) {
  const r = streamText({ ...options, onError: () => {} });
  for await (const part of r.fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'abort') throw new Error('aborted');
    q.onPart?.();
  }
  const [text, reasoningText, toolCalls, finishReason, usage, response] =
    await Promise.all([r.text, r.reasoningText, r.toolCalls, r.finishReason, r.usage, r.response]);
  return { text, reasoningText, toolCalls, finishReason, usage, response };
}

const asking = (model, thinkOptions) => async (at, q) => {
  const options = {
    model: model(at)(q.model),
    messages: messages(q.turns),
    maxRetries: 0,
    abortSignal: q.signal,
    ...(q.maxTokens && { maxOutputTokens: q.maxTokens }),
    ...(q.stop && { stopSequences: [q.stop] }),
    ...(q.think && { providerOptions: thinkOptions, maxOutputTokens: 4096 }),
  };
  if (q.schema) return { object: await objectOf(options, q) };
  if (q.tools)
    options.tools = Object.fromEntries(q.tools.map((f) => [f.name, tool({ description: f.description, inputSchema: jsonSchema(f.parameters) })]));
  const r = q.stream ? await streamed(options, q) : await generateText(options);
  return {
    text: r.text,
    thinking: r.reasoningText ?? '',
    calls: r.toolCalls.map((c) => ({ id: c.toolCallId, name: c.toolName, args: c.input })),
    stop: stops[r.finishReason],
    usage: usageOf(r.usage),
    replay: r.response.messages,
  };
};
const errorOf = (e) => {
  const cause = APICallError.isInstance(e) ? e : e.lastError ?? e.cause ?? e;
  return { status: cause.statusCode, retryAfter: cause.responseHeaders?.['retry-after'] };
};

const openai = ({ url, key }) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
const compat = ({ url, key }) =>
  createOpenAICompatible({ name: 'maestro', baseURL: `${url}/v1`, apiKey: key, includeUsage: true, supportsStructuredOutputs: true });
const anthropic = ({ url, key }) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key });
const google = ({ url, key }) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key });
const shows = { cached: true, retryAfter: true };

export const aiOpenaiClients = [
  { id: 'ai-openai-chat', dialect: 'openai_chat', errorOf, shows: { ...shows, noThinking: true },
    ask: asking((at) => openai(at).chat, { openai: { reasoningEffort: 'medium' } }) },
  { id: 'ai-openai', dialect: 'openai_responses', errorOf, shows, // store is not set: it answers with references to kept items
    ask: asking((at) => openai(at).responses, { openai: { reasoningEffort: 'medium', reasoningSummary: 'auto', forceReasoning: true } }) },
  { id: 'ai-compat', dialect: 'openai_chat', errorOf, shows,
    ask: asking((at) => compat(at).chatModel, { maestro: { reasoningEffort: 'medium' } }) },
];

export const aiVendorClients = [
  { id: 'ai-anthropic', dialect: 'anthropic', errorOf, shows: { ...shows, objectByTool: true },
    ask: asking((at) => anthropic(at), { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } }) },
  { id: 'ai-google', dialect: 'gemini', errorOf, shows: { ...shows, wrapsResults: true },
    ask: asking((at) => google(at), { google: { thinkingConfig: { includeThoughts: true } } }) },
];
