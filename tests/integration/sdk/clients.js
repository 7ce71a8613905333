// The table of clients. A client is
//   id, dialect            what it is, what it speaks to the gateway
//   ask(at, q)             one question: at = {url, key}; q = {model, turns, stream, tools, schema, think, stop, maxTokens,
//                          signal, onPart}. A turn is {user, image?}, {answer} (an earlier answer of the same client, given
//                          back as its documents say) or {results: [[call, text]]}. Answers
//                          {text, thinking, refusal, calls: [{id, name, args}], stop, stopSequence, usage, replay}, or
//                          {object} where a schema was asked for; throws where its program would see an error
//   errorOf(e)             {status, retryAfter, code} of what ask throws
//   shows                  what the SDK lets its program see: cached (tokens), retryAfter (of errors), noThinking;
//                          objectByTool: it asks for an object by forcing a tool where it does not know the model
//   embed, count, models   where it has them
import { anthropicClients } from './clients_anthropic.js';
import { googleClients } from './clients_google.js';
import { ollamaClients } from './clients_ollama.js';
import { openaiClients } from './clients_openai.js';

export const vendorClients = [...openaiClients, ...anthropicClients, ...googleClients, ...ollamaClients];
