// Runs the suites: most of them two at a time, those that measure time or memory alone. Each is a process of its own
// that prints TAP; what is shown of it is one line, its failures, and its diagnostics.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 100000;
const ALONE = ['streams', 'disconnect', 'life', 'scale']; // measure; in this order
const here = join(dirname(fileURLToPath(import.meta.url)), '..');

const args = process.argv.slice(2);
const serial = args.includes('--serial');
const wanted = args.filter((a) => !a.startsWith('-'));
const suites = readdirSync(here)
  .filter((f) => f.endsWith('.test.mjs'))
  .map((f) => f.slice(0, -'.test.mjs'.length))
  .filter((s) => wanted.length === 0 || wanted.includes(s));
for (const w of wanted) if (!suites.includes(w)) fatal(`no suite ${w}`);

function fatal(message) {
  console.error(`e2e: ${message}`);
  process.exit(2);
}

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of running) child.kill('SIGTERM');
    process.exit(130);
  });

// What one suite's TAP says. Node 18 and 20 differ in little: both end with `# pass N` lines.
function parse(tap) {
  const count = { pass: 0, fail: 0, cancelled: 0, skipped: 0 };
  const failed = [];
  const notes = [];
  const path = [];
  let block = null;
  for (const line of tap.split('\n')) {
    const depth = (line.match(/^ */)[0].length / 4) | 0;
    const text = line.trim();
    const total = line.match(/^# (pass|fail|cancelled|skipped) (\d+)$/);
    if (total) count[total[1]] = Number(total[2]);
    else if (/^# (tests|suites|todo|duration_ms) /.test(line)) continue;
    else if (text.startsWith('# Subtest: ')) {
      path[depth] = text.slice(11);
      path.length = depth + 1;
    } else if (text.startsWith('# ')) notes.push(`${path.at(-1) ?? ''}: ${text.slice(2)}`);
    const result = text.match(/^(not ok|ok) \d+ - (.*?)( # SKIP(.*))?$/);
    if (result) {
      block = null;
      if (result[1] === 'not ok') {
        block = { name: [...path.slice(0, depth), result[2]].join(' > '), lines: [] };
        failed.push(block);
      }
      if (result[4]?.trim()) notes.push(`skipped ${result[2]}:${result[4]}`);
    } else if (block && text !== '---' && !/^# Subtest/.test(text)) block.lines.push(line);
  }
  // A group fails because something in it did: only that is of interest.
  const own = failed.filter((f) => !f.lines.some((l) => /subtests? failed/.test(l)));
  return { count, failed: own.length ? own : failed, notes };
}

function run(suite) {
  return new Promise((resolve) => {
    const start = Date.now();
    const flags = Number(process.versions.node.split('.')[0]) >= 19 ? ['--test-reporter=tap'] : [];
    const child = spawn(process.execPath, [...flags, `${suite}.test.mjs`], { cwd: here, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (s) => (out += s));
    child.stderr.setEncoding('utf8').on('data', (s) => (err += s));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 2000).unref();
    }, LIMIT_MS);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const { count, failed, notes } = parse(out);
      let bad = count.fail + count.cancelled;
      const why = [];
      if (late) why.push(`no end after ${LIMIT_MS / 1000} s`);
      else if (code !== 0 && !bad) why.push(`exit ${code ?? signal}`);
      else if (!bad && !count.pass && !count.skipped) why.push('no test ran');
      if (why.length && !bad) bad = 1;
      const took = ((Date.now() - start) / 1000).toFixed(1);
      const skipped = count.skipped ? `, ${count.skipped} skipped` : '';
      if (bad) console.log(`not ok - ${suite} (${count.pass} passed, ${bad} failed${skipped}, ${[`${took} s`, ...why].join(', ')})`);
      else console.log(`ok - ${suite} (${count.pass} passed${skipped}, ${took} s)`);
      const said = new Set();
      for (const f of failed) {
        console.log(`  FAILED ${f.name}`);
        const same = f.lines.find((l) => /^\s*error:/.test(l));
        if (same && same.length > 30 && said.has(same)) continue;
        said.add(same);
        const lines = f.lines.filter((l) => !/^\s*(duration_ms|failureType|code|location|name|type|\.\.\.)\b/.test(l) && !/node:internal/.test(l));
        for (const l of lines.slice(0, 30)) console.log(`    ${l.trimEnd()}`);
      }
      for (const n of notes) console.log(`  ${n}`);
      if (bad && err.trim()) console.log(err.trim().split('\n').slice(-30).map((l) => `  stderr: ${l}`).join('\n'));
      resolve({ pass: count.pass, fail: bad, skipped: count.skipped });
    });
  });
}

const totals = { pass: 0, fail: 0, skipped: 0 };
const add = (r) => Object.keys(totals).forEach((k) => (totals[k] += r[k]));
const together = suites.filter((s) => !ALONE.includes(s));
const lane = async () => {
  while (together.length) add(await run(together.shift()));
};
await Promise.all(serial ? [lane()] : [lane(), lane()]);
for (const s of ALONE.filter((s) => suites.includes(s))) add(await run(s));
for (const [k, n] of Object.entries(totals)) console.log(`# ${k} ${n}`);
process.exit(totals.fail ? 1 : 0);
