// Counts of the tokenizer beside those of the npm package whose vocabularies it has: agree.cjs BINARY, with NODE_PATH
// where the package is. More than 10,000 texts for each encoding, the same in every run: scripts of the world, emoji,
// code, runs of spaces, numbers, control characters and mixtures, pieces longer than a window, and what real clients
// sent (tests/fixtures/clients); then estimates for other families beside what their vocabularies count, within 10 %.
// Exit 1 and the texts where a count differs.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { get_encoding } = require('tiktoken');

let seed = 12345;
function random(n) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
}
const pick = (list) => list[random(list.length)];
const times = (n, make) => Array.from({ length: n }, make).join('');

// Ranges of characters that have long been assigned: the versions of Unicode of both sides agree on them.
const RANGES = {
  ascii: [[0x20, 0x7e]], lower: [[0x61, 0x7a]], upper: [[0x41, 0x5a]], digits: [[0x30, 0x39]], latin1: [[0xa0, 0xff]],
  latinExtended: [[0x100, 0x17f], [0x1e00, 0x1eff]], greek: [[0x391, 0x3a1], [0x3b1, 0x3c9]], cyrillic: [[0x400, 0x45f]],
  hebrew: [[0x5d0, 0x5ea], [0x591, 0x5bd]], arabic: [[0x621, 0x64a], [0x64b, 0x652], [0x660, 0x669]],
  devanagari: [[0x900, 0x94d], [0x966, 0x96f]], bengali: [[0x985, 0x98c], [0x9be, 0x9c4], [0x9e6, 0x9ef]],
  tamil: [[0xb85, 0xb8a], [0xbbe, 0xbc2]], thai: [[0xe01, 0xe3a], [0xe40, 0xe59]], georgian: [[0x10d0, 0x10f0]],
  hangul: [[0xac00, 0xd7a3]], jamo: [[0x1100, 0x1112], [0x1161, 0x1175]], hiragana: [[0x3041, 0x3096]],
  katakana: [[0x30a1, 0x30fa]], han: [[0x4e00, 0x9fa5]], hanExtension: [[0x20000, 0x2a6d6]],
  symbols: [[0x2010, 0x2027], [0x2190, 0x21ff], [0x2200, 0x22ff]], emoji: [[0x1f300, 0x1f64f], [0x1f680, 0x1f6c5]],
  emojiParts: [[0x200d, 0x200d], [0xfe0f, 0xfe0f], [0x1f3fb, 0x1f3ff], [0x1f1e6, 0x1f1ff]],
  combining: [[0x300, 0x36f]], control: [[0x00, 0x1f], [0x7f, 0x9f]], fullwidth: [[0xff01, 0xff5e]],
  numbersOther: [[0xb2, 0xb3], [0xbc, 0xbe], [0x2160, 0x217f], [0x2460, 0x249b]], titlecase: [[0x1c5, 0x1c5], [0x1c8, 0x1c8]],
  modifier: [[0x2b0, 0x2c1], [0x1d2c, 0x1d61]], private: [[0xe000, 0xe0ff]], mathLetters: [[0x1d400, 0x1d454]],
};
const SPACES = [' ', ' ', ' ', '  ', '\n', '\n\n', '\r\n', '\t', '\u00a0', '\u0085', '\u2003', '\u3000', '\u2028', '   ', '\n ', ' \n', '\ufeff'];
const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'Re", "'\u017f", "\u2019s", "'x", "'", "''s"];
const WORDS = ('the of and to in a is that for it as was with be by on not he I this are or his from at which but have an had they you were their '
  + 'one all we can her has there been if more when will would who so no function return const static void import export class await '
  + 'getElementById HTTPServer snake_case_name kebab-case-name XMLHttpRequest iPhone McDonald naïve Straße café Ærøskøbing ÉCOLE İstanbul').split(' ');
const PUNCTUATION = [...'.,;:!?()[]{}<>/\\|@#$%^&*-_=+`~"\''];

function char(name) {
  const [from, to] = pick(RANGES[name]);
  return String.fromCodePoint(from + random(to - from + 1));
}
const NAMES = Object.keys(RANGES);
const run = (name, max) => times(1 + random(max), () => char(name));

const makers = [
  () => times(1 + random(30), () => run(pick(NAMES), 6)),
  () => times(1 + random(30), () => pick(WORDS) + pick([...SPACES, ...PUNCTUATION, ...CONTRACTIONS])),
  () => times(1 + random(10), () => { const name = pick(NAMES); return times(1 + random(8), () => run(name, 9) + pick([' ', ' ', '', ...SPACES])); }),
  () => times(1 + random(12), () => pick(SPACES)) + pick(['', pick(WORDS), char(pick(NAMES))]),
  () => times(1 + random(20), () => pick(SPACES) + pick(PUNCTUATION) + pick(['', '/', '\n', '\r\n', '//'])),
  () => times(1 + random(20), () => run('digits', 9) + pick(['', '.', ',', ' ', '-', '٣', '½', 'e', 'x'])),
  () => times(1 + random(30), () => pick([run('upper', 4), run('lower', 4), char('modifier'), char('combining'), char('han'), char('titlecase')])),
  () => times(1 + random(20), () => char('emoji') + pick(['', char('emojiParts'), '\u200d' + char('emoji')])),
  () => times(1 + random(60), () => char('control') + pick(['', '', char('ascii')])),
  () => JSON.stringify({ [pick(WORDS)]: run('ascii', 60), list: [random(1e9), random(100) / 7, null, true], deep: { text: run(pick(NAMES), 20) } }, null, random(3)),
  () => times(1 + random(8), () => `${pick(['if', 'for', 'while'])} (${pick(WORDS)} ${pick(['==', '<=', '&&', '=>'])} ${random(1000)}) {\n${' '.repeat(random(17))}${pick(WORDS)}(${pick(WORDS)});\n}\n`),
  () => Buffer.from(run('ascii', 80)).toString(pick(['base64', 'hex'])),
  () => pick(['<|endoftext|>', '<|im_start|>', '<|endofprompt|>']) + pick(WORDS),
];
// Pieces that no pattern cuts, longer than a window of the merging.
const longs = [
  () => char('lower').repeat(500 + random(3000)), () => pick(WORDS).replace(/[^a-z]/gi, 'a').repeat(100 + random(300)),
  () => times(500 + random(2000), () => char('lower')), () => times(300 + random(900), () => char('han')),
  () => times(300 + random(900), () => char('hangul')), () => '='.repeat(400 + random(2000)), () => ' '.repeat(400 + random(3000)) + 'x',
  () => times(400 + random(2000), () => pick([...'.,;:!?()[]{}<>|@#$%^&*-_=+`~'])), () => times(400, () => pick(WORDS).replace(/[^a-z]/gi, '').toLowerCase()),
  () => times(600, () => char('emoji')), () => times(300 + random(900), () => char('devanagari')), () => '\n'.repeat(300 + random(900)),
  () => times(900, () => pick(['a', 'b'])), () => times(700, () => pick(['ab', 'ba', 'abc', 'th', 'he', 'e'])), () => times(900, () => char('cyrillic')),
];

function strings(value, found) {
  if (typeof value === 'string') found.push(value);
  else if (value && typeof value === 'object') for (const v of Object.values(value)) strings(v, found);
}

function captured() {
  const found = [];
  const walk = (dir) => {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      const file = path.join(dir, entry.name);
      if (entry.isDirectory()) walk(file);
      else {
        const text = fs.readFileSync(file, 'utf8');
        found.push(text);
        try { strings(JSON.parse(text), found); } catch { /* not JSON: its text is enough */ }
      }
    }
  };
  walk(path.join(__dirname, '../fixtures/clients'));
  return [...new Set(found)];
}

const texts = ['', ...captured()];
const fromClients = texts.length;
for (let i = 0; i < 10000; i++) texts.push(pick(makers)());
for (let i = 0; i < 300; i++) texts.push(pick(longs)());

let failures = 0;

// What the gateway counts for texts with a model of that name.
function counted(model, list) {
  const input = Buffer.concat(list.flatMap((t) => { const b = Buffer.from(t); return [Buffer.from(`${model} ${b.length}\n`), b]; }));
  const ran = spawnSync(process.argv[2], { input, maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(`${process.argv[2]} ended with ${ran.status ?? ran.signal}: ${ran.stderr}`);
  const counts = ran.stdout.toString().trim().split('\n').map(Number);
  if (counts.length !== list.length) throw new Error(`${counts.length} counts of ${list.length} texts`);
  return counts;
}

for (const [model, name] of [['gpt-4o', 'o200k_base'], ['gpt-4', 'cl100k_base']]) {
  const counts = counted(model, texts);
  const reference = get_encoding(name);
  texts.forEach((text, i) => {
    const want = reference.encode_ordinary(text.toWellFormed?.() ?? text).length;
    if (counts[i] === want) return;
    if (failures++ < 20) console.error(`${name}: ${counts[i]} for ${want}: ${JSON.stringify(text.slice(0, 200))}`);
  });
  reference.free();
}
console.log(`${texts.length} texts, ${fromClients} of them from clients: ${failures ? `${failures} counts differ` : 'every count agrees'}`);

// Estimates beside what the families' own vocabularies count for what clients sent.
const MODELS = { GEMINI: 'gemini-2.5-pro', LLAMA: 'llama-3.3-70b', QWEN: 'qwen3-32b', DEEPSEEK: 'deepseek-v3', MISTRAL: 'mistral-small' };
const [, head, ...rows] = fs.readFileSync(path.join(__dirname, 'published_counts.tsv'), 'utf8').trim().split('\n').map((l) => l.split('\t'));
const requests = rows.map(([file]) => fs.readFileSync(path.join(__dirname, '../..', file), 'utf8'));
head.slice(1).forEach((family, column) => {
  let worst = 0;
  counted(MODELS[family], requests).forEach((count, i) => {
    const error = Math.abs(count / Number(rows[i][column + 1]) - 1);
    worst = Math.max(worst, error);
    if (error > 0.1 && failures++ < 20) console.error(`${family}: ${count} for ${rows[i][column + 1]}: ${rows[i][0]}`);
  });
  console.log(`${family}: ${rows.length} requests within ${(worst * 100).toFixed(1)} %`);
});
process.exit(failures ? 1 : 0);
