// What tools/bench/table.mjs makes of runs, with runs that are made up.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { beside, budgets, median, read, report, troubles, valuesOf } from '../../tools/bench/table.mjs';

// A result as triglot-bench writes it, as far as the table reads it.
function result({ target, load = {}, total = {}, errors = {}, ...rest } = {}) {
  const none = { connect: 0, status: 0, truncated: 0, grammar: 0, stream: 0, timeout: 0, protocol: 0, status_codes: {}, warmup: 0 };
  return {
    stopped_early: null,
    loads: [{ first_event_us: null, event_latency_us: null, call_us: null, first_error: null, ...load }],
    total: { events: 1, calls_completed: 0, heartbeats: 0, events_per_s: 1, errors: { ...none, ...errors }, ...total },
    target: target === null ? null : { exited: false, cpu_share: 0.5, ...target },
    ...rest,
  };
}
const cpu = (n, load) => result({ target: { cpu_us_per_event: n }, load });
const lines = (...all) => all.map((l) => JSON.stringify(l)).join('\n') + '\n';
const plan = (workload, cases, reps = 1) => ({ plan: workload, cases, reps, seconds: 1 });
const runs = (workload, name, ...results) => results.map((r, i) => ({ workload, case: name, rep: i + 1, load_core: 25, ...(r.failed ? r : { result: r }) }));
const row = (text, name) => text.split('\n').find((l) => l.startsWith(`| ${name} `));
const verdict = (all, what, name) => budgets(all).find((b) => b.what === what && b.case === name)?.verdict;

it('the median of odd, even, one and none', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 2, 4, 8]), 6);
  assert.equal(median([3]), 3);
  assert.equal(median([]), undefined);
});

it('ratios are taken within a repetition, and only where both sides have a value', () => {
  assert.deepEqual(beside({ 1: 4, 2: 10, 3: 9 }, { 1: 8, 2: 10, 4: 1 }, 'over'), { 1: 0.5, 2: 1 });
  assert.deepEqual(beside({ 1: 4 }, { 1: 0 }, 'over'), {});
  assert.deepEqual(beside({ 1: 4 }, { 1: 9 }, 'less'), { 1: -5 });
});

it('median, spread and ratio stand in the row; the machine slows down in the third repetition', () => {
  const all = read(lines(plan('paced', 'direct nginx chat-chat', 3),
    ...runs('paced', 'direct', ...[1, 2, 3].map(() => result({ target: null }))),
    ...runs('paced', 'nginx', cpu(10), cpu(20), cpu(100)),
    ...runs('paced', 'chat-chat', cpu(8), cpu(14), cpu(90))));
  const text = report(all);
  assert.deepEqual(valuesOf(all, 'paced', 'chat-chat', 'cpu_event'), { 1: 8, 2: 14, 3: 90 });
  assert.match(row(text, 'nginx'), /^\| nginx \| 20\.00 \(10\.00–100\.00\) \| 1\.00 \|/);
  assert.match(row(text, 'chat-chat'), /^\| chat-chat \| 14\.00 \(8\.00–90\.00\) \| 0\.80 \|.* 25 \| 0 \|$/);
  assert.match(row(text, 'direct'), /^\| direct \| – \| – \|/);
  assert.deepEqual(troubles(all), []);
});

it('a TLS case is set beside the nginx that speaks TLS', () => {
  const text = report(read(lines(plan('paced', 'nginx nginx-tls chat-chat-tls'),
    ...runs('paced', 'nginx', cpu(10)), ...runs('paced', 'nginx-tls', cpu(40)), ...runs('paced', 'chat-chat-tls', cpu(30)))));
  assert.match(row(text, 'chat-chat-tls'), /^\| chat-chat-tls \| 30\.00 \| 0\.75 \|/);
});

it('budgets: met, not met and by how much', () => {
  const at = (n, p99) => cpu(n, { event_latency_us: { p50: 100, p99 } });
  const all = read(lines(plan('paced', 'nginx chat-chat chat-messages messages-chat chat-responses'),
    ...runs('paced', 'nginx', at(10, 200)), ...runs('paced', 'chat-chat', at(6.8, 300)),
    ...runs('paced', 'chat-messages', at(10, 1)), ...runs('paced', 'messages-chat', at(12.5, 1)), ...runs('paced', 'chat-responses', at(9, 1))));
  assert.equal(verdict(all, 'paced: CPU per event', 'chat-chat'), 'met by 0.17 (20 %)');
  assert.equal(verdict(all, 'paced: CPU per event', 'chat-messages'), 'met');
  assert.equal(verdict(all, 'paced: CPU per event', 'messages-chat'), '**not met** by 0.25 (25 %)');
  assert.equal(verdict(all, 'paced: event latency p50', 'chat-chat'), 'met');
  assert.equal(verdict(all, 'paced: event latency p99', 'chat-chat'), '**not met** by 0.50 (50 %)');
  assert.match(report(all), /\| paced: CPU per event \| chat-chat \| ≤ 0\.85 × nginx \| 0\.68 \| 1\.00 \| – \| met by 0\.17 \(20 %\) \|/);
  assert.equal(verdict(all, 'burst: CPU per event', 'chat-chat'), undefined, 'only of what was planned');
});

it('budgets by difference, across workloads, and those that are a least value', () => {
  const max = (n) => result({ target: {}, load: { event_latency_us: { p50: 1, p99: 1, max: n } } });
  const open = (n) => result({ target: {}, total: { streams_open_max: n, heartbeats: 5 } });
  const all = read(lines(plan('calm', 'chat-chat'), plan('stall', 'chat-chat'), plan('open', 'chat-chat chat-sim'), plan('first', 'direct chat-chat'),
    ...runs('calm', 'chat-chat', max(700)), ...runs('stall', 'chat-chat', max(3200)), ...runs('open', 'chat-chat', open(9850)), ...runs('open', 'chat-sim', open(20000)),
    ...runs('first', 'direct', result({ target: null, load: { first_event_us: { p50: 50, p99: 120 } } })),
    ...runs('first', 'chat-chat', result({ target: {}, load: { first_event_us: { p50: 90, p99: 200 } } }))));
  assert.equal(verdict(all, 'longest delay by TLS handshakes', 'chat-chat'), '**not met** by 500 (25 %)');
  assert.equal(verdict(all, 'added to first event, p99', 'chat-chat'), 'met by 220 (73 %)');
  assert.match(verdict(all, 'open streams without an error', 'chat-chat'), /^\*\*not met\*\* by 10,?150 \(51 %\)$/);
  assert.equal(verdict(all, 'open streams without an error', 'chat-sim'), 'met');
});

it('what nginx and the bare relay came to stands beside a budget', () => {
  const p99 = (n) => result({ target: {}, load: { first_event_us: { p50: 1, p99: n } } });
  const all = read(lines(plan('first-near', 'direct bare nginx chat-chat chat-messages'),
    ...runs('first-near', 'direct', result({ target: null, load: { first_event_us: { p50: 1, p99: 100 } } })),
    ...runs('first-near', 'bare', p99(130)), ...runs('first-near', 'nginx', p99(180)), ...runs('first-near', 'chat-chat', p99(170))));
  const [own, missing] = budgets(all);
  assert.deepEqual([own.value, own.nginx, own.bare], [70, 80, 30]);
  assert.deepEqual([missing.case, missing.value, missing.nginx], ['chat-messages', undefined, 80]);
  assert.match(report(all), /\| chat-chat \| ≤ 300 µs \| 70\.0 \| 80\.0 \| 30\.0 \| met by 230 \(77 %\) \|/);
});

it('what is missing, failed or went wrong is said', () => {
  const all = read(lines(plan('paced', 'nginx chat-chat chat-messages', 2),
    ...runs('paced', 'nginx', cpu(10), cpu(10)),
    ...runs('paced', 'chat-chat', cpu(5), { failed: 'the generator ended with 2' }),
    { workload: 'paced', case: 'messages-chat', rep: 1, result: cpu(1) }));
  assert.deepEqual(troubles(all), [
    'paced, chat-chat, repetition 2: the generator ended with 2',
    'paced, chat-messages, repetition 1: missing', 'paced, chat-messages, repetition 2: missing',
  ]);
  const text = report(all);
  assert.match(row(text, 'chat-chat **(1 of 2 runs)**'), /5\.00/);
  assert.match(row(text, 'chat-messages **(0 of 2 runs)**'), /\| – \| – \|/);
  assert.match(verdict(all, 'paced: CPU per event', 'chat-messages'), /^not measured: no CPU µs\/event of paced, chat-messages$/);
  for (const t of troubles(all)) assert.ok(text.includes(`- ${t}`), t);
});

it('without nginx a ratio is not measured, and says whose value is missing', () => {
  const all = read(lines(plan('paced', 'nginx chat-chat'), ...runs('paced', 'chat-chat', cpu(5))));
  assert.equal(verdict(all, 'paced: CPU per event', 'chat-chat'), 'not measured: no CPU µs/event of paced, nginx');
});

it('streams that begin when it is measured already are told of, where they should not', () => {
  const late = result({ load: { first_event_us: { count: 7 } } });
  const all = read(lines(plan('paced', 'nginx'), plan('burst', 'nginx'), ...runs('paced', 'nginx', late), ...runs('burst', 'nginx', late)));
  assert.deepEqual(troubles(all), ['paced, nginx, repetition 1: 7 streams had their first event only when it was measured already']);
});

it('what was not measured is no zero', () => {
  const all = read(lines(plan('mixed', 'chat-chat'), ...runs('mixed', 'chat-chat', result({ target: { rss_slope_bytes_per_hour: null } }))));
  assert.match(verdict(all, 'mixed: memory slope (make bench-long)', 'chat-chat'), /^not measured/);
});

it('errors, silence, an early end and a measured process that died are troubles', () => {
  const all = read(lines(plan('short', 'a b c d e'),
    ...runs('short', 'a', result({ errors: { status: 2, warmup: 1 }, load: { first_error: '502 bad gateway' } })),
    ...runs('short', 'b', result({ total: { events: 0 } })),
    ...runs('short', 'c', result({ target: { exited: true } })),
    ...runs('short', 'd', result({ stopped_early: 'interrupted' })),
    ...runs('short', 'e', result())));
  assert.deepEqual(troubles(all), [
    'short, a, repetition 1: 3 errors, the first: 502 bad gateway', 'short, b, repetition 1: nothing arrived',
    'short, c, repetition 1: the measured process ended', 'short, d, repetition 1: stopped early (interrupted)',
  ]);
});

it('as a program: the table, and a status that tells of trouble', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bench-table-'));
  const file = join(dir, 'runs.jsonl');
  const table = fileURLToPath(new URL('../../tools/bench/table.mjs', import.meta.url));
  try {
    writeFileSync(file, lines({ meta: { cpu: 'an abacus', note: '' } }, plan('paced', 'nginx'), ...runs('paced', 'nginx', cpu(10))));
    const good = spawnSync(process.execPath, [table, file], { encoding: 'utf8' });
    assert.equal(good.status, 0, good.stderr);
    assert.match(good.stdout, /\| cpu \| an abacus \|/);
    assert.doesNotMatch(good.stdout, /\| note \|/);
    writeFileSync(file, lines(plan('paced', 'nginx')));
    const bad = spawnSync(process.execPath, [table, file], { encoding: 'utf8' });
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /- paced, nginx, repetition 1: missing/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
