// Every client of a table against every target, for every scenario: one test a cell, over one mock and one server.
//
// A client is
//   id, dialect            what it is, what it speaks to the gateway
//   ask(at, q)             one question: at = {url, key}; q = {model, turns, stream, tools, schema, think, stop, maxTokens,
//                          signal, onPart}. A turn is {user, image?}, {answer} (an earlier answer of the same client, given
//                          back as its documents say) or {results: [[call, text]]}. Answers
//                          {text, thinking, refusal, calls: [{id, name, args}], stop, stopSequence, usage, replay}, or
//                          {object} where a schema was asked for; throws where its program would see an error
//   errorOf(e)             {status, retryAfter, code} of what ask throws
//   shows                  what the SDK lets its program see: cached (tokens), retryAfter (of errors), noThinking;
//                          wrapsResults: it puts a tool's result into an object of its own making (Gemini);
//                          objectByTool: it asks for an object by forcing a tool where it does not know the model
//   embed, count, models   where it has them
import { after, before, test } from 'node:test';
import { KEY } from '../harness.js';
import { limits, scenarios } from './scenarios.js';
import { startTargets, targets } from './targets.js';

const only = process.env.SDK_ONLY ? new RegExp(process.env.SDK_ONLY) : /./; // one cell: SDK_ONLY='google -> ollama: refusal'
const RECORDS = 10;
const fits = (wanted, ...names) => wanted === undefined || [wanted].flat().some((w) => names.includes(w));

export function matrix(clients) {
  let servers, cells = 0;
  before(async () => { servers = await startTargets(); });
  after(async () => { await servers?.stop(); });

  for (const client of clients)
    for (const target of targets)
      for (const scenario of scenarios)
        for (const stream of scenario.both ? [false, true] : [false]) {
          const name = `${client.id} -> ${target.id}: ${scenario.id}${stream ? ', streamed' : ''}`;
          if (!only.test(name)) continue;
          const limit = limits.find((l) => fits(l.scenario, scenario.id) && fits(l.client, client.id, client.dialect) &&
            fits(l.target, target.id) && (l.stream ?? stream) === stream);
          const run = limit ? limit.run : scenario.run;
          test(limit ? `${name} (${limit.reason})` : name, { skip: run ? false : limit.reason, timeout: 60_000 }, async () => {
            const { mock, serve } = servers;
            if (++cells % RECORDS === 0) await mock.reset(); // what it remembers is read often, and slow to read when it is much
            await run({ client, target, stream, mock, serve, model: `${target.id}/m`, at: { url: serve.url, key: KEY } });
          });
        }
}
