// What is behind the gateway in the SDK tests: one mock, and a provider of each type that speaks to it.
import { configFor, startMock, startServe } from '../harness.js';

export const targets = [
  { id: 'compat', type: 'openai-compatible', path: '/v1' },
  { id: 'openai', type: 'openai', path: '/v1' },
  { id: 'anthropic', type: 'anthropic', path: '/v1' },
  { id: 'gemini', type: 'gemini', path: '/v1beta' },
  { id: 'ollama', type: 'ollama', path: '' },
  { id: 'bedrock', type: 'bedrock', path: '' },
];

/** A mock and a server with a provider for each target; models are named "<target id>/m". */
export async function startTargets(env = {}) {
  const mock = await startMock();
  const providers = Object.fromEntries(targets.map((t) => [t.id, {
    type: t.type, baseURL: mock.url + t.path, apiKey: `sk-upstream-${t.id}`, models: { m: {} },
  }]));
  const serve = await startServe({ config: { ...configFor(mock), providers }, env });
  return { mock, serve, stop: async () => { await serve.stop(); await mock.stop(); } };
}
