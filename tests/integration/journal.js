// The journal of money, read by somebody else's eyes: src/state/journal.h says what stands where.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const crcTable = Array.from({ length: 256 }, (_, i) => {
  for (let k = 0; k < 8; k++) i = i & 1 ? (i >>> 1) ^ 0x82f63b78 : i >>> 1;
  return i >>> 0;
});
const crc32c = (...parts) => {
  let c = 0xffffffff;
  for (const p of parts) for (const b of p) c = crcTable[(c ^ b) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};
const SLOTS = 8192, ROWS = 65536, SLOT = 176, ROW = 208, HEADER = 4096;
const FLAGS = ['estimated', 'overrun', 'unpriced', 'recovered', 'failed'];

/** {rows, taken}: what is settled, and how many slots are in use. */
export function journal(home) {
  const folder = join(home, 'data', 'maestro', 'ledger'), rows = [];
  let taken = 0;
  for (const name of readdirSync(folder).filter((n) => /^worker-\d+\.journal$/.test(n))) {
    const b = readFileSync(join(folder, name));
    assert.equal(b.length, HEADER + SLOTS * SLOT + ROWS * ROW, name);
    for (let i = 0; i < SLOTS; i++) taken += b.readUInt32LE(HEADER + i * SLOT) !== 0;
    for (let i = 0; i < ROWS; i++) {
      const r = b.subarray(HEADER + SLOTS * SLOT + i * ROW, HEADER + SLOTS * SLOT + (i + 1) * ROW);
      if (r.readBigUInt64LE(0) === 0n) continue;
      assert.equal(r.readUInt32LE(8), crc32c(r.subarray(0, 8), r.subarray(12)), `${name}: row ${i} has its checksum`);
      const text = (at, n) => r.subarray(at, at + n).toString().replace(/\0+$/, '');
      rows.push({
        flags: Object.fromEntries(FLAGS.map((f, k) => [f, (r.readUInt32LE(12) >> k & 1) === 1])),
        accounts: [0, 1, 2, 3].map((k) => r.readBigUInt64LE(16 + 8 * k)),
        reserved: r.readBigInt64LE(48), attempt: r.readUInt32LE(84), trace: text(88, 32), model: text(120, 40),
        amount: r.readBigInt64LE(160), input: r.readBigInt64LE(168), output: r.readBigInt64LE(176),
      });
    }
  }
  return { rows, taken };
}

/** The id of the account of that name, as rows have it. */
export const accountId = (name) => createHash('sha256').update(name).digest().readBigUInt64LE(0);
/** Of all accounts, or of one; nano-USD. */
export const spent = (home, name) => {
  const id = name && accountId(name);
  return journal(home).rows.reduce((sum, r) => sum + (!id || r.accounts.includes(id) ? r.amount : 0n), 0n);
};
export const usd = (nano) => Number(nano) / 1e9;
