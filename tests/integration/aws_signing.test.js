// Bedrock with AWS's access keys: what reaches the provider carries the signature that the vendor's own signer makes for it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import { SignatureV4 } from '@smithy/signature-v4';
import { startMock, startServe, user } from './harness.js';

class Sha256 { // as the signer wants its hash
  constructor(secret) { this.hash = secret ? createHmac('sha256', secret) : createHash('sha256'); }
  update(data) { this.hash.update(data); }
  async digest() { return new Uint8Array(this.hash.digest()); }
}
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const env = (token) => ({ AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_REGION: 'eu-west-3', ...(token ? { AWS_SESSION_TOKEN: token } : {}) });

let mock, wire, seen;
before(async () => {
  mock = await startMock();
  wire = http.createServer(async (request, response) => { // notes what came, and lets the mock answer
    const body = Buffer.concat(await request.toArray());
    seen.push({ method: request.method, path: request.url, headers: request.headers, body });
    const answer = await fetch(mock.url + request.url, { method: request.method, body, headers: { 'content-type': 'application/json', authorization: 'Bearer k' } });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }).listen(0, '127.0.0.1');
  await once(wire, 'listening');
});
after(async () => {
  wire?.closeAllConnections();
  wire?.close();
  await mock?.stop();
});
const url = () => `http://127.0.0.1:${wire.address().port}`;
const serveSigned = (extra, token) => startServe({ config: { providers: { bedrock: { baseURL: url(), models: { [model]: {} }, ...extra } } }, env: env(token) });

async function check({ method, path, headers, body }, region, sessionToken) {
  const at = headers['x-amz-date'].replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  assert.ok(Math.abs(Date.now() - Date.parse(at)) < 60000, at);
  const signer = new SignatureV4({ service: 'bedrock', region, sha256: Sha256, credentials: { ...keys, sessionToken } });
  const signed = await signer.sign({ method, protocol: 'http:', hostname: '127.0.0.1', path, query: {}, headers: { host: headers.host }, body }, { signingDate: new Date(at) });
  assert.equal(headers.authorization, signed.headers.authorization);
  assert.equal(headers['x-amz-content-sha256'], signed.headers['x-amz-content-sha256']);
  assert.equal(headers['x-amz-security-token'], sessionToken);
  assert.equal(headers['content-type'], 'application/json');
  assert.ok(!JSON.stringify(headers).includes(keys.secretAccessKey));
}

for (const [token, extra, region] of [[undefined, {}, 'eu-west-3'], ['FwoGZXIvYXdzEXAMPLE//TOKEN==', { region: 'us-gov-west-1' }, 'us-gov-west-1']]) {
  test(`whole and streamed requests are signed, ${token ? 'with' : 'without'} a session token`, async () => {
    seen = [];
    const serve = await serveSigned(extra, token);
    for (const stream of [false, true]) {
      const reply = await serve.post('/v1/chat/completions', { model: `bedrock/${model}`, stream, messages: user('[[mock:echo]] Grüße') });
      assert.equal(reply.status, 200);
      assert.match(await reply.text(), stream ? /"finish_reason":"stop"/ : /Grüße/);
    }
    assert.deepEqual(seen.map((r) => r.path), ['converse', 'converse-stream'].map((p) => `/model/${model.replaceAll(':', '%3A')}/${p}`));
    for (const request of seen) await check(request, region, token);
    await serve.stop();
  });
}

test('a Bedrock API key is preferred, and access keys go to no other name at an address of its own', async () => {
  seen = [];
  const config = { providers: { bedrock: { baseURL: url(), models: { m: {} } }, other: { type: 'bedrock', baseURL: url(), models: { m: {} } } } };
  const serve = await startServe({ config, env: { ...env(), AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key-0001' } });
  const ask = (name) => serve.post('/v1/messages', { model: `${name}/m`, max_tokens: 5, messages: user('x') });
  assert.equal((await ask('bedrock')).status, 200);
  assert.equal(seen[0].headers.authorization, 'Bearer bedrock-key-0001');
  assert.equal(seen[0].headers['x-amz-date'], undefined);
  assert.equal((await ask('other')).status, 503);
  assert.equal(seen.length, 1);
  await serve.stop();
});
