// The process: options, configuration, reload, drain, running out of descriptors, and what never shows in a log.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Daemon, run, spawnDaemon, start, withDaemon, writeConfig } from './lib/daemon.mjs';
import { chatModel } from './lib/model.mjs';
import { Client, chat, contentOf, dataOf, exchange, get, open, request } from './lib/raw.mjs';
import { Upstream } from './lib/upstream.mjs';
import { now, sleep, tempDir, until, within } from './lib/util.mjs';

const SIM = { model: 'sim', messages: [{ role: 'user', content: 'x' }], stream: true };
const QUICK = { first_token_ms: 0, tokens_per_second: 0, tokens: 5 };

describe('options', () => {
  const dir = tempDir();
  const file = (text, name = 'c.yaml') => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };

  it('--help and --version go to standard output', async () => {
    const help = await run(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /-c\b/);
    assert.match(help.stdout, /--dump-config/);
    assert.equal(help.stderr, '');
    const version = await run(['--version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /^triglot \d+\.\d+\.\d+/);
    assert.match(version.stdout, /BearSSL/i);
    assert.match(version.stdout, /^kernel: Linux .*multishot/m);
    assert.equal(version.stderr, '');
  });

  it('an unknown option is an error', async () => {
    const r = await run(['--no-such-option']);
    assert.notEqual(r.code, 0);
    assert.match(r.stderr, /no-such-option/);
    assert.equal(r.stdout, '');
    assert.notEqual((await run(['stray'])).code, 0);
  });

  it('an explicit file that is missing is an error, with -t and without', async () => {
    for (const args of [['-c', join(dir, 'missing.yaml')], ['-t', '-c', join(dir, 'missing.yaml')]]) {
      const r = await run(args);
      assert.equal(r.code, 1);
      assert.match(r.stderr, /missing\.yaml/);
      assert.match(r.stderr, /No such file/);
    }
  });

  it('-t on a good file: 0, and nothing is bound', async () => {
    const busy = net.createServer();
    await new Promise((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const r = await run(['-t', '-c', file(`listen: 127.0.0.1:${busy.address().port}\n`)]);
    busy.close();
    assert.equal(r.code, 0, r.stderr);
  });

  const up = 'upstreams:\n  - name: up\n    url: http://127.0.0.1:1/v1\n';
  for (const [name, text, want] of [
    ['an unknown key', 'workrs: 2\n', /c\.yaml:1:1: .*workrs.*workers/s],
    ['an unknown key further in', `${up}    dialct: chat\n`, /c\.yaml:4:5: .*dialct.*dialect/s],
    ['a wrong type', 'workers: many\n', /c\.yaml:1:10: /],
    ['a value out of range', 'workers: 0\n', /c\.yaml:1:10: /],
    ['a key twice', 'workers: 1\nworkers: 2\n', /c\.yaml:2:1: /],
    ['broken YAML', 'listen: [a\n', /c\.yaml:\d+:\d+: /],
    ['a model without its upstream', `${up}models:\n  - name: m\n    upstream: upp\n`, /c\.yaml:6:\d+: .*upp.*up/s],
    ['an upstream without a url', 'upstreams:\n  - name: up\n', /c\.yaml:2:\d+: .*url/],
    ['a bad url', 'upstreams:\n  - name: up\n    url: ftp://x/\n', /c\.yaml:3:\d+: /],
    ['a bad address', 'listen: nonsense\n', /c\.yaml:1:9: /],
    ['an unset variable', 'upstreams:\n  - name: up\n    url: http://127.0.0.1:1/v1\n    key: ${NOT_SET_ANYWHERE}\n', /c\.yaml:4:\d+: .*NOT_SET_ANYWHERE/],
    ['a missing ca_file', 'upstreams:\n  - name: up\n    url: https://localhost:1/v1\n    ca_file: /nonexistent/ca.pem\n', /ca\.pem/],
    ['an unknown dialect', `${up}    dialect: latin\n`, /c\.yaml:4:14: .*latin/],
    ['two upstreams of one name', `${up}  - name: up\n    url: http://127.0.0.1:2/v1\n`, /c\.yaml:4:\d+: /],
  ])
    it(`-t on ${name}: 1, with the place`, async () => {
      const r = await run(['-t', '-c', file(text)]);
      assert.equal(r.code, 1, r.stdout + r.stderr);
      assert.match(r.stderr, want);
      const started = await run(['-c', file(text)]);
      assert.notEqual(started.code, 0, 'it does not start either');
    });

  it('all problems are told at once', async () => {
    const r = await run(['-t', '-c', file('workrs: 2\nlisten: nonsense\n')]);
    assert.match(r.stderr, /:1:1: /);
    assert.match(r.stderr, /:2:9: /);
  });

  it('--dump-config: the effective values with origins, no secrets, and it can be read again', async () => {
    const f = file('workers: 3\nupstreams:\n  - name: up\n    url: http://127.0.0.1:1/v1\n    key: ${DUMP_KEY}\nmodels:\n  - name: "m-*"\n    upstream: up\n');
    const r = await run(['--dump-config', '-c', f], { env: { DUMP_KEY: 'sk-dump-canary' } });
    assert.equal(r.code, 0, r.stderr);
    assert.match(r.stdout, /workers: 3 .*c\.yaml:1/);
    assert.match(r.stdout, /heartbeat_seconds: 15 .*default/);
    assert.ok(!(r.stdout + r.stderr).includes('sk-dump-canary'));
    const again = await run(['-t', '-c', file(r.stdout, 'again.yaml')]);
    assert.equal(again.code, 0, again.stderr);
  });

  it('a port in use is an error that names it', async () => {
    const busy = net.createServer();
    await new Promise((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address();
    const r = await run(['-c', file(`listen: 127.0.0.1:${port}\n`)]);
    busy.close();
    assert.notEqual(r.code, 0);
    assert.ok(r.stderr.includes(String(port)), r.stderr);
  });
});

it('several listeners', async () => {
  await withDaemon({ listen: ['127.0.0.1:0', '127.0.0.2:0'], sim: QUICK }, async (d) => {
    const lines = await until(() => {
      const l = d.lines.filter((l) => l.name === 'listening');
      return l.length === 2 && l;
    }, 'two listeners');
    for (const l of lines) {
      const [host, port] = l.address.split(':');
      assert.equal((await get({ host, port: Number(port) }, '/readyz')).status, 200);
    }
  });
});

// Without configuration the port is fixed: where it is taken, or a file is installed, the test cannot be.
const busy = await new Promise((resolve) => {
  const s = net.createServer();
  s.on('error', () => resolve('port 8080 is in use'));
  s.listen(8080, '127.0.0.1', () => s.close(() => resolve(false)));
});
const installed = existsSync('/etc/triglot/triglot.yaml') && '/etc/triglot/triglot.yaml exists';
it('zero configuration serves sim on 127.0.0.1:8080', { skip: busy || installed }, async () => {
  const d = await start(null);
  try {
    assert.equal(d.port, 8080);
    assert.equal(d.host, '127.0.0.1');
    const r = await chat(d, SIM, { 'x-triglot-sim': 'tokens=5,first_token_ms=0,tokens_per_second=0' });
    assert.equal(dataOf(r.events).at(-1), '[DONE]');
    assert.ok(contentOf(r.events).length > 5);
    assert.deepEqual((await get(d, '/v1/models')).json.data.map((m) => m.id), ['sim']);
  } finally {
    d.kill('SIGTERM');
    d.kill('SIGTERM');
    await d.stop();
  }
});

it('logfmt: the same fields', async () => {
  const dir = tempDir();
  const d = new Daemon(spawnDaemon(['-c', writeConfig(dir, { log: { format: 'logfmt' } })]));
  const line = await until(() => d.stderr.match(/^.*msg=listening.*$/m)?.[0], 'the line "listening"');
  const [, host, port] = line.match(/address="?([^:]+):(\d+)/);
  await exchange({ host, port: Number(port) }, 'GET', '/v1/models', { 'x-request-id': 'lf-1' });
  const access = await until(() => d.stderr.match(/^.*msg=request.*id=lf-1.*$/m)?.[0], 'the access line');
  for (const f of ['ts=', 'level=info', 'client=127.0.0.1:', 'key=-', 'status=200', 'rc=ok', 'attempts=0', 'cancel_by=-']) assert.ok(access.includes(` ${f}`) || access.startsWith(f), `${f} in ${access}`);
  await d.stop();
});

it('the access line has every field, in order', async () => {
  await withDaemon({ sim: QUICK }, async (d) => {
    await chat(d, SIM, { 'x-request-id': 'fields-1' });
    const line = await d.access('fields-1');
    const order = ['id', 'client', 'key', 'route', 'dialect_in', 'dialect_out', 'provider', 'model', 'provider_model', 'status', 'rc', 'bytes_in', 'bytes_out', 'tokens_in', 'tokens_out', 't_queue', 't_first', 't_total', 'attempts', 'cancel_by'];
    const keys = Object.keys(JSON.parse(line.raw)).filter((k) => order.includes(k));
    assert.deepEqual(keys, order);
    assert.equal(line.route, '/v1/chat/completions');
    assert.equal(line.dialect_in, 'chat');
    assert.equal(line.provider, 'sim');
    assert.equal(line.status, 200);
    assert.equal(line.tokens_out, 5);
    assert.ok(line.t_total >= line.t_first && line.t_first >= 0);
    assert.ok(line.bytes_in > 50 && line.bytes_out > 100);
    assert.match(line.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});

describe('reload by SIGHUP', () => {
  let up;
  before(async () => (up = await Upstream.listen(chatModel)));
  after(() => up?.close());
  const config = (models, more = {}) => ({ sim: QUICK, upstreams: [{ name: 'up', url: up.url, dialect: 'chat' }], models, ...more });
  const one = { name: 'mock-one', upstream: 'up', model: 'mock-text' };
  const two = { name: 'mock-two', upstream: 'up', model: 'mock-text' };
  const ids = async (d) => (await get(d, '/v1/models')).json.data.map((m) => m.id);
  const reload = async (d, what) => {
    const n = d.lines.length;
    d.kill('SIGHUP');
    return until(() => d.lines.slice(n).find((l) => what.test(`${l.name} ${l.text ?? ''}`)), `a line like ${what}`);
  };

  it('a new model appears, an old one goes, streams in flight go on', async () => {
    const first = config([one]);
    await withDaemon(first, async (d) => {
      const running = await open(d, SIM, { 'x-triglot-sim': 'tokens=20,tokens_per_second=40' });
      await running.response.head;
      assert.ok((await ids(d)).includes('mock-one'));
      writeConfig(d.dir, config([two], { listen: `${d.host}:${d.port}` }));
      await reload(d, /reload/);
      await until(async () => (await ids(d)).includes('mock-two'), 'the new model');
      assert.ok(!(await ids(d)).includes('mock-one'));
      assert.equal((await chat(d, { ...SIM, model: 'mock-two' })).status, 200);
      assert.equal((await chat(d, { ...SIM, model: 'mock-one' })).status, 404);
      await running.response.end;
      assert.equal(dataOf(running.response.events).at(-1), '[DONE]');
    });
  });

  it('a broken file keeps the old configuration, and says so', async () => {
    await withDaemon(config([one]), async (d) => {
      const good = readFileSync(d.file, 'utf8');
      writeFileSync(d.file, `${good}nonsense: 1\n`);
      const line = await reload(d, /reload|nonsense/);
      assert.ok(['error', 'warn'].includes(line.level) || line.text, JSON.stringify(line));
      await until(() => /nonsense/.test(d.stderr), 'the reason in the log');
      assert.deepEqual((await ids(d)).filter((i) => i.startsWith('mock')), ['mock-one']);
      assert.equal((await chat(d, { ...SIM, model: 'mock-one' })).status, 200);
      writeFileSync(d.file, good.replace('mock-one', 'mock-two'));
      d.kill('SIGHUP');
      await until(async () => (await ids(d)).includes('mock-two'), 'the repaired file');
    });
  });

  it('many reloads under load lose nothing', async () => {
    await withDaemon(config([one]), async (d) => {
      let done = 0;
      let stop = false;
      const lanes = Array.from({ length: 4 }, async () => {
        while (!stop) {
          const r = await chat(d, { ...SIM, model: 'mock-one', stream: done % 2 === 0 });
          assert.equal(r.status, 200, r.text);
          assert.ok(r.complete);
          done++;
        }
      });
      for (let i = 0; i < 20; i++) {
        writeConfig(d.dir, config([one, ...(i % 2 ? [two] : [])]));
        d.kill('SIGHUP');
        await sleep(25);
      }
      stop = true;
      await Promise.all(lanes);
      assert.ok(done > 20);
    });
  });
});

describe('drain (pitfalls H18)', () => {
  const streams = (d, n, pace) =>
    Promise.all(Array.from({ length: n }, async () => {
      const s = await open(d, SIM, { 'x-triglot-sim': pace });
      await s.response.until((r) => contentOf(r.events).length > 0, 'the first token');
      return s;
    }));
  const refused = (d) => Client.connect(d).then(
    (c) => (c.close(), false),
    (e) => e.code === 'ECONNREFUSED',
  );

  it('SIGTERM with 200 streams in flight: none cut; readyz 503 at once; refused after drain.delay; exit 0', async () => {
    const d = await start({ drain: { delay: 0.6, timeout: 60 } });
    const kept = await Client.connect(d);
    await kept.send(request('GET', '/readyz')).end;
    const all = await streams(d, 200, 'tokens=40,tokens_per_second=20,first_token_ms=0');
    const at = now();
    d.kill('SIGTERM');
    await sleep(50);
    const old = await kept.send(request('GET', '/readyz')).end;
    assert.equal(old.status, 503);
    assert.equal(old.headers.connection, 'close');
    assert.equal((await get(d, '/readyz')).status, 503);
    assert.equal((await get(d, '/livez')).status, 200, 'alive all the same');
    const late = await chat(d, { ...SIM, stream: false }, { 'x-triglot-sim': 'tokens=2,tokens_per_second=0,first_token_ms=0' });
    assert.equal(late.status, 200, 'served during the delay');
    assert.equal(late.headers.connection, 'close');
    await until(() => refused(d), 'new connections to be refused', 5000, 20);
    assert.ok(now() - at > 450, 'not before the delay');
    assert.ok(!d.exit, 'streams are still running');
    await Promise.all(all.map((s) => s.response.end));
    const cut = all.filter(({ response: r }) => !r.complete || dataOf(r.events).at(-1) !== '[DONE]' || JSON.parse(dataOf(r.events).at(-2)).choices[0].finish_reason !== 'stop');
    assert.equal(cut.length, 0, `${cut.length} of 200 streams were cut`);
    const how = await within(5000, d.exited, "the daemon's end");
    assert.deepEqual(how, { code: 0, signal: null });
  });

  it('a second SIGTERM is fast: streams get an error record and no [DONE]', async () => {
    const d = await start({ drain: { delay: 5, timeout: 600 } });
    const all = await streams(d, 20, 'tokens=10000,tokens_per_second=20,first_token_ms=0');
    d.kill('SIGTERM');
    await sleep(100);
    const at = now();
    d.kill('SIGTERM');
    await within(5000, d.exited, "the daemon's end");
    assert.ok(now() - at < 4000);
    assert.equal(d.exit.code, 0);
    for (const { response: r } of all) {
      await r.end;
      assert.equal(r.complete, false);
      assert.ok(JSON.parse(dataOf(r.events).at(-1)).error.message);
      assert.ok(!r.text.includes('[DONE]'));
    }
  });

  it('drain.timeout ends what is left, with an error record', async () => {
    const d = await start({ drain: { delay: 0, timeout: 0.7 } });
    const [{ response: r }] = await streams(d, 1, 'tokens=10000,tokens_per_second=20,first_token_ms=0');
    const whole = open(d, { ...SIM, stream: false }, { 'x-triglot-sim': 'first_token_ms=60000' });
    await whole;
    await sleep(50);
    const at = now();
    d.kill('SIGTERM');
    await r.end;
    assert.ok(now() - at > 500);
    assert.equal(r.complete, false);
    assert.equal(JSON.parse(dataOf(r.events).at(-1)).error.code, 'shutting_down');
    const w = await (await whole).response.end;
    assert.equal(w.status, 503);
    assert.ok(w.json.error.code);
    assert.equal((await within(5000, d.exited, "the daemon's end")).code, 0);
    assert.equal(d.requests().filter((l) => l.cancel_by === 'drain').length, 2);
  });

  it('idle connections do not hold it up', async () => {
    const d = await start({ drain: { delay: 0, timeout: 60 } });
    const idle = await Promise.all(Array.from({ length: 10 }, () => Client.connect(d)));
    for (const c of idle.slice(0, 5)) await c.send(request('GET', '/health')).end;
    const at = now();
    d.kill('SIGTERM');
    await within(3000, d.exited, "the daemon's end");
    assert.ok(now() - at < 2000);
    assert.equal(d.exit.code, 0);
  });

  it('SIGINT ends an idle daemon as well', async () => {
    const d = await start({ drain: { delay: 0, timeout: 60 } });
    d.kill('SIGINT');
    assert.equal((await within(3000, d.exited, "the daemon's end")).code, 0);
  });
});

it('out of descriptors: no busy loop, those served go on, and it recovers', async () => {
  const d = await start({ sim: QUICK }, { files: 64 });
  try {
    const running = await open(d, SIM, { 'x-triglot-sim': 'tokens=60,tokens_per_second=30' });
    await running.response.head;
    const many = await Promise.allSettled(Array.from({ length: 150 }, () => Client.connect(d)));
    await sleep(300);
    const cpu = d.cpu();
    await sleep(500);
    const used = d.cpu() - cpu;
    assert.ok(used < 150, `${used} ms of CPU in 500 ms`);
    for (const m of many) m.value?.close();
    const at = now();
    await until(async () => (await get(d, '/readyz').catch(() => ({}))).status === 200, 'service', 5000, 20);
    assert.ok(now() - at < 2000, `recovered after ${(now() - at).toFixed(0)} ms`);
    await running.response.end;
    assert.equal(dataOf(running.response.events).at(-1), '[DONE]');
  } finally {
    await d.finish();
  }
});

it('keys, prompts and answers show in no log line and no error body, whatever the level', async () => {
  const canaries = { upKey: 'sk-canary-upstream-7f3a', clientKey: 'sk-canary-client-91bc', prompt: 'canary-prompt-5d2e', answer: 'wörld' };
  const up = await Upstream.listen(async (req, peer, u) => {
    if (req.json.model === 'c-echo') return peer.answer(401, `<html>bad key ${req.headers.authorization} ${canaries.prompt}</html>`, { 'content-type': 'text/html' });
    if (req.json.model === 'c-garbage') return void (await peer.write(`BANANA ${req.headers.authorization}\r\n\r\n`), peer.end());
    if (req.json.model === 'c-header') return void (await peer.write(`HTTP/1.1 200 OK\r\ncontent-type: ${canaries.upKey}\r\ncontent-length: 2\r\n\r\n{}`));
    return chatModel(req, peer, u);
  });
  const d = await start(
    { log: { level: 'debug' }, upstreams: [{ name: 'up', url: up.url, dialect: 'chat', key: '${CANARY_KEY}' }], models: [{ name: 'c-*', upstream: 'up' }] },
    { env: { CANARY_KEY: canaries.upKey } },
  );
  const texts = [];
  const headers = { authorization: `Bearer ${canaries.clientKey}`, 'x-api-key': canaries.clientKey };
  try {
    for (const model of ['c-text', 'c-error-500', 'c-echo', 'c-garbage', 'nobody', 'sim'])
      for (const stream of [false, true]) {
        const r = await chat(d, { model, stream, messages: [{ role: 'user', content: canaries.prompt }] }, { ...headers, 'x-triglot-sim': 'first_token_ms=0,tokens_per_second=0,tokens=3' });
        if (r.status >= 400) texts.push(r.text);
      }
    for (const body of [`{"model":"c-text","messages":["${canaries.prompt}"`, `{"model":"c-text","${canaries.prompt}":`, `${canaries.prompt}`, `{"model":{"x":"${canaries.prompt}"}}`])
      texts.push((await chat(d, body, headers)).text);
    const gone = await open(d, { model: 'c-slow', stream: true, messages: [{ role: 'user', content: canaries.prompt }] }, headers);
    await gone.response.head;
    gone.client.close();
    await until(() => d.requests().length >= 16, 'the access lines');
    d.kill('SIGHUP');
    await sleep(100);
  } finally {
    await d.finish();
    await up.close();
  }
  assert.ok(texts.length >= 10);
  for (const [name, canary] of Object.entries(canaries)) {
    assert.ok(!d.stderr.includes(canary), `${name} in the log: ${d.stderr.split('\n').find((l) => l.includes(canary))}`);
    for (const t of texts) assert.ok(!t.includes(canary), `${name} in an error body: ${t}`);
  }
});
