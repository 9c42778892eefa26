// The load generator: against the daemon with its simulated model, against its own serving side, and against servers
// that do everything wrong. What it counts must add up, and what it says must be what its page says.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CA, OTHER_CA, server } from './lib/certs.mjs';
import { TRIGLOT, cleanEnv, start, withDaemon } from './lib/daemon.mjs';
import { Upstream, chunked } from './lib/upstream.mjs';
import { atEnd, sleep, tempDir, until, within } from './lib/util.mjs';

const BENCH = process.env.TRIGLOT_BENCH || join(dirname(TRIGLOT), 'triglot-bench');
const PAGE = resolve(dirname(fileURLToPath(import.meta.url)), '../../man/triglot-bench.1');
const DIALECTS = ['chat', 'responses', 'messages'];
const TOKENS = 12;
const WHOLE = JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] });
const skip = existsSync(BENCH) ? false : `no ${BENCH}`;
if (skip && process.env.TRIGLOT_BENCH) throw new Error(skip);

function launch(args) {
  const child = spawn(BENCH, args, { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  const forget = atEnd(() => child.kill('SIGKILL'));
  const b = { child, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (s) => (b.stdout += s));
  child.stderr.setEncoding('utf8').on('data', (s) => (b.stderr += s));
  b.end = new Promise((resolve) => child.on('close', (code, signal) => (forget(), (b.exit = { code, signal }), resolve(b.exit))));
  return b;
}

// Runs it to its end; the JSON line, parsed, as `json`.
async function bench(args, ms = 30000) {
  const b = launch(['--json', '-', ...args]);
  const { code, signal } = await within(ms, b.end, `the end of triglot-bench ${args.join(' ')}`).catch((e) => {
    b.child.kill('SIGKILL');
    throw e;
  });
  assert.equal(signal, null, b.stderr);
  const lines = b.stdout.split('\n');
  if (code !== 2) assert.equal(lines.length, 2, 'one line');
  return { code, stderr: b.stderr, json: code === 2 ? null : JSON.parse(lines[0]) };
}

async function listening(args) {
  const b = launch(args);
  await until(() => b.stdout.includes('\n') || b.exit, `the address of ${args[0]}`);
  assert.equal(b.exit, undefined, b.stderr);
  const [, host, port] = b.stdout.match(/^listening on (\S+):(\d+)\n/);
  return {
    pid: b.child.pid,
    url: `http://${host}:${port}`,
    to: { host, port: Number(port) },
    close(signal = 'SIGTERM') {
      b.child.kill(signal);
      return within(5000, b.end, `the end of ${args[0]}`);
    },
  };
}

const serve = (args) => listening(['--serve', '127.0.0.1:0', ...args]);

// A relay to a server of our own, which is given each connection; both are closed at the end.
async function withRelay(connected, fn) {
  const sockets = new Set();
  const server = net.createServer({ allowHalfOpen: true }, (s) => {
    sockets.add(s.on('error', () => {}));
    connected(s);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  let relay;
  try {
    relay = await listening(['--relay', '127.0.0.1:0', `127.0.0.1:${server.address().port}`]);
    await fn(relay);
    assert.deepEqual(await relay.close(), { code: 0, signal: null });
  } finally {
    await relay?.close('SIGKILL');
    for (const s of sockets) s.destroy();
    server.close();
  }
}

const sum = (o) => Object.values(o).reduce((a, b) => a + b, 0);

function addsUp(t) {
  assert.equal(t.calls_open_at_start + t.calls_started, t.calls_completed + t.calls_failed + t.calls_open_at_end);
  const { warmup, status_codes, ...kinds } = t.errors;
  assert.equal(sum(kinds), t.calls_failed);
  assert.equal(sum(status_codes), t.errors.status);
  if (t.calls_completed) assert.equal(t.call_us.count, t.calls_completed);
  for (const key of Object.keys(t).filter((k) => k.endsWith('_us') && t[k])) {
    const { min, p50, p90, p99, p999, max } = t[key];
    assert.ok(min <= p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max, key);
  }
}

describe('triglot-bench', { skip }, () => {
  let daemon;
  before(async () => {
    daemon = await start({
      sim: { first_token_ms: 0, tokens_per_second: 0, tokens: TOKENS, stamp: true },
      upstreams: [{ name: 'like', type: 'sim', sim: { tokens: 5 } }, { name: 'bare', type: 'sim', sim: { stamp: false } }],
      models: [{ name: 'like', upstream: 'like' }, { name: 'bare', upstream: 'bare' }],
    });
  });
  after(() => daemon.finish());

  for (const dialect of DIALECTS)
    for (const fast of [[], ['--fast']])
      it(`${dialect} streams${fast}: every call, event and timestamp is counted`, async () => {
        const { code, json, stderr } = await bench(['--dialect', dialect, ...fast, '--connections', '4', '--requests', '40', daemon.url]);
        assert.equal(code, 0, stderr + JSON.stringify(json?.total));
        const t = json.total;
        addsUp(t);
        assert.equal(t.calls_completed, 40);
        assert.equal(t.calls_started, 40);
        assert.equal(t.connections_opened, 4);
        assert.equal(t.events, 40 * TOKENS);
        assert.equal(t.event_latency_us.count, 40 * TOKENS);
        assert.equal(t.first_event_us.count, 40);
        assert.equal(t.gap_us.count, 40 * (TOKENS - 1));
        assert.ok(t.records >= t.events);
        assert.ok(t.event_latency_us.max < t.call_us.max);
        assert.equal(json.loads.length, 1);
        assert.equal(json.loads[0].dialect, dialect);
      });

  for (const dialect of DIALECTS)
    it(`${dialect} whole`, async () => {
      const { code, json } = await bench(['--dialect', dialect, '--whole', '--requests', '20', daemon.url]);
      assert.equal(code, 0);
      addsUp(json.total);
      assert.equal(json.total.calls_completed, 20);
      assert.equal(json.total.events, 0);
      assert.equal(json.total.first_event_us, null);
    });

  it('timestamps are an option of the simulated model: inherited, turned off, asked for by a request', async () => {
    const stamps = async (...args) => (await bench([...args, '--requests', '1', daemon.url])).json.total.event_latency_us?.count ?? 0;
    assert.equal(await stamps('--model', 'like'), 5);
    assert.equal(await stamps('--model', 'bare'), 0);
    assert.equal(await stamps('--model', 'bare', '--header', 'x-triglot-sim: stamp=1'), TOKENS);
    assert.equal(await stamps('--header', 'x-triglot-sim: stamp=0'), 0);
  });

  it('translated by the daemon, from its own serving side', async () => {
    const up = await serve(['--events', '30', '--interval', '1000']);
    const config = {
      upstreams: DIALECTS.map((d) => ({ name: d, url: `${up.url}/v1`, dialect: d })),
      models: DIALECTS.map((d) => ({ name: `to-${d}`, upstream: d })),
    };
    await withDaemon(config, async (d) => {
      for (const from of DIALECTS)
        for (const to of DIALECTS) {
          const { code, json, stderr } = await bench(['--dialect', from, '--model', `to-${to}`, '--connections', '5', '--requests', '10', d.url]);
          assert.equal(code, 0, `${from} to ${to}: ${stderr} ${json?.total.first_error}`);
          assert.equal(json.total.events, 300, `${from} to ${to}`);
          assert.equal(json.total.event_latency_us.count, 300);
          assert.ok(json.total.call_us.min >= 29000, 'paced');
        }
    });
    await up.close();
  });

  it('its own serving side at once, in pieces, and whole', async () => {
    const up = await serve(['--events', '1000', '--bytes', '100']);
    for (const dialect of DIALECTS) {
      const { code, json } = await bench(['--dialect', dialect, '--fast', '--connections', '3', '--requests', '9', up.url]);
      assert.equal(code, 0);
      addsUp(json.total);
      assert.equal(json.total.events, 9000);
      assert.ok(json.total.bytes > 9000 * 100);
    }
    const { code, json } = await bench(['--whole', '--requests', '3', '--no-keep-alive', up.url]);
    assert.equal(code, 0);
    assert.equal(json.total.connections_opened, 3);
    assert.ok(json.total.bytes > 3 * 1000 * 100);
    const bad = await bench(['--requests', '2', '--body', PAGE, up.url]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /--body/);
    await up.close();
  });

  it('a window in the middle of long streams', async () => {
    const up = await serve(['--events', '100000', '--interval', '5000']);
    const { code, json } = await bench(['--connections', '20', '--ramp', '0.2', '--warmup', '0.2', '--duration', '0.8', '--pid', String(up.pid), up.url]);
    assert.equal(code, 0);
    addsUp(json.total);
    assert.equal(json.total.calls_open_at_start, 20);
    assert.equal(json.total.calls_open_at_end, 20);
    assert.equal(json.total.calls_completed, 0);
    assert.equal(json.total.streams_open_max, 20);
    assert.ok(json.window_s >= 0.8 && json.window_s < 5);
    assert.ok(json.total.events > 500, `${json.total.events} events`);
    assert.ok(json.total.gap_us.mean > 3000);
    const p = json.target;
    assert.equal(p.pid, up.pid);
    assert.equal(p.exited, false);
    assert.ok(p.cpu_s > 0 && p.cpu_us_per_event > 0, JSON.stringify(p));
    assert.ok(Math.abs(p.cpu_us_per_event - (p.cpu_s * 1e6) / json.total.events) < 1 + p.cpu_us_per_event / 10);
    assert.ok(p.rss_bytes_peak >= p.rss_bytes_end && p.rss_bytes_end > 1 << 20);
    assert.equal(p.cpu_us_per_call, null);
    assert.equal(p.rss_slope_bytes_per_hour, null);
    assert.ok(json.generator.cpu_s > 0 && json.generator.cpu_share < 2);
    await up.close();
  });

  it('every field is on the page, and no other', async () => {
    const { json } = await bench(['--header', 'x-triglot-sim: error=503', '--requests', '2', '--pid', String(daemon.pid), daemon.url]);
    const good = await bench(['--requests', '2', daemon.url]);
    const keys = new Set();
    const walk = (o) => {
      for (const [k, v] of Object.entries(o)) {
        if (!Array.isArray(o) && !/^\d+$/.test(k)) keys.add(k);
        if (v && typeof v === 'object') walk(v);
      }
    };
    walk(json);
    walk(good.json);
    const page = readFileSync(PAGE, 'utf8');
    const told = new Set([...page.matchAll(/\bLi ([a-z0-9_]+)(?= |$)/gm)].map((m) => m[1]));
    for (const k of keys) assert.ok(told.has(k), `${k} is not in triglot-bench(1)`);
    const result = page.slice(page.indexOf('.Sh RESULT'), page.indexOf('.Sh EXIT'));
    for (const [, k] of result.matchAll(/^\.It (Li .*)$/gm))
      for (const [, name] of k.matchAll(/Li ([a-z0-9_]+)/g)) assert.ok(keys.has(name), `${name} is in triglot-bench(1) only`);
  });

  it('two loads at once, and all together', async () => {
    const { code, json } = await bench([
      '--connections', '2', '--requests', '30', daemon.url,
      '+', '--whole', '--rate', '200', '--requests', '20', '--dialect', 'messages', daemon.url,
    ]);
    assert.equal(code, 0);
    assert.deepEqual(json.loads.map((l) => [l.calls_completed, l.stream, l.dialect]), [[30, true, 'chat'], [20, false, 'messages']]);
    assert.equal(json.loads[0].rate_per_s, null);
    assert.equal(json.loads[1].rate_per_s, 200);
    for (const t of [...json.loads, json.total]) addsUp(t);
    assert.equal(json.total.calls_completed, 50);
    assert.equal(json.total.bytes, json.loads[0].bytes + json.loads[1].bytes);
    assert.equal(json.total.call_us.count, 50);
    assert.equal(json.total.call_us.max, Math.max(...json.loads.map((l) => l.call_us.max)));
  });

  it('the report is well-formed and has its plots', async () => {
    const dir = tempDir();
    const b = launch(['--report', join(dir, 'r.html'), '--json', join(dir, 'r.json'), '--pid', String(daemon.pid), '--connections', '3', '--duration', '0.6', `${daemon.url}`, '+', '--whole', daemon.url]);
    assert.equal((await within(20000, b.end, 'the end')).code, 0, b.stderr);
    assert.match(b.stdout, /event latency/);
    JSON.parse(readFileSync(join(dir, 'r.json'), 'utf8'));
    const html = readFileSync(join(dir, 'r.html'), 'utf8');
    const open = [];
    for (const [, close, name, rest] of html.replace(/^<!DOCTYPE html>/, '').matchAll(/<(\/?)([a-z0-9]+)((?:\s+[a-z0-9-]+="[^"<]*")*\s*\/?)>|</gi)) {
      assert.ok(name, 'every < begins a tag');
      if (close) assert.equal(open.pop(), name);
      else if (!rest.endsWith('/')) open.push(name);
    }
    assert.deepEqual(open, []);
    assert.ok(html.match(/<svg /g).length >= 6, 'plots');
    assert.ok(!/NaN|inf|undefined/i.test(html.replace(/<style>[^]*?<\/style>/, '')), 'no figure that is none');
    assert.ok(!/(src|href)=/.test(html), 'nothing from elsewhere');
    for (const [, d] of html.matchAll(/<path class="l\d" d="([^"]*)"/g)) assert.match(d, /^(M-?[\d.]+ -?[\d.]+(h0.1)?(L-?[\d.]+ -?[\d.]+)*)+$/);
  });

  describe('what goes wrong is counted by its kind', () => {
    const SSE = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
    const first = chunked('data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}\n\n');
    const cases = [
      ['status', (p) => p.answer(429, '{"error":{"message":"slow \\u003cdown\\u003e"}}')],
      ['truncated', async (p) => (await p.write(SSE + first), p.end())],
      ['truncated', async (p) => (await p.write(Buffer.concat([Buffer.from(SSE), first, Buffer.from('0\r\n\r\n')])), undefined)],
      ['truncated', (p) => p.end()],
      ['grammar', (p) => p.write(Buffer.concat([Buffer.from(SSE), chunked('data: {"id"\n\n')]))],
      ['stream', (p) => p.write(Buffer.concat([Buffer.from(SSE), first, chunked('data: {"error":{"message":"it broke","type":"server_error"}}\n\n')]))],
      ['protocol', (p) => p.write('SMTP ready\r\n')],
      ['protocol', (p) => p.answer(200, '{}')],
      ['timeout', () => 'hold'],
      ['timeout', async (p) => (await p.write(SSE + first), 'hold')],
    ];
    cases.forEach(([kind, script], i) =>
      it(`${kind} (${i})`, async () => {
        const up = await Upstream.listen((req, peer) => script(peer));
        const { code, json } = await bench(['--requests', '3', '--timeout', '0.3', up.url]);
        assert.equal(code, 1);
        addsUp(json.total);
        assert.equal(json.total.calls_failed, 3);
        assert.equal(json.total.errors[kind], 3, JSON.stringify(json.total));
        assert.ok(json.total.first_error);
        if (kind === 'status') assert.deepEqual(json.total.errors.status_codes, { 429: 3 });
        await up.close();
      }));

    it('connect', async () => {
      const probe = net.createServer();
      await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
      const { port } = probe.address();
      await new Promise((resolve) => probe.close(resolve));
      const { code, json } = await bench(['--requests', '2', `http://127.0.0.1:${port}`]);
      assert.equal(code, 1);
      assert.equal(json.total.errors.connect, 2);
      assert.match(json.total.first_error, /refused/);
    });

    it('before the window, apart', async () => {
      const up = await Upstream.listen((req, peer) => (up.requests.length < 5 ? peer.fail(500, {}) : peer.answer(500, '')));
      const { code, json } = await bench(['--warmup', '0.2', '--duration', '0.2', '--rate', '50', up.url]);
      assert.equal(code, 1);
      addsUp(json.total);
      assert.ok(json.total.errors.warmup > 0 && json.total.errors.status > 0);
      await up.close();
    });

    it('--max-errors ends the run', async () => {
      const up = await Upstream.listen((req, peer) => peer.fail(500, {}));
      const { code, json } = await bench(['--duration', '60', '--max-errors', '5', up.url]);
      assert.equal(code, 1);
      assert.equal(json.stopped_early, 'max_errors');
      assert.ok(json.total.calls_failed >= 5 && json.window_s < 30);
      await up.close();
    });
  });

  it('an open loop counts from when a call was due', async () => {
    // One at a time, 50 ms each, due every 10 ms: the last of 20 waits for the 19 before it.
    const up = await Upstream.listen(async (req, peer) => (await sleep(50), peer.answer(200, WHOLE)));
    const { code, json } = await bench(['--whole', '--rate', '100', '--connections', '1', '--requests', '20', up.url]);
    assert.equal(code, 0, json.total.first_error);
    assert.equal(json.total.calls_completed, 20);
    assert.equal(json.total.connections_opened, 1);
    assert.ok(json.total.call_us.max > (20 * 49 - 190) * 1000, `${json.total.call_us.max}`);
    assert.ok(json.total.call_us.p50 > (10 * 49 - 100) * 1000);
    await up.close();
  });

  it('headers, bodies and source addresses arrive as asked for', async () => {
    const seen = new Set();
    const up = await Upstream.listen((req, peer) => (seen.add(peer.socket.remoteAddress), peer.answer(400, '{}')));
    await bench(['--header', 'X-One: 1', '--header', 'x-two: a b', '--model', 'm', '--source', '127.0.0.2', '--source', '127.0.0.3', '--no-keep-alive', '--requests', '4', '--dialect', 'messages', `${up.url}`]);
    assert.deepEqual([...seen].sort(), ['127.0.0.2', '127.0.0.3']);
    const { headers, target, path, url, body } = up.requests[0];
    assert.equal(target ?? path ?? url, '/v1/messages');
    assert.equal(headers['x-one'], '1');
    assert.equal(headers['x-two'], 'a b');
    assert.ok(headers['anthropic-version']);
    const sent = JSON.parse(body);
    assert.equal(sent.model, 'm');
    assert.equal(sent.stream, true);
    await up.close();
  });

  it('over TLS, to a server whose certificate is checked', async () => {
    const up = await Upstream.listen((req, peer) => peer.answer(200, WHOLE), { tls: server() });
    const base = up.url.replace(/\/v1$/, '');
    const good = await bench(['--whole', '--ca-file', CA, '--connections', '2', '--requests', '10', base]);
    assert.equal(good.code, 0, good.json.total.first_error);
    assert.equal(good.json.total.calls_completed, 10);
    assert.equal(good.json.total.connections_opened, 2);
    const bad = await bench(['--whole', '--ca-file', OTHER_CA, '--requests', '2', base]);
    assert.equal(bad.code, 1);
    assert.equal(bad.json.total.errors.connect, 2);
    await up.close();
  });

  it('a slow reader takes its time', async () => {
    const up = await serve(['--events', '1000', '--bytes', '100']);
    const { code, json } = await bench(['--fast', '--read-rate', '200000', '--requests', '1', up.url]);
    assert.equal(code, 0);
    assert.equal(json.total.events, 1000);
    const least = (json.total.bytes / 200000) * 1e6;
    assert.ok(json.total.call_us.max > least * 0.9, `${json.total.call_us.max} of ${least}`);
    await up.close();
  });

  it('an interrupted run says what it has seen', async () => {
    const b = launch(['--json', '-', '--duration', '60', '--connections', '2', daemon.url]);
    await sleep(300);
    b.child.kill('SIGINT');
    assert.equal((await within(5000, b.end, 'the end')).code, 0, b.stderr);
    const json = JSON.parse(b.stdout);
    assert.equal(json.stopped_early, 'interrupted');
    addsUp(json.total);
    assert.ok(json.total.calls_completed > 0);
  });

  describe('as a bare relay', () => {
    const MIB = 1 << 20;
    const connect = (to) => net.connect({ ...to, allowHalfOpen: true });
    const echo = (s) => s.pipe(s);
    const over = (s, what) => within(5000, new Promise((resolve) => s.once('close', resolve).resume()), what);
    const all = (s) =>
      within(30000, new Promise((resolve, reject) => {
        const pieces = [];
        s.on('data', (b) => pieces.push(b)).on('end', () => resolve(Buffer.concat(pieces))).on('error', reject).resume();
      }), 'the end of what was relayed');
    const same = (got, sent, what) => assert.ok(got.equals(sent), `${what}: ${got.length} bytes of ${sent.length} came, or others`);

    it('passes every byte both ways, and each end by itself', async () => {
      const up = randomBytes(8 * MIB + 1);
      const down = randomBytes(8 * MIB + 3);
      let arrived;
      await withRelay((s) => ((arrived = all(s)), s.end(down)), async (relay) => {
        const c = connect(relay.to);
        // The other end has sent all and ended before this one sends the first byte.
        same(await all(c), down, 'down');
        c.end(up);
        same(await arrived, up, 'up');
        const d = connect(relay.to);
        d.end(up);
        const got = await all(d);
        same(got, down, 'down, at once');
        same(await arrived, up, 'up, at once');
      });
    });

    it('streams and calls go through as if it were not there', async () => {
      const up = await serve(['--events', '1000', '--bytes', '100']);
      const relay = await listening(['--relay', '127.0.0.1:0', up.url.slice(7)]);
      for (const dialect of DIALECTS) {
        const { code, json } = await bench(['--dialect', dialect, '--connections', '8', '--requests', '24', relay.url]);
        assert.equal(code, 0, json.total.first_error);
        assert.equal(json.total.events, 24000);
        assert.equal(json.total.connections_opened, 8);
      }
      const whole = await bench(['--whole', '--no-keep-alive', '--requests', '20', relay.url]);
      assert.equal(whole.code, 0, whole.json.total.first_error);
      assert.equal(whole.json.total.connections_opened, 20);
      // A gateway's upstream that goes away takes its streams with it.
      assert.equal((await up.close()).signal, 'SIGTERM');
      const { code, json } = await bench(['--requests', '2', relay.url]);
      assert.equal(code, 1);
      assert.equal(json.total.errors.truncated, 2, JSON.stringify(json.total.errors));
      assert.deepEqual(await relay.close('SIGINT'), { code: 0, signal: null });
    });

    for (const [how, leave] of [['ends', (s) => s.end()], ['is reset', (s) => s.resetAndDestroy()]]) {
      it(`a client that ${how} takes the other side with it`, async () => {
        let gone;
        await withRelay((s) => (gone = over(s.on('end', () => s.end()), 'the end of the server side')), async (relay) => {
          const c = connect(relay.to);
          c.on('error', () => {}).write('x');
          await until(() => gone !== undefined, 'the connection');
          leave(c);
          await gone;
        });
      });

      it(`a server that ${how} takes the client with it`, async () => {
        await withRelay((s) => s.once('data', () => leave(s)), async (relay) => {
          const c = connect(relay.to);
          c.on('error', () => {}).on('end', () => c.end()).write('x');
          await over(c, 'the end of the client');
        });
      });
    }

    it('a client that leaves a stream ends it', async () => {
      let gone;
      const flood = (s) => {
        while (s.writable && s.write(Buffer.alloc(65536)));
      };
      await withRelay((s) => (flood(s.on('drain', () => flood(s)).on('end', () => s.end())), (gone = over(s, 'the end of the stream'))), async (relay) => {
        const c = connect(relay.to);
        await new Promise((resolve) => c.once('data', resolve));
        c.destroy();
        await gone;
      });
    });

    it('slow readers stop nobody else, and get all in the end', async () => {
      const N = 3;
      const PIECE = 65536;
      const big = randomBytes(32 * MIB);
      const small = randomBytes(MIB);
      const senders = [];
      const taken = [0, 0, 0];
      const send = (s, i) => {
        if (taken[i] * PIECE === big.length) s.end();
        else s.write(big.subarray(taken[i] * PIECE, (taken[i] + 1) * PIECE), (e) => e || (taken[i]++, send(s, i)));
      };
      await withRelay((s) => (senders.length < N ? send(s.resume(), senders.push(s) - 1) : echo(s)), async (relay) => {
        const slow = [];
        for (let i = 0; i < N; i++) {
          slow.push(connect(relay.to).pause());
          await until(() => senders.length > i, 'the connection');
        }
        // Until everything that can hold bytes is full: nothing more is taken for a while.
        for (let before = -1; before !== sum(taken); await sleep(200)) before = sum(taken);
        for (const n of taken) assert.ok(n * PIECE < big.length, 'what nobody reads waits at its sender');
        for (let i = 0; i < 3; i++) {
          const c = connect(relay.to);
          c.end(small);
          same(await all(c), small, 'beside slow readers');
        }
        for (const c of slow) same(await all(c), big, 'a slow reader');
        for (const c of slow) c.end();
      });
    });

    it('200 connections at once, each with bytes of its own', async () => {
      let most = 0;
      let now = 0;
      const hold = [];
      const server = (s) => {
        most = Math.max(most, ++now);
        s.on('close', () => now--);
        hold.push(() => echo(s));
        if (hold.length === 200) for (const go of hold) go();
      };
      await withRelay(server, async (relay) => {
        await Promise.all(Array.from({ length: 200 }, async (_, i) => {
          const c = connect(relay.to);
          const sent = randomBytes(100000 + i);
          c.end(sent);
          same(await all(c), sent, `connection ${i}`);
        }));
        assert.equal(most, 200);
        await until(() => now === 0, 'the end of all');
        const fds = readdirSync(`/proc/${relay.pid}/fd`).length;
        assert.ok(fds < 20, `${fds} descriptors are left`);
      });
    });

    it('SIGTERM closes what is open, whatever it is at', async () => {
      const ends = [];
      await withRelay((s) => s.end(Buffer.alloc(16 * MIB)), async (relay) => {
        for (let i = 0; i < 20; i++) {
          const c = connect(relay.to).on('error', () => {}).on('end', () => c.end());
          await new Promise((resolve) => c.once('readable', resolve));
          ends.push(() => over(c, 'the end'));
        }
        assert.deepEqual(await relay.close(), { code: 0, signal: null });
        await Promise.all(ends.map((end) => end()));
      });
    });

    it('nobody to relay to: the client is closed, the relay goes on', async () => {
      const probe = net.createServer();
      await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
      const { port } = probe.address();
      await new Promise((resolve) => probe.close(resolve));
      const relay = await listening(['--relay', '127.0.0.1:0', `127.0.0.1:${port}`]);
      for (let i = 0; i < 3; i++) {
        const c = connect(relay.to);
        await over(c.on('error', () => {}).on('end', () => c.end()), 'the end');
      }
      assert.deepEqual(await relay.close(), { code: 0, signal: null });
    });
  });

  it('refuses what makes no sense, with status 2', async () => {
    for (const [args, says] of [
      [[], /URL/],
      [['--connections', 'many', daemon.url], /--connections/],
      [['--pid', '4000000', daemon.url], /--pid/],
      [['--body', '/nonexistent', daemon.url], /nonexistent/],
      [['http://no-such-host.invalid'], /no-such-host/],
      [['--relay', '127.0.0.1:0', 'no-such-host.invalid:1'], /no-such-host/],
      [['--relay', '127.0.0.1:0', daemon.url], /--relay to/],
    ]) {
      const { code, stderr } = await bench(args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, says);
    }
    const help = launch(['--help']);
    assert.equal((await help.end).code, 0);
    const page = readFileSync(PAGE, 'utf8');
    for (const [, name] of help.stdout.matchAll(/^ {2}--([a-z-]+)/gm)) assert.ok(page.includes(`Fl -${name}`), `--${name} is not in triglot-bench(1)`);
  });
});
