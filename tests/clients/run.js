// Each coding client runs its shell tool once, by the word of a model that speaks another dialect: the mock calls the tool
// (`[[call …]]`, docs/mock.md), the client runs the command, and the answer, which repeats the tool's result, is what the
// client prints. Started by scripts/try-clients. Clients have a home of their own and only the addresses of the server;
// what else they look up may fail. With --shaped they ask for aliases, requests are shaped on the way (a system prompt in
// front, other tools than the shell's and two members left out), and the models write their calls as markup into their text.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KEY } from '../integration/harness.js';
import { startTargets, targets } from '../integration/sdk/targets.js';

const TIMEOUT_MS = 180_000, AT_ONCE = 2, ADMIN = 'admin-token-of-the-clients';
const bin = (...path) => join(process.env.CLIENTS_DIR, ...path);
const arch = process.env.CLIENTS_ARCH;
const put = (path, text) => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof text === 'string' ? text : JSON.stringify(text));
};

const opencode = (npm, version) => ({ url, home, model, prompt }) => {
  put(join(home, 'opencode.json'), {
    provider: { gw: { npm, options: { baseURL: `${url}/${version}`, apiKey: KEY }, models: { [model]: { tool_call: true } } } },
    permission: { bash: 'allow' },
  });
  return { args: [bin(`opencode-${arch}`, 'bin', 'opencode'), 'run', '-m', `gw/${model}`, prompt] };
};

/** `dialect` is what it speaks; `tool` and `member` are the shell tool's names; `setup` writes its files and says how it is run. */
const clients = [
  { id: 'claude-code', dialect: 'anthropic', tool: 'Bash', member: 'command', setup: ({ url, model, prompt }) => ({
    args: [bin('@anthropic-ai', `claude-code-${arch}`, 'claude'), '-p', prompt, '--allowedTools', 'Bash', '--model', model],
    env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: KEY, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  }) },
  { id: 'codex', dialect: 'openai_responses', tool: 'exec_command', member: 'cmd', setup({ url, home, model, prompt }) {
    put(join(home, '.codex', 'config.toml'), [
      `model = "${model}"`, 'model_provider = "gw"', '[model_providers.gw]', 'name = "gw"', `base_url = "${url}/v1"`,
      'env_key = "GW_KEY"', 'wire_api = "responses"', ''].join('\n'));
    return {
      args: [process.execPath, bin('@openai', 'codex', 'bin', 'codex.js'), 'exec', '--skip-git-repo-check',
        '--dangerously-bypass-approvals-and-sandbox', prompt],
      env: { GW_KEY: KEY },
    };
  } },
  { id: 'gemini-cli', dialect: 'gemini', tool: 'run_shell_command', member: 'command', setup({ url, home, model, prompt }) {
    put(join(home, '.gemini', 'settings.json'), {
      security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
      privacy: { usageStatisticsEnabled: false }, general: { disableAutoUpdate: true },
    });
    return {
      args: [process.execPath, bin('@google', 'gemini-cli', 'bundle', 'gemini.js'), '--yolo', '-m', model, '-p', prompt],
      env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: KEY },
    };
  } },
  { id: 'opencode-compat', dialect: 'openai_chat', tool: 'bash', member: 'command', setup: opencode('@ai-sdk/openai-compatible', 'v1') },
  { id: 'opencode-openai', dialect: 'openai_responses', tool: 'bash', member: 'command', setup: opencode('@ai-sdk/openai', 'v1') },
  { id: 'opencode-anthropic', dialect: 'anthropic', tool: 'bash', member: 'command', setup: opencode('@ai-sdk/anthropic', 'v1') },
  { id: 'opencode-google', dialect: 'gemini', tool: 'bash', member: 'command', setup: opencode('@ai-sdk/google', 'v1beta') },
];

function execute({ args: [file, ...args], env = {} }, home, cwd) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', TERM: 'dumb', NO_COLOR: '1', TMPDIR: home, ...env },
    });
    let output = '';
    child.stdout.on('data', (d) => { output += d; });
    child.stderr.on('data', (d) => { output += d; });
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), TIMEOUT_MS);
    child.on('error', (e) => { clearTimeout(timer); resolve({ code: e.code, output: e.message }); });
    child.on('close', (code, signal) => { clearTimeout(timer); resolve({ code: code ?? signal, output }); });
  });
}

/** Undefined when the client did all of it, else what is missing. */
async function tryOne(client, model, url) {
  const home = mkdtempSync(join(tmpdir(), 'maestro-client-')), work = join(home, 'work'), marker = join(work, 'marker');
  mkdirSync(work);
  try {
    const command = `seq -s - 41 43 | tee ${marker}`; // plain: one client forbids substitutions
    const prompt = `[[mock:${isShaped ? 'leak-think' : 'thinking+tool'}]] [[call ${client.tool} ${client.member} ${command}]]`;
    const { code, output } = await execute(client.setup({ url, home: client.id.startsWith('opencode') ? work : home, model, prompt }), home, work);
    const fault = !existsSync(marker) ? 'the tool did not run' : readFileSync(marker, 'utf8') !== '41-42-43\n' ? 'the tool ran wrongly'
      : !output.includes('41-42-43') ? 'the result did not come back' : code !== 0 ? `exit code ${code}` : undefined;
    return fault && `${fault}; it printed:\n${output.slice(-4000)}`;
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What an operator sets for the models, and aliases that lead to them. */
async function shape({ serve }) {
  const rows = [
    ...targets.map((t) => ['model-mappings', { display_name: `as-${t.id}`, real_name: `${t.id}/m` }]),
    ...targets.map((t) => ['model-config', { model_prefix: `as-${t.id}`, allowed_tools: [...new Set(clients.map((c) => c.tool))],
      unsupported_params: ['temperature', 'parallel_tool_calls'] }]),
    ['system-prompts', { scope_type: 'global', prompt: 'Be brief.' }],
  ];
  for (const [path, row] of rows) {
    const reply = await serve.post(`/admin/${path}`, row, { authorization: `Bearer ${ADMIN}` });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  }
}

const { values: { shaped: isShaped }, positionals: wanted } = parseArgs({ options: { shaped: { type: 'boolean' } }, allowPositionals: true });
const isWanted = (client, target) => !wanted.length || wanted.includes(client.id) || wanted.includes(`${client.id}/${target.id}`);
const servers = await startTargets({ ADMIN_TOKEN: ADMIN });
if (isShaped) await shape(servers);
const queue = clients.flatMap((client) => targets.filter((target) => isWanted(client, target)).map((target) => ({ client, target })));
const faults = [];
const cell = (client, target) => queueDone.get(`${client.id}/${target.id}`) ?? '-';
const queueDone = new Map();

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { client, target } = next, name = `${client.id}/${target.id}`, began = Date.now();
    const fault = await tryOne(client, isShaped ? `as-${target.id}` : `${target.id}/m`, servers.serve.url);
    queueDone.set(name, fault ? 'FAILED' : 'ok');
    console.error(`${name}: ${fault ? 'FAILED' : 'ok'} (${Math.round((Date.now() - began) / 1000)} s)`);
    if (fault) faults.push(`${name}: ${fault}`);
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
await servers.stop();

for (const fault of faults) console.log(`\n${fault}`);
console.log(`\n${'client'.padEnd(20)}${targets.map((t) => t.id.padEnd(11)).join('')}`);
for (const client of clients)
  if (targets.some((t) => queueDone.has(`${client.id}/${t.id}`)))
    console.log(client.id.padEnd(20) + targets.map((t) => cell(client, t).padEnd(11)).join(''));
process.exit(faults.length ? 1 : 0);
