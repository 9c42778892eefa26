// Small things every suite needs: waiting for events, temporary folders, tidy ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const now = () => performance.now();

// A promise with its handles outside.
export function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  d.promise.catch(() => {});
  return d;
}

// The promise, or an error that says what was waited for.
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Polls until fn gives something true, and returns that.
export async function until(fn, what, ms = 5000, every = 5) {
  const end = now() + ms;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(every);
  }
}

// Runs fn over the items, at most `width` at a time; results in order.
export async function mapLimit(items, width, fn) {
  const results = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await fn(items[i], i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

// What the process started or made is undone however it ends.
const undo = new Set();
export function atEnd(fn) {
  undo.add(fn);
  return () => undo.delete(fn);
}
process.on('exit', () => {
  for (const fn of undo) fn();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

export function tempDir() {
  const dir = mkdtempSync(join(tmpdir(), 'triglot-e2e-'));
  atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// A measurement that may be noisy on a busy machine: passes when one of three tries does. What never came is no noise.
export async function threeTries(t, fn) {
  for (let tries = 1; ; tries++) {
    try {
      return await fn();
    } catch (e) {
      if (tries === 3 || /^waited \d+ ms/.test(e.message)) throw e;
      t.diagnostic?.(`try ${tries}: ${e.message.split('\n')[0]}`);
      await sleep(100);
    }
  }
}
