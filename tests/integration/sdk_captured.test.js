// The requests that real clients were seen to send (fixtures/clients) through the gateway to a provider of every type: each
// survives, or is refused as its row below says.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { KEY, raw } from './harness.js';
import { startTargets, targets } from './sdk/targets.js';

const folder = new URL('../fixtures/clients/', import.meta.url);
const files = readFileSync(new URL('INDEX.tsv', folder), 'utf8').trim().split('\n').map((line) => line.split('\t')[0]);

let servers;
const sealed = {}; // what the mock has signed, in place of what another server had
before(async () => {
  servers = await startTargets();
  const ask = async (path, body) => (await fetch(servers.mock.url + path, { method: 'POST', body: JSON.stringify(body) })).json();
  const [thinking] = (await ask('/v1/messages', {
    model: 'thinking', max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 1024 }, messages: [{ role: 'user', content: 'x' }],
  })).content;
  sealed.thinking = { thinking: thinking.thinking, signature: thinking.signature };
  const { output } = await ask('/v1/responses', { model: 'thinking', input: 'x', include: ['reasoning.encrypted_content'] });
  sealed.encrypted = output.find((i) => i.type === 'reasoning').encrypted_content;
});
after(async () => { await servers?.stop(); });

/** The body without what it told another server to do, with its model replaced, and what only the server that made it could take back. */
function adapt(body, model) {
  const adapted = JSON.parse(JSON.stringify(body).replaceAll('[[mock:', '[[was:'));
  if (adapted.model !== undefined) adapted.model = model;
  JSON.stringify(adapted, (k, v) => {
    if (v?.type === 'thinking' && v.signature) Object.assign(v, sealed.thinking);
    if (v?.encrypted_content) v.encrypted_content = sealed.encrypted;
    if (v?.thoughtSignature) v.thoughtSignature = 'skip_thought_signature_validator';
    return v;
  });
  return adapted;
}

const ends = [
  [/\/responses$/, /"type": ?"response\.(completed|incomplete)"/], [/\/chat\/completions$/, /"finish_reason": ?"/],
  [/\/messages/, /"type": ?"message_stop"/], [/:stream/, /"finishReason": ?"/], [/\/api\//, /"done": ?true/],
];

/** Statuses other than 200: [file, target or undefined for each, status, why]. The first row that fits. */
const others = [
  [/^aws-bedrock-js/, undefined, 404, 'callers do not speak Bedrock'],
  [/^ai-sdk-anthropic.05/, 'ollama', 400, 'tool_choice required cannot be said to Ollama'],
  [/^ai-sdk-openai-compatible.05/, ['anthropic', 'bedrock'], 400, 'JSON mode without a schema cannot be said to Anthropic, nor to Bedrock'],
  [/^ai-sdk-openai.04/, undefined, 404, 'it refers to an item of an answer that was another server\'s'],
  [/^(google-genai-js.08|ollama-js.13|openai-js.16)/, ['anthropic', 'bedrock'], 400, 'Anthropic and Converse have no embeddings'],
];

for (const file of files) {
  const { method, path, headers, body } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  for (const target of targets) {
    if (method !== 'POST' && target !== targets[0]) continue; // no model in it
    const [, , status = 200, why] = others.find(([f, t]) => f.test(file) && (t === undefined || [t].flat().includes(target.id))) ?? [];
    test(`${file} -> ${target.id}${why ? ` (${status}: ${why})` : ''}`, { timeout: 60_000 }, async () => {
      const model = `${target.id}/m`;
      const skipped = /^(host|connection|content-length|accept-encoding|upgrade|sec-)/;
      const own = Object.fromEntries(Object.entries(headers).filter(([k]) => !skipped.test(k)).map(([k, v]) => [k, v.replace(/\bKEY\b/, KEY)]));
      const where = path.replace(/(?<=\/models\/)[^:/]+(?=:)/, model);
      if (method === 'UPGRADE') {
        const lines = Object.entries({ ...headers, host: `127.0.0.1:${servers.serve.port}` }).map(([k, v]) => `${k}: ${v}\r\n`);
        assert.match(await raw(servers.serve.port, `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), /^HTTP\/1\.1 426 /);
        return;
      }
      if (method === 'POST') own['content-type'] ??= 'application/json';
      const r = await fetch(servers.serve.url + where, {
        method, headers: own, body: method === 'POST' ? JSON.stringify(adapt(body, model)) : undefined,
      });
      const text = await r.text();
      assert.equal(r.status, status, text.slice(0, 600));
      if (status !== 200 || method !== 'POST') return;
      assert.doesNotMatch(text, /"error": ?[{"]/);
      const isStream = /stream/.test(r.headers.get('content-type')) || /ndjson/.test(r.headers.get('content-type'));
      if (isStream) assert.match(text, ends.find(([p]) => p.test(where.split('?')[0]))[1], 'the stream has its end');
      else JSON.parse(text);
    });
  }
}
