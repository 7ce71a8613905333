// Writes the vocabularies of the npm package `tiktoken`, and the classes of characters that their patterns name, as
// compact files: generate.cjs OUT_DIR. Run by scripts/tokenizer_data, which finds the package by NODE_PATH; read by
// src/text/tokenizer_load.c, which says the formats. Fails, rather than write something else, where the data is not
// what that file relies on.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

const out = process.argv[2];
const LENGTH_MAX = 128;

function fail(text) {
  console.error(`tokenizer: ${text}`);
  process.exit(1);
}

function write(name, raw) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(raw.length);
  fs.writeFileSync(path.join(out, name), Buffer.concat([size, zlib.deflateSync(raw, { level: 9 })]));
}

// Rank i is the i-th token: "! <first rank> <base64> <base64> …" in lines.
function vocabulary(name) {
  const tokens = [];
  for (const line of require(`tiktoken/encoders/${name}.json`).bpe_ranks.split('\n')) {
    if (!line) continue;
    const [, first, ...words] = line.split(' ');
    if (Number(first) !== tokens.length) fail(`${name}: ranks are not dense at ${first}`);
    for (const word of words) tokens.push(Buffer.from(word, 'base64'));
  }
  if (new Set(tokens.map((t) => t.toString('latin1'))).size !== tokens.length) fail(`${name}: a token occurs twice`);
  for (const t of tokens) if (t.length < 1 || t.length > LENGTH_MAX) fail(`${name}: a token of ${t.length} bytes`);
  for (let b = 0; b < 256; b++) if (!tokens.some((t) => t.length === 1 && t[0] === b)) fail(`${name}: no token ${b}`);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(tokens.length, 0);
  head.writeUInt32LE(tokens.reduce((n, t) => n + t.length, 0), 4);
  return Buffer.concat([head, Buffer.from(tokens.map((t) => t.length)), ...tokens]);
}

// In the order of enum tokenizer_class. Surrogates occur in no text.
const CLASSES = [/^[\r\n]$/u, /^\p{White_Space}$/u, /^[\p{Lu}\p{Lt}]$/u, /^\p{Ll}$/u, /^[\p{Lm}\p{Lo}]$/u, /^\p{M}$/u, /^\p{N}$/u];

function classOf(code) {
  if (code >= 0xd800 && code < 0xe000) return 0;
  return CLASSES.findIndex((c) => c.test(String.fromCodePoint(code))) + 1;
}

// An index of 0x1100 numbers (of 16 bits), then the blocks of 256 characters that they name.
function classes() {
  const index = Buffer.alloc(0x1100 * 2);
  const blocks = new Map();
  for (let block = 0; block < 0x1100; block++) {
    const bytes = Buffer.alloc(256);
    for (let i = 0; i < 256; i++) bytes[i] = classOf(block * 256 + i);
    const key = bytes.toString('latin1');
    if (!blocks.has(key)) blocks.set(key, blocks.size);
    index.writeUInt16LE(blocks.get(key), block * 2);
  }
  return Buffer.concat([index, ...[...blocks.keys()].map((k) => Buffer.from(k, 'latin1'))]);
}

fs.mkdirSync(out, { recursive: true });
write('classes.z', classes());
write('o200k_base.z', vocabulary('o200k_base'));
write('cl100k_base.z', vocabulary('cl100k_base'));
