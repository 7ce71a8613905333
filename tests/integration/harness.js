// Starts the real binary for a test: `maestro mock` as the upstream and `maestro serve` in front of it, each in a
// throw-away home of its own, and ends them by a drained shutdown, so that leak checks run.
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, writeFileSync, rmSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
import { described } from './described.js';

export const BIN = process.env.MAESTRO_BIN;
export const KEY = 'sk-maestro-test-key-0123456789';
const slow = /asan|tsan/.test(BIN ?? '');

if (!BIN) throw new Error('MAESTRO_BIN must name the binary under test');

// Every answer is held against the API's description.
const { fetch: plainFetch } = globalThis;
globalThis.fetch = async (input, init) => {
  const reply = await plainFetch(input, init);
  await described.check(input, init, reply);
  return reply;
};
// Not in a hook of the runner: one that fails keeps those behind it, which end the servers, from running.
process.on('exit', () => {
  if (!described.faults.length) return;
  console.error(`answers that are not as /api/openapi.json describes them:\n${[...new Set(described.faults)].join('\n')}`);
  process.exitCode = 1;
});

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until fn gives something true; throws with `what` after ms. */
export async function until(what, fn, ms = slow ? 20000 : 8000) {
  const end = Date.now() + ms;
  for (;;) {
    let value;
    try { value = await fn(); } catch { value = undefined; }
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await sleep(20);
  }
}

class Process {
  constructor(name, args, env, home) {
    this.name = name;
    this.output = '';
    this.home = home;
    const clean = Object.fromEntries(Object.entries(process.env)
      .filter(([k]) => /^(PATH|ASAN_OPTIONS|UBSAN_OPTIONS|TSAN_OPTIONS|LSAN_OPTIONS|LANG)$/.test(k)));
    this.child = spawn(BIN, args, {
      env: { ...clean, HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_DATA_HOME: join(home, 'data'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout.on('data', (d) => { this.output += d; });
    this.child.stderr.on('data', (d) => { this.output += d; });
    this.exited = new Promise((resolve) => this.child.on('exit', (code, signal) => {
      this.code = code ?? signal;
      resolve(this.code);
    }));
  }

  async waitFor(pattern) {
    return until(`${this.name} to print ${pattern}; it printed:\n${this.output}`, () => {
      if (this.code !== undefined) throw new Error(`${this.name} ended with ${this.code}:\n${this.output}`);
      return pattern.exec(this.output);
    });
  }

  /** SIGTERM; throws unless it ends with code 0. */
  async stop() {
    if (this.code === undefined) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), slow ? 60000 : 45000);
    await this.exited;
    clearTimeout(timer);
    rmSync(this.home, { recursive: true, force: true });
    if (this.code !== 0) throw new Error(`${this.name} ended with ${this.code}:\n${this.output.slice(-8000)}`);
  }
}

const homes = new Set();
// A test may look into a home after its process has ended, so they go with the test's own process.
process.on('exit', () => { for (const home of homes) rmSync(home, { recursive: true, force: true }); });

export function makeHome() {
  const home = mkdtempSync(join(tmpdir(), 'maestro-test-'));
  homes.add(home);
  mkdirSync(join(home, 'config', 'maestro'), { recursive: true });
  mkdirSync(join(home, 'data', 'maestro'), { recursive: true });
  return home;
}

/** Runs a command to its end: {code, stdout, stderr}. */
export async function run(args, { home = makeHome(), env = {}, input } = {}) {
  const child = spawn(BIN, args, {
    env: { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_DATA_HOME: join(home, 'data'), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '', stderr = '';
  child.stdout.on('data', (d) => { stdout += d; });
  child.stderr.on('data', (d) => { stderr += d; });
  child.stdin.on('error', () => {}); // EPIPE: a command that reads nothing may have ended already
  child.stdin.end(input ?? '');
  const code = await new Promise((resolve) => child.on('close', (c, s) => resolve(c ?? s)));
  return { code, stdout, stderr, home };
}

export async function startMock(...args) {
  const p = new Process('mock', ['mock', '--port', '0', ...args], {}, makeHome());
  const [, port] = await p.waitFor(/mock upstream on http:\/\/127\.0\.0\.1:(\d+)/);
  p.port = Number(port);
  p.url = `http://127.0.0.1:${port}`;
  p.requests = async () => (await (await fetch(`${p.url}/__mock/requests`)).json());
  p.stats = async () => (await (await fetch(`${p.url}/__mock/stats`)).json());
  p.reset = async () => { await fetch(`${p.url}/__mock/reset`, { method: 'POST' }); };
  return p;
}

/** `config` is maestro.json as an object (or a string), or undefined for none. */
export async function startServe({ config, env = {}, args = [], key = KEY, home = makeHome(), files = {} } = {}) {
  const path = join(home, 'config', 'maestro', 'maestro.json');
  if (config) writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config, null, 2));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, 'config', 'maestro', name), text);
  const p = new Process('serve', ['serve', '--port', '0', ...args], { ...(key ? { MAESTRO_API_KEY: key } : {}), ...env }, home);
  const [, port] = await p.waitFor(/serves on http:\/\/[^\s]*:(\d+)/);
  p.port = Number(port);
  p.url = `http://127.0.0.1:${port}`;
  described.watch(p.url);
  p.key = key;
  p.configPath = path;
  p.writeConfig = (c) => writeFileSync(path, typeof c === 'string' ? c : JSON.stringify(c, null, 2));
  p.logs = () => p.output.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));
  p.metrics = async () => (await fetch(`${p.url}/metrics`, { headers: key ? { authorization: `Bearer ${key}` } : {} })).text();
  p.post = (path_, body, headers = {}) => fetch(p.url + path_, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return p;
}

/** A provider "up" at the mock, with models as listed. */
export const configFor = (mock, extra = {}, models = ['mock-model']) => ({
  providers: {
    up: {
      type: 'openai-compatible',
      baseURL: `${mock.url}/v1`,
      apiKey: 'sk-upstream-secret-0001',
      models: Object.fromEntries(models.map((m) => [m, { name: m }])),
      ...extra,
    },
  },
});

/** Sends raw bytes, resolves with everything received until the server closes or ms pass. */
export function raw(port, bytes, { ms = 3000, half = false } = {}) {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = net.connect(port, '127.0.0.1', () => { socket.write(bytes); if (half) socket.end(); });
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on('data', (d) => { got += d.toString('latin1'); });
    socket.on('error', (e) => { if (!got) reject(e); });
    socket.on('close', () => { clearTimeout(timer); resolve(got); });
  });
}

/** A provider that answers in raw bytes: answer(request) -> the bytes before it closes, or a function of the socket. */
export async function rawProvider(answer) {
  const server = net.createServer((socket) => {
    let got = '';
    socket.on('error', () => {});
    socket.on('data', (d) => {
      got += d.toString('latin1');
      const at = got.indexOf('\r\n\r\n');
      if (at < 0 || got.length < at + 4 + Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0)) return;
      const does = answer({ head: got.slice(0, at), body: got.slice(at + 4) });
      got = '';
      if (typeof does === 'function') does(socket);
      else socket.end(does);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

export const sse = (text) => text.split(/\r?\n\r?\n/).filter((b) => b.startsWith('data:')).map((b) => b.slice(5).trim());
export const user = (text) => [{ role: 'user', content: text }];
export const read = (path) => readFileSync(path, 'utf8');
