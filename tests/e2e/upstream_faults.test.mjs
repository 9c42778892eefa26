// Broken upstreams. Before a status was sent the client gets 502 or 504 with a code, in its envelope; after that, an
// error record in the stream, no [DONE], and a body that does not end properly. The daemon goes on.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { start } from './lib/daemon.mjs';
import { delta, record, textChunks } from './lib/model.mjs';
import { chat, dataOf, get, open } from './lib/raw.mjs';
import { Upstream, chunked } from './lib/upstream.mjs';
import { now, sleep, until } from './lib/util.mjs';

const DONE = record('[DONE]');
const FIRST = record(delta('m', { role: 'assistant', content: '' }));
const SECOND = record(delta('m', { content: 'hi' }));
const LAST = record(delta('m', {}, 'stop'));
const STREAM = FIRST + SECOND + LAST + DONE;
const WHOLE = JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] });
const SSE = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const JSON_HEAD = (n) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${n}\r\n\r\n`;

let up;
let elsewhere; // where redirects point
let noTls; // answers a TLS handshake in plain HTTP
let daemon;
let script; // (peer, request, nth connection) => ...
before(async () => {
  elsewhere = await Upstream.listen((req, peer) => peer.answer(200, WHOLE));
  up = await Upstream.raw(async (peer) => {
    for (;;) {
      const req = await peer.request();
      if (!req) return;
      up.requests.push(req);
      if ((await script(peer, req)) === 'hold') return;
    }
  });
  noTls = await Upstream.raw(async (peer) => {
    await until(() => peer.received > 0, 'a handshake');
    await peer.write('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    peer.end();
  });
  const probe = net.createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const deadPort = probe.address().port;
  await new Promise((resolve) => probe.close(resolve));
  daemon = await start({
    timeouts: { first_byte_seconds: 0.4, idle_seconds: 0.4, connect_seconds: 1, total_seconds: 20 },
    limits: { response_head_bytes: 8192, response_bytes: 262144, event_bytes: 65536 },
    upstreams: [
      { name: 'up', url: up.url, dialect: 'chat', key: 'sk-up-secret' },
      { name: 'dead', url: `http://127.0.0.1:${deadPort}/v1`, dialect: 'chat' },
      { name: 'nowhere', url: 'http://no-such-host.invalid/v1', dialect: 'chat' },
      { name: 'plain-tls', url: `https://localhost:${noTls.port}/v1`, dialect: 'chat' },
    ],
    models: [
      { name: 'mock', upstream: 'up' }, { name: 'dead', upstream: 'dead' }, { name: 'nowhere', upstream: 'nowhere' }, { name: 'plain-tls', upstream: 'plain-tls' },
    ],
  });
});
after(async () => {
  await daemon?.finish();
  await up?.close();
  await elsewhere?.close();
  await noTls?.close();
});

const ask = (stream, model = 'mock') => chat(daemon, { model, messages: [], stream });

// A real status with a code.
function refused(r, status, code) {
  assert.equal(r.status, status, r.text);
  assert.ok(r.complete);
  assert.equal(r.headers['content-type'], 'application/json');
  const { error } = r.json;
  assert.ok(error.code, `a code: ${r.text}`);
  assert.ok(error.message);
  if (code) assert.match(error.code, code);
  assert.ok(!r.text.includes('sk-up-secret'));
  return error;
}

// An error record in a stream that began well.
function broken(r, code) {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.complete, false, 'the body must not end properly');
  const data = dataOf(r.events);
  const { error } = JSON.parse(data.at(-1));
  assert.ok(error, `the last record is an error: ${data.at(-1)}`);
  assert.ok(error.message && error.type && 'param' in error && error.code);
  if (code) assert.match(error.code, code);
  assert.ok(!r.text.includes('[DONE]'));
  assert.equal(data.filter((d) => JSON.parse(d).error).length, 1, 'one error');
  return data;
}

const write = (...pieces) => async (peer) => {
  for (const p of pieces) await peer.write(p);
};
const andClose = (...pieces) => async (peer) => {
  await write(...pieces)(peer);
  peer.end();
  return 'hold';
};
const andReset = (...pieces) => async (peer) => {
  await write(...pieces)(peer);
  await sleep(20);
  peer.reset();
  return 'hold';
};
const html = '<html><body>502 Bad Gateway</body></html>';

describe('before any answer: 502 or 504 for whole answers and for streams', () => {
  const cases = {
    'a garbage status line': [andClose('BANANA 12\r\n\r\n'), 502],
    'binary garbage': [andClose(Buffer.from([0, 1, 2, 255, 13, 10, 13, 10])), 502],
    'HTTP/2.0 in the status line': [andClose('HTTP/2.0 200 OK\r\n\r\n'), 502],
    'a status of two digits': [andClose('HTTP/1.1 20 OK\r\n\r\n'), 502],
    'an endless header': [async (peer) => {
      await peer.write('HTTP/1.1 200 OK\r\nx: ');
      while (await peer.write('y'.repeat(1024))) await sleep(0);
      return 'hold';
    }, 502],
    'endless headers': [async (peer) => {
      await peer.write('HTTP/1.1 200 OK\r\n');
      for (let i = 0; await peer.write(`x-${i}: y\r\n`); i++) if (i % 50 === 0) await sleep(0);
      return 'hold';
    }, 502],
    'both length headers': [andClose(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`), 502],
    'two lengths': [andClose('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} '), 502],
    'a bad length': [andClose('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: x\r\n\r\n{}'), 502],
    '101 Switching Protocols': [andClose('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'), 502],
    'a flood of 1xx': [async (peer) => {
      while (await peer.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50))) await sleep(0);
      return 'hold';
    }, 502],
    'nothing, then the end': [andClose(), 502],
    'nothing, then a reset': [andReset(), 502],
    'half a head, then the end': [andClose('HTTP/1.1 200 OK\r\ncontent-ty'), 502],
    'silence': [async (peer) => (await peer.gone, 'hold'), 504, /timeout/],
    'half a head, then silence': [async (peer) => (await peer.write('HTTP/1.1 200 OK\r\nx'), await peer.gone, 'hold'), 504, /timeout/],
    'text/html with 200': [write(`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${html.length}\r\n\r\n${html}`), 502, /content_type/],
    'no content type': [write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`), 502, /content_type/],
    'HTML with 502': [write(`HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: ${html.length}\r\n\r\n${html}`), 502],
    'HTML with 504': [write(`HTTP/1.1 504 Gateway Timeout\r\ncontent-type: text/html\r\ncontent-length: ${html.length}\r\n\r\n${html}`), 502],
    '204 without a body': [write('HTTP/1.1 204 No Content\r\n\r\n'), 502],
  };
  for (const status of [301, 302, 303, 307, 308])
    cases[`a redirect ${status}`] = [(peer) => peer.write(`HTTP/1.1 ${status} Moved\r\nlocation: ${elsewhere.url}/chat/completions\r\ncontent-length: 0\r\n\r\n`), 502, /redirect/];

  for (const [name, [fn, status, code]] of Object.entries(cases))
    it(name, async () => {
      for (const stream of [false, true]) {
        script = fn;
        refused(await ask(stream), status, code);
      }
    });

  for (const [name, model, status] of [['a refused connection', 'dead', 502], ['a name that does not resolve', 'nowhere', 502], ['no TLS behind https', 'plain-tls', 502]])
    it(name, async () => {
      for (const stream of [false, true]) refused(await ask(stream, model), status);
    });

  it('redirects were not followed', () => assert.equal(elsewhere.requests.length, 0));
});

describe('whole answers', () => {
  const cases = {
    'an early end': [andClose(JSON_HEAD(WHOLE.length), WHOLE.slice(0, 40)), 502],
    'a reset in the body': [andReset(JSON_HEAD(WHOLE.length), WHOLE.slice(0, 40)), 502],
    'silence in the body': [async (peer) => (await peer.write(JSON_HEAD(WHOLE.length) + WHOLE.slice(0, 40)), await peer.gone, 'hold'), 504, /timeout/],
    'a chunked body without its end': [andClose('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n', chunked(WHOLE)), 502],
    'chunked garbage': [andClose('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'), 502],
    'no JSON': [write(JSON_HEAD(5), '{"a":'), 502],
    'JSON of another kind': [write(JSON_HEAD(2), '[]'), 502],
    'an event stream although JSON was asked': [write(SSE, chunked(STREAM), '0\r\n\r\n'), 502, /content_type/],
    'larger than limits.response_bytes': [async (peer) => {
      await peer.write(JSON_HEAD(10 << 20));
      while (await peer.write(Buffer.alloc(65536, 32))) await sleep(0);
      return 'hold';
    }, 502],
    'gzip that does not inflate': [write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip`), 502],
    'an unknown coding': [write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: lzma\r\ncontent-length: 8\r\n\r\nnot lzma`), 502],
  };
  for (const [name, [fn, status, code]] of Object.entries(cases))
    it(name, async () => {
      script = fn;
      refused(await ask(false), status, code);
    });

  it('a gzip bomb stays within limits.response_bytes', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 << 20, 32));
    const before = daemon.rss();
    script = write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`, bomb);
    refused(await ask(false), 502);
    daemon.grewLess(12 << 20, before);
  });

  for (const [coding, encode] of [['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync], ['br', zlib.brotliCompressSync]])
    it(`${coding} though identity was asked is decoded`, async () => {
      const b = encode(WHOLE);
      script = write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: ${coding}\r\ncontent-length: ${b.length}\r\n\r\n`, b);
      const r = await ask(false);
      assert.equal(r.status, 200, r.text);
      assert.equal(r.text, WHOLE);
      assert.equal(r.headers['content-encoding'], undefined);
      const e = encode('{"error":{"message":"no","type":"t","param":null,"code":"c"}}');
      script = write(`HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-encoding: ${coding}\r\ncontent-length: ${e.length}\r\n\r\n`, e);
      assert.equal(refused(await ask(false), 400).code, 'c');
    });
});

describe('streams that never began', () => {
  const cases = {
    'JSON although a stream was asked': [write(JSON_HEAD(WHOLE.length), WHOLE), 502, /content_type/],
    'an empty stream': [write(SSE, '0\r\n\r\n'), 502],
    'only comments': [write(SSE, chunked(': hello\n\n: again\n\n'), '0\r\n\r\n'), 502],
    'an early end before the first record': [andClose(SSE), 502],
    'silence before the first record': [async (peer) => (await peer.write(SSE), await peer.gone, 'hold'), 504, /timeout/],
    'a first record that is no JSON': [write(SSE, chunked('data: {"choices":[\n\n'), '0\r\n\r\n'), 502],
    'chunked garbage': [andClose(SSE, 'xyz\r\n'), 502],
    'only [DONE]': [write(SSE, chunked(DONE), '0\r\n\r\n'), null],
  };
  for (const [name, [fn, status, code]] of Object.entries(cases))
    it(name, async () => {
      script = fn;
      const r = await ask(true);
      if (status) refused(r, status, code);
      else assert.ok(r.status === 502 || (r.status === 200 && dataOf(r.events).length <= 1), r.text);
    });

  it('an endless line is cut off at limits.event_bytes', async () => {
    let sent = 0;
    script = async (peer) => {
      await peer.write(SSE);
      await peer.chunk('data: {"x":"');
      while (await peer.chunk('y'.repeat(4096))) sent += 4096;
      return 'hold';
    };
    const before = daemon.rss();
    refused(await ask(true), 502);
    daemon.grewLess(8 << 20, before);
    assert.ok(sent < 16 << 20, `${sent} bytes were taken`);
  });

  for (const [status, type, code] of [
    [429, 'rate_limit_error', 'rate_limit_exceeded'], [400, 'invalid_request_error', 'context_length_exceeded'],
    [503, 'service_unavailable_error', 'server_is_overloaded'], [500, 'server_error', null],
  ])
    it(`an error as first record (${type}) is a real status (pitfalls G1)`, async () => {
      const body = JSON.stringify({ error: { message: 'no', type, param: null, code } });
      script = write(SSE, chunked(`: hi\n\ndata: ${body}\n\n`), chunked(DONE), '0\r\n\r\n');
      const r = await ask(true);
      assert.ok(r.status >= 400, `${r.status}`);
      if (type !== 'server_error') assert.equal(r.status, status);
      else assert.ok(r.status >= 500);
      assert.equal(r.json.error.code, code);
      assert.equal(r.json.error.type, type);
      assert.match(r.headers['content-type'], /^application\/json/);
      assert.ok(r.complete);
    });

  it("an error about the gateway's key as first record is no 401 (pitfalls G1)", async () => {
    const body = JSON.stringify({ error: { message: 'bad key sk-1', type: 'authentication_error', param: null, code: 'invalid_api_key' } });
    script = write(SSE, chunked(`data: ${body}\n\n`), chunked(DONE), '0\r\n\r\n');
    assert.doesNotMatch(refused(await ask(true), 502, /^upstream_auth$/).message, /sk-1/);
  });
});

describe('streams that break (pitfalls G3, C1)', () => {
  const cases = {
    'an early end of the connection': [andClose(SSE, chunked(FIRST), chunked(SECOND))],
    'a reset': [andReset(SSE, chunked(FIRST), chunked(SECOND))],
    'a proper end without a finish': [write(SSE, chunked(FIRST), chunked(SECOND), '0\r\n\r\n')],
    'an end inside a record': [andClose(SSE, chunked(FIRST), chunked(SECOND), chunked(LAST.slice(0, 30)))],
    'silence': [async (peer) => (await write(SSE, chunked(FIRST), chunked(SECOND))(peer), await peer.gone, 'hold'), /timeout/],
    'chunked garbage': [andClose(SSE, chunked(FIRST), chunked(SECOND), 'zz\r\n')],
    'a record that is no JSON': [write(SSE, chunked(FIRST), chunked(SECOND), chunked('data: {"choi\n\n'), chunked(LAST + DONE), '0\r\n\r\n')],
    'an endless record': [async (peer) => {
      await write(SSE, chunked(FIRST), chunked(SECOND))(peer);
      await peer.chunk('data: "');
      while (await peer.chunk('z'.repeat(4096)));
      return 'hold';
    }],
  };
  for (const [name, [fn, code]] of Object.entries(cases))
    it(name, async () => {
      script = fn;
      const r = await ask(true);
      const data = broken(r, code);
      assert.equal(data.length, 3, 'what came before was delivered');
      assert.ok(r.text.startsWith(FIRST + SECOND));
      const line = await daemon.access(r.headers['x-request-id']);
      assert.equal(line.cancel_by, 'upstream');
      assert.notEqual(line.rc, 'ok');
    });

  it("an error about the gateway's key, behind a beginning, is told in words of ours", async () => {
    const error = { error: { message: 'bad key sk-1', type: 'authentication_error', param: null, code: 'invalid_api_key' } };
    script = write(SSE, chunked(FIRST), chunked(SECOND), chunked(record(error)), chunked(LAST + DONE), '0\r\n\r\n');
    const r = await ask(true);
    broken(r, /^upstream_auth$/);
    assert.doesNotMatch(r.text, /sk-1/);
  });

  it("the upstream's own error record is the last thing", async () => {
    const error = { error: { message: 'overloaded now', type: 'server_error', param: null, code: 'boom' } };
    script = write(SSE, chunked(FIRST), chunked(SECOND), chunked(record(error)), chunked(LAST + DONE), '0\r\n\r\n');
    const r = await ask(true);
    const data = broken(r, /^boom$/);
    assert.deepEqual(JSON.parse(data.at(-1)), error);
  });

  it('comments keep a stream alive past the idle time', async () => {
    script = async (peer) => {
      await write(SSE, chunked(FIRST))(peer);
      for (let i = 0; i < 5; i++) {
        await sleep(150);
        await peer.chunk(': working\n\n');
      }
      await write(chunked(SECOND + LAST + DONE), '0\r\n\r\n')(peer);
    };
    const r = await ask(true);
    assert.equal(dataOf(r.events).at(-1), '[DONE]');
    assert.ok(r.complete);
  });

  it('bytes behind [DONE] are not delivered', async () => {
    script = write(SSE, chunked(STREAM + SECOND), chunked(SECOND), '0\r\n\r\n');
    const r = await ask(true);
    assert.equal(r.text, STREAM);
    assert.ok(r.complete);
  });

  it('an upstream that does not close behind [DONE] does not hold the client', async () => {
    script = async (peer) => {
      await write(SSE, chunked(STREAM))(peer);
      await peer.gone;
      return 'hold';
    };
    const at = now();
    const r = await ask(true);
    assert.equal(r.text, STREAM);
    assert.ok(r.complete);
    assert.ok(now() - at < 1000);
  });

  for (const [coding, encode] of [
    ['gzip', () => zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })],
    ['deflate', () => zlib.createDeflate({ flush: zlib.constants.Z_SYNC_FLUSH })],
    ['br', () => zlib.createBrotliCompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH })],
  ])
    it(`${coding} though identity was asked: decoded as it comes (pitfalls H9)`, async () => {
      let release;
      const held = new Promise((resolve) => (release = resolve));
      script = async (peer) => {
        await peer.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: ${coding}\r\ntransfer-encoding: chunked\r\n\r\n`);
        const z = encode();
        let chain = Promise.resolve();
        z.on('data', (b) => (chain = chain.then(() => peer.chunk(b))));
        await new Promise((resolve) => z.write(FIRST + SECOND, resolve));
        await Promise.race([held, sleep(300)]);
        const end = new Promise((resolve) => z.on('end', resolve));
        z.end(LAST + DONE);
        await end;
        await chain;
        await peer.lastChunk();
      };
      const { client, response } = await open(daemon, { model: 'mock', messages: [], stream: true });
      await response.until((r) => r.text.includes(SECOND), 'the first records before the last are sent');
      release();
      await response.end;
      assert.equal(response.text, STREAM);
      assert.equal(response.headers['content-encoding'], undefined);
      client.close();
    });
});

describe('connections to the upstream', () => {
  const plain = async (peer) => void (await peer.answer(200, WHOLE));
  const fresh = async () => {
    // Whatever is pooled is closed from this side.
    for (const p of up.peers) p.close();
    await sleep(30);
  };

  it('are reused after whole answers and after streams', async () => {
    await fresh();
    const before = up.peers.length;
    for (let i = 0; i < 4; i++) {
      script = i % 2 ? write(SSE, chunked(STREAM), '0\r\n\r\n') : plain;
      assert.equal((await ask(i % 2 === 1)).status, 200);
    }
    assert.equal(up.peers.length - before, 1);
  });

  for (const [name, head] of [['Connection: close', 'connection: close\r\n'], ['HTTP/1.0', null]])
    it(`are not reused after ${name}`, async () => {
      await fresh();
      script = write(`HTTP/1.${head ? 1 : 0} 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${WHOLE.length}\r\n${head ?? ''}\r\n`, WHOLE);
      const before = up.peers.length;
      for (let i = 0; i < 2; i++) assert.equal((await ask(false)).status, 200);
      assert.equal(up.peers.length - before, 2);
    });

  it('are not reused when bytes came behind the answer', async () => {
    await fresh();
    script = write(JSON_HEAD(WHOLE.length), WHOLE + 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    assert.equal((await ask(false)).text, WHOLE);
    script = plain;
    const r = await ask(false);
    assert.equal(r.status, 200);
    assert.equal(r.text, WHOLE);
  });

  it('one that dies idle is noticed', async () => {
    script = plain;
    await ask(false);
    await fresh();
    const before = up.requests.length;
    assert.equal((await ask(false)).status, 200);
    assert.equal(up.requests.length - before, 1);
  });

  for (const [name, die] of [['closes', (p) => p.close()], ['resets', (p) => p.reset()]])
    it(`a pooled one that ${name} on use is replaced once`, async () => {
      await fresh();
      script = plain;
      await ask(false);
      const used = new Set(up.peers);
      const before = up.requests.length;
      script = (peer) => (used.has(peer) ? (die(peer), 'hold') : plain(peer));
      const r = await ask(false);
      assert.equal(r.status, 200, r.text);
      assert.equal(up.requests.length - before, 2);
      assert.deepEqual(up.requests.at(-1).body, up.requests.at(-2).body);
    });

  it('a fresh one that closes is not tried again', async () => {
    await fresh();
    const before = up.requests.length;
    script = andClose();
    refused(await ask(false), 502);
    assert.equal(up.requests.length - before, 1);
  });

  it('never a second retry (pitfalls G5)', async () => {
    await fresh();
    script = plain;
    await ask(false);
    const before = up.requests.length;
    script = andClose();
    refused(await ask(false), 502);
    assert.equal(up.requests.length - before, 2);
  });

  it('no retry once a byte of the answer came (pitfalls G2)', async () => {
    await fresh();
    script = plain;
    await ask(false);
    const before = up.requests.length;
    script = andClose('H');
    refused(await ask(false), 502);
    assert.equal(up.requests.length - before, 1);
  });

  it('a 5xx is not retried by the daemon', async () => {
    const before = up.requests.length;
    script = (peer) => peer.fail(503, {}).then(() => undefined);
    assert.equal((await ask(false)).status, 503);
    assert.equal(up.requests.length - before, 1);
  });

  it('429 with retry-after goes through', async () => {
    script = (peer) => peer.fail(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '17', 'retry-after-ms': '16500', 'x-ratelimit-remaining-requests': '0' }).then(() => undefined);
    for (const stream of [false, true]) {
      const r = await ask(stream);
      assert.equal(r.status, 429);
      assert.equal(r.headers['retry-after'], '17');
      assert.equal(r.headers['retry-after-ms'], '16500');
      assert.equal(r.headers['x-ratelimit-remaining-requests'], '0');
      assert.equal(r.json.error.code, 'rate_limit_exceeded');
    }
  });

  it('many answers at once, half of them broken: the good ones are whole', async () => {
    script = (peer, req) => {
      if (req.json.good) return write(SSE, chunked(textChunks('m').map(record).join('') + DONE), '0\r\n\r\n')(peer);
      return andReset(SSE, chunked(FIRST))(peer);
    };
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => chat(daemon, { model: 'mock', messages: [], stream: true, good: i % 2 === 0 })));
    answers.forEach((r, i) => {
      if (i % 2) broken(r);
      else assert.equal(r.text, textChunks('m').map(record).join('') + DONE);
    });
  });
});

it('afterwards: ready, and nothing left open', async () => {
  for (const p of up.peers) p.close();
  assert.equal((await get(daemon, '/readyz')).status, 200);
  await until(() => daemon.fds() < 40, 'descriptors to be closed', 3000).catch(() => assert.fail(`${daemon.fds()} descriptors are open`));
  assert.deepEqual(daemon.lines.filter((l) => l.level === 'error'), []);
  assert.ok(!daemon.stderr.includes('sk-up-secret'));
});
