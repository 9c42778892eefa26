// What the runs of tools/bench/run come to: medians, spread, ratios to nginx, and the budgets, as Markdown.
//
//   node tools/bench/table.mjs RUNS.jsonl      exit 1 if a run failed, counted an error, or is missing
//
// A line of the input is {meta}, of which there may be several, {plan: workload, cases, reps, seconds}, or one run:
// {workload, case, rep, load_core} with {result}, what triglot-bench wrote, or {failed}. load_core is how busy the core
// of generator and upstream was, in percent, whoever kept it so. A ratio is taken within a repetition, where both sides
// had the same minute of the machine; then the median of the ratios counts. What was planned and is not there is said,
// never left out.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const KIB = 1024;
const MIB = 1024 * 1024;
const ERRORS = ['connect', 'status', 'truncated', 'grammar', 'stream', 'timeout', 'protocol', 'warmup'];
const first = (r) => r.loads[0];
const per = (n, unit) => (n === null || n === undefined ? undefined : n / unit);
const errorsOf = (r) => ERRORS.reduce((n, k) => n + r.total.errors[k], 0);

// What is read of a result: heading, value, decimals. Where a run has several loads, latencies are those of the first.
const METRICS = {
  cpu_event: ['CPU µs/event', (r) => r.target?.cpu_us_per_event, 2],
  cpu_call: ['CPU µs/call', (r) => r.target?.cpu_us_per_call, 1],
  cpu_share: ['CPU %', (r) => per(r.target?.cpu_share, 0.01), 0],
  events: ['events/s', (r) => r.total.events_per_s, 0],
  calls: ['calls/s', (r) => r.total.calls_per_s, 0],
  first_p50: ['first event p50 µs', (r) => first(r).first_event_us?.p50, 0],
  first_p99: ['first event p99 µs', (r) => first(r).first_event_us?.p99, 0],
  event_p50: ['event p50 µs', (r) => first(r).event_latency_us?.p50, 0],
  event_p99: ['event p99 µs', (r) => first(r).event_latency_us?.p99, 0],
  event_max: ['event max µs', (r) => first(r).event_latency_us?.max, 0],
  call_p50: ['call p50 µs', (r) => first(r).call_us?.p50, 0],
  call_p99: ['call p99 µs', (r) => first(r).call_us?.p99, 0],
  open: ['streams', (r) => r.total.streams_open_max, 0],
  heartbeats: ['heartbeats', (r) => r.total.heartbeats, 0],
  idle: ['idle MiB', (r) => per(r.target?.rss_bytes_start, MIB), 1],
  peak: ['peak MiB', (r) => per(r.target?.rss_bytes_peak, MIB), 1],
  per_stream: ['KiB/stream', (r) => per(r.target?.rss_bytes_per_stream, KIB), 1],
  slope: ['MiB/h', (r) => per(r.target?.rss_slope_bytes_per_hour, MIB), 2],
  load_core: ['load core %', (r, run) => run.load_core, 0],
  errors: ['errors', errorsOf, 0],
};

// Heading, columns; the first column is shown with its spread and beside nginx's.
const WORKLOADS = {
  first: ['One short stream at a time', ['first_p50', 'first_p99']],
  'first-near': ['The same, with the measured process on the core of generator and upstream', ['first_p50', 'first_p99']],
  paced: ['500 streams of 50 events a second (250 over TLS)', ['cpu_event', 'event_p50', 'event_p99', 'events']],
  'paced-near': ['200 such streams, with the measured process on the core of generator and upstream', ['cpu_event', 'event_p50', 'event_p99', 'events']],
  burst: ['32 streams of 1,000 events at once', ['cpu_event', 'event_p50', 'event_p99', 'events']],
  short: ['Short calls on 32 connections', ['cpu_call', 'call_p50', 'call_p99', 'calls']],
  many: ['10,000 open streams, or as many as descriptors allow, an event a second (2,000 over TLS)', ['per_stream', 'open', 'idle', 'peak', 'cpu_event', 'event_p99']],
  slow: ['1,000 readers that take 20 kB a second', ['per_stream', 'open', 'idle', 'peak', 'cpu_share']],
  churn: ['Calls on new connections, TLS to the upstream', ['cpu_call', 'call_p50', 'call_p99', 'calls']],
  calm: ['100 streams of 50 events a second', ['event_p99', 'event_max', 'event_p50', 'cpu_share']],
  stall: ['The same, with 200 TLS handshakes a second beside them', ['event_p99', 'event_max', 'event_p50', 'cpu_share']],
  mixed: ['210 streams and 90 calls begun each second, all dialects', ['cpu_share', 'event_p50', 'event_p99', 'peak', 'slope']],
  open: ['Open streams with nothing but heartbeats', ['per_stream', 'open', 'heartbeats', 'idle', 'peak', 'cpu_share']],
};

// What is promised. [what, workload, metric, case, limit, unit, against]: `against` is how the other value is
// combined: ['over', case] divides by it, ['less', case, workload] subtracts it; without a case it is the same one. A
// limit of `min` is a least one.
const TRANSLATING = ['chat-messages', 'messages-chat', 'chat-responses'];
const BUDGETS = [
  ['paced: CPU per event', 'paced', 'cpu_event', ['chat-chat'], 0.85, '× nginx', ['over', 'nginx']],
  ['paced: CPU per event', 'paced', 'cpu_event', TRANSLATING, 1.0, '× nginx', ['over', 'nginx']],
  ['paced: CPU per event, on one core', 'paced-near', 'cpu_event', ['chat-chat'], 0.85, '× nginx', ['over', 'nginx']],
  ['paced: CPU per event, on one core', 'paced-near', 'cpu_event', TRANSLATING, 1.0, '× nginx', ['over', 'nginx']],
  ['paced: event latency p50', 'paced', 'event_p50', ['chat-chat'], 1.0, '× nginx', ['over', 'nginx']],
  ['paced: event latency p99', 'paced', 'event_p99', ['chat-chat'], 1.0, '× nginx', ['over', 'nginx']],
  ['burst: CPU per event', 'burst', 'cpu_event', ['chat-chat'], 1.2, '× nginx', ['over', 'nginx']],
  ['burst: CPU per event', 'burst', 'cpu_event', TRANSLATING, 1.0, 'µs'],
  ['short call: CPU', 'short', 'cpu_call', ['chat-chat'], 1.3, '× nginx', ['over', 'nginx']],
  ['short call: CPU', 'short', 'cpu_call', TRANSLATING, 2.0, '× nginx', ['over', 'nginx']],
  ['open stream: memory', 'many', 'per_stream', ['chat-chat', ...TRANSLATING], 16, 'KiB'],
  ['open stream, TLS upstream: memory', 'many', 'per_stream', ['chat-chat-tls'], 56, 'KiB'],
  ['added to first event, p99', 'first', 'first_p99', ['chat-chat'], 300, 'µs', ['less', 'direct']],
  ['added to first event, p99', 'first', 'first_p99', TRANSLATING, 400, 'µs', ['less', 'direct']],
  ['added to first event, p99, on one core', 'first-near', 'first_p99', ['chat-chat'], 300, 'µs', ['less', 'direct']],
  ['added to first event, p99, on one core', 'first-near', 'first_p99', TRANSLATING, 400, 'µs', ['less', 'direct']],
  ['idle process', 'many', 'idle', ['chat-chat'], 8, 'MiB'],
  ['longest delay by TLS handshakes', 'stall', 'event_max', ['chat-chat'], 2000, 'µs', ['less', undefined, 'calm']],
  ['mixed: memory slope (make bench-long)', 'mixed', 'slope', ['chat-chat'], 1, 'MiB/h'],
  ['open streams without an error', 'open', 'open', ['chat-chat', 'chat-sim'], 20000, 'streams', undefined, 'min'],
];

// Workloads whose streams have all begun before anything is measured.
const SETTLED = ['paced', 'paced-near', 'many'];

export function median(values) {
  const v = [...values].sort((a, b) => a - b);
  const half = v.length >> 1;
  return v.length === 0 ? undefined : v.length % 2 ? v[half] : (v[half - 1] + v[half]) / 2;
}

const known = (x) => Number.isFinite(x);
const show = (x, decimals) => (known(x) ? x.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',') : '–');
// As many decimals as make three digits.
const three = (x) => show(x, known(x) && x !== 0 ? Math.min(2, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(x))))) : 0);

// The lines as {meta, plans, runs}, and of the runs {workload: {case: {rep: run}}}.
export function read(text) {
  const all = { meta: {}, plans: [], runs: {} };
  for (const line of text.split('\n').filter(Boolean)) {
    const r = JSON.parse(line);
    if (r.meta) Object.assign(all.meta, r.meta);
    else if (r.plan) all.plans.push({ ...r, cases: r.cases.split(' ') });
    else ((all.runs[r.workload] ??= {})[r.case] ??= {})[r.rep] = r;
  }
  return all;
}

// The value of a metric in each repetition that has one: {rep: value}.
export function valuesOf(all, workload, name, metric) {
  const values = {};
  for (const [rep, run] of Object.entries(all.runs[workload]?.[name] ?? {})) {
    const value = run.result && METRICS[metric][1](run.result, run);
    if (known(value)) values[rep] = value;
  }
  return values;
}

// A value of each repetition beside another case's in the same repetition.
export function beside(values, others, how) {
  const both = {};
  for (const rep of Object.keys(values))
    if (rep in others && (how === 'less' || others[rep] !== 0)) both[rep] = how === 'less' ? values[rep] - others[rep] : values[rep] / others[rep];
  return both;
}

// What went wrong, a line each: runs that failed, that are missing, that counted errors or saw nothing.
export function troubles(all) {
  const said = [];
  for (const plan of all.plans)
    for (const name of plan.cases)
      for (let rep = 1; rep <= plan.reps; rep++) {
        const run = all.runs[plan.plan]?.[name]?.[rep];
        const where = `${plan.plan}, ${name}, repetition ${rep}`;
        if (!run) said.push(`${where}: missing`);
        else if (run.failed) said.push(`${where}: ${run.failed}`);
        else {
          const r = run.result;
          if (errorsOf(r)) said.push(`${where}: ${errorsOf(r)} errors, the first: ${r.loads.map((l) => l.first_error).find(Boolean) ?? 'unknown'}`);
          if (!r.total.events && !r.total.calls_completed && !r.total.heartbeats) said.push(`${where}: nothing arrived`);
          const late = SETTLED.includes(plan.plan) && first(r).first_event_us?.count;
          if (late) said.push(`${where}: ${late} streams had their first event only when it was measured already`);
          if (r.target?.exited) said.push(`${where}: the measured process ended`);
          if (r.stopped_early) said.push(`${where}: stopped early (${r.stopped_early})`);
        }
      }
  return said;
}

// The nginx that a case is set beside: the one with the same way to the upstream.
const peer = (name) => `nginx${name.match(/-(tls|once)$/)?.[0] ?? ''}`;

function section(all, plan) {
  const [heading, metrics] = WORKLOADS[plan.plan];
  const [main, ...rest] = metrics;
  const columns = [...rest, 'load_core', 'errors'];
  const title = (m) => METRICS[m][0];
  const lines = [
    `### ${plan.plan}: ${heading}`, '',
    `${plan.reps} × ${plan.seconds} s`, '',
    `| case | ${title(main)} (lowest–highest) | × nginx | ${columns.map(title).join(' | ')} |`,
    `|---|---|---|${'---|'.repeat(columns.length)}`,
  ];
  for (const name of plan.cases) {
    const d = METRICS[main][2];
    const v = valuesOf(all, plan.plan, name, main);
    const list = Object.values(v);
    const got = Object.values(all.runs[plan.plan]?.[name] ?? {}).filter((r) => r.result).length;
    const spread = list.length > 1 ? ` (${show(Math.min(...list), d)}–${show(Math.max(...list), d)})` : '';
    const ratio = median(Object.values(beside(v, valuesOf(all, plan.plan, peer(name), main), 'over')));
    const label = got < plan.reps ? `${name} **(${got} of ${plan.reps} runs)**` : name;
    const cells = columns.map((m) => {
      const values = Object.values(valuesOf(all, plan.plan, name, m));
      return m === 'errors' ? show(values.length ? values.reduce((a, b) => a + b) : undefined, 0) : show(median(values), METRICS[m][2]);
    });
    lines.push(`| ${label} | ${show(median(list), d)}${spread} | ${show(ratio, 2)} | ${cells.join(' | ')} |`);
  }
  return lines;
}

// What a budget is about, of one case: {value}, or {missing: whose}.
function measured(all, workload, name, metric, against) {
  const values = valuesOf(all, workload, name, metric);
  if (Object.keys(values).length === 0) return { missing: `${workload}, ${name}` };
  if (!against) return { value: median(Object.values(values)) };
  const [how, other = name, where = workload] = against;
  const both = Object.values(beside(values, valuesOf(all, where, other, metric), how));
  return both.length ? { value: median(both) } : { missing: `${where}, ${other}` };
}

// One line for each budget of the workloads that were planned: {what, case, limit, value, nginx, bare, verdict}. nginx
// and bare are what is measured of those in the same way, where they were run: what this machine asks of a relay.
export function budgets(all) {
  const planned = (w) => all.plans.some((p) => p.plan === w);
  const rows = [];
  for (const [what, workload, metric, cases, limit, unit, against, least] of BUDGETS) {
    if (!planned(workload)) continue;
    for (const name of cases) {
      const of = (other) => measured(all, workload, other, metric, against).value;
      const { value, missing } = measured(all, workload, name, metric, against);
      let verdict;
      if (missing) verdict = `not measured: no ${METRICS[metric][0]} of ${missing}`;
      else {
        const met = least ? value >= limit : value <= limit;
        const off = Math.abs(value - limit);
        const by = off ? ` by ${three(off)} (${Math.round((off / limit) * 100)} %)` : '';
        verdict = met ? `met${by}` : `**not met**${by}`;
      }
      rows.push({ what, case: name, limit: `${least ? '≥' : '≤'} ${show(limit, limit % 1 ? 2 : 0)} ${unit}`, value, nginx: of(peer(name)), bare: of('bare'), verdict });
    }
  }
  return rows;
}

export function report(all) {
  const out = ['## What was run', '', '| | |', '|---|---|', ...Object.entries(all.meta).filter(([, v]) => v).map(([k, v]) => `| ${k} | ${v} |`), ''];
  const rows = budgets(all);
  if (rows.length) {
    out.push('## Budgets', '', 'nginx, bare: the same figure of nginx and of the bare relay, in the same run.', '',
      '| budget | case | limit | measured | nginx | bare | |', '|---|---|---|---|---|---|---|');
    for (const b of rows) out.push(`| ${b.what} | ${b.case} | ${b.limit} | ${[b.value, b.nginx, b.bare].map(three).join(' | ')} | ${b.verdict} |`);
    out.push('');
  }
  out.push('## Runs', '', 'Medians of the repetitions. × nginx: the median of the ratios within each repetition, to nginx with the same kind of upstream.', '');
  for (const plan of all.plans) out.push(...section(all, plan), '');
  const wrong = troubles(all);
  if (wrong.length) out.push('## What went wrong', '', ...wrong.map((w) => `- ${w}`), '');
  return out.join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const all = read(readFileSync(process.argv[2], 'utf8'));
  process.stdout.write(report(all));
  process.exitCode = troubles(all).length ? 1 : 0;
}
