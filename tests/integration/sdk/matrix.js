// Every client of a table against every target, for every scenario: one test a cell, over one mock and one server.
import { after, before, test } from 'node:test';
import { KEY } from '../harness.js';
import { limits, scenarios } from './scenarios.js';
import { startTargets, targets } from './targets.js';

const only = process.env.SDK_ONLY ? new RegExp(process.env.SDK_ONLY) : /./; // one cell: SDK_ONLY='google -> ollama: refusal'
const fits = (wanted, ...names) => wanted === undefined || [wanted].flat().some((w) => names.includes(w));

export function matrix(clients) {
  let servers;
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
          test(limit ? `${name} (${limit.reason})` : name, { skip: run ? false : limit.reason }, () => run({
            client, target, stream, mock: servers.mock, serve: servers.serve, model: `${target.id}/m`,
            at: { url: servers.serve.url, key: KEY },
          }));
        }
}
