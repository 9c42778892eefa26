// The HTTP/1.1 server: connections, methods, codings, limits, and what bad input gets.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { start, withDaemon } from './lib/daemon.mjs';
import { Client, chat, dataOf, exchange, get, open, request } from './lib/raw.mjs';
import { Upstream } from './lib/upstream.mjs';
import { now, sleep, until, within } from './lib/util.mjs';

const MODELS = '/v1/models';
const CHAT = '/v1/chat/completions';
const SIM = { model: 'sim', messages: [{ role: 'user', content: 'x' }] };

let up;
let daemon; // ordinary limits
let tight; // short budgets
before(async () => {
  up = await Upstream.listen((req, peer) => peer.answer(200, { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [] }));
  const common = {
    sim: { first_token_ms: 0, tokens_per_second: 0, tokens: 5 },
    upstreams: [{ name: 'up', url: up.url, dialect: 'chat' }],
    models: [{ name: 'mock-*', upstream: 'up' }, { name: 'a/b:c', upstream: 'up' }],
  };
  daemon = await start({ ...common, cors: { origins: ['https://app.test'] } });
  tight = await start({
    ...common,
    limits: { head_bytes: 4096, body_bytes: 65536 },
    timeouts: { head_seconds: 0.4, body_idle_seconds: 0.4, keep_alive_seconds: 0.4 },
  });
});
after(async () => {
  await daemon?.finish();
  await tight?.finish();
  await up?.close();
});

// An error in the envelope that clients know.
function envelope(r, status, code, type = 'invalid_request_error') {
  assert.equal(r.status, status, r.text);
  assert.equal(r.headers['content-type'], 'application/json');
  const { error } = r.json;
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
  assert.ok(error.message.length > 0);
  if (type) assert.equal(error.type, type);
  if (code) assert.equal(error.code, code);
  return error;
}

describe('connections', () => {
  it('keep-alive: many requests on one', async () => {
    const c = await Client.connect(daemon);
    for (let i = 0; i < 5; i++) {
      const r = await c.send(i % 2 ? request('POST', CHAT, {}, SIM) : request('GET', MODELS), i % 2 ? 'POST' : 'GET').end;
      assert.equal(r.status, 200);
      assert.notEqual(r.headers.connection, 'close');
    }
    const stream = await c.send(request('POST', CHAT, {}, { ...SIM, stream: true }), 'POST').end;
    assert.equal(dataOf(stream.events).at(-1), '[DONE]');
    assert.equal((await c.send(request('GET', MODELS)).end).status, 200, 'also after a stream');
    c.close();
  });

  it('Connection: close is honoured', async () => {
    const c = await Client.connect(daemon);
    const r = await c.send(request('GET', MODELS, { connection: 'close' })).end;
    assert.equal(r.headers.connection, 'close');
    await c.closed;
  });

  it('pipelined requests are answered in order', async () => {
    const c = await Client.connect(daemon);
    const asked = [
      [request('POST', CHAT, { 'x-request-id': 'p0' }, { ...SIM, stream: true }), 'POST'],
      [request('GET', MODELS, { 'x-request-id': 'p1' }), 'GET'],
      [request('HEAD', MODELS, { 'x-request-id': 'p2' }), 'HEAD'],
      [request('POST', CHAT, { 'x-request-id': 'p3', 'transfer-encoding': 'chunked' }, `2\r\n{"\r\n${(JSON.stringify(SIM).length - 2).toString(16)}\r\n${JSON.stringify(SIM).slice(2)}\r\n0\r\n\r\n`), 'POST'],
      [request('GET', '/nowhere', { 'x-request-id': 'p4' }), 'GET'],
      [request('POST', CHAT, { 'x-request-id': 'p5' }, { ...SIM, model: 'mock-1' }), 'POST'],
    ];
    const answers = asked.map(([, method]) => c.expect(method));
    c.write(Buffer.concat(asked.map(([b]) => b)));
    for (const a of answers) await a.end;
    assert.deepEqual(answers.map((a) => a.headers['x-request-id']), ['p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
    assert.deepEqual(answers.map((a) => a.status), [200, 200, 200, 200, 404, 200]);
    c.close();
  });

  it('a request in single bytes', async () => {
    const c = await Client.connect(daemon);
    const r = c.expect('POST');
    for (const b of request('POST', CHAT, {}, SIM)) {
      c.write(Buffer.from([b]));
      await new Promise(setImmediate);
    }
    assert.equal((await r.end).status, 200);
    c.close();
  });

  it('one empty line before a request is forgiven', async () => {
    const c = await Client.connect(daemon);
    assert.equal((await c.send(`\r\n${request('GET', MODELS)}`, 'GET').end).status, 200);
    c.close();
  });

  it('HTTP/1.0: closed behind the answer, a stream without chunks', async () => {
    const c = await Client.connect(daemon);
    const r = await c.send(`GET ${MODELS} HTTP/1.0\r\n\r\n`, 'GET').end;
    assert.equal(r.status, 200);
    await c.closed;
    const body = JSON.stringify({ ...SIM, stream: true });
    const s = await Client.connect(daemon);
    const stream = await s.send(`POST ${CHAT} HTTP/1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`, 'POST').end;
    assert.equal(stream.headers['transfer-encoding'], undefined);
    assert.equal(dataOf(stream.events).at(-1), '[DONE]');
    assert.ok(stream.complete);
  });

  it('HTTP/1.0 with Connection: keep-alive stays open', async () => {
    const c = await Client.connect(daemon);
    const r = await c.send(`GET ${MODELS} HTTP/1.0\r\nconnection: keep-alive\r\n\r\n`, 'GET').end;
    if (/keep-alive/i.test(r.headers.connection ?? '')) assert.equal((await c.send(`GET ${MODELS} HTTP/1.0\r\n\r\n`, 'GET').end).status, 200);
    else await c.closed;
    c.close();
  });

  it('an idle connection is closed without a word after its time', async () => {
    const c = await Client.connect(tight);
    await c.send(request('GET', MODELS)).end;
    const at = now();
    await within(3000, c.closed, 'the close of an idle connection');
    assert.ok(now() - at > 200);
    assert.equal(c.leftover.length, 0);
  });

  it('more than limits.connections: 503 with retry-after, the others go on, and room is found again', async () => {
    await withDaemon({ limits: { connections: 4 }, sim: { first_token_ms: 0, tokens_per_second: 0, tokens: 5 } }, async (d) => {
      await until(() => d.fds() > 0, 'the daemon');
      const held = [];
      let refused = null;
      for (let i = 0; i < 8 && !refused; i++) {
        const c = await Client.connect(d);
        const r = await c.send(request('GET', '/health')).end;
        if (r.status === 200) held.push(c);
        else refused = { c, r };
      }
      assert.ok(held.length >= 3 && held.length <= 4, `${held.length} were served`);
      envelope(refused.r, 503, null, null);
      assert.ok(Number(refused.r.headers['retry-after']) >= 1);
      await refused.c.closed;
      assert.equal((await held[0].send(request('POST', CHAT, {}, SIM), 'POST').end).status, 200);
      for (const c of held) c.close();
      await until(async () => (await get(d, '/health').catch(() => ({}))).status === 200, 'room');
    });
  });
});

describe('methods and paths', () => {
  it('HEAD: the headers of GET, no body', async () => {
    const c = await Client.connect(daemon);
    const whole = await c.send(request('GET', MODELS)).end;
    const head = await c.send(request('HEAD', MODELS), 'HEAD').end;
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], whole.headers['content-length']);
    assert.equal(head.headers['content-type'], whole.headers['content-type']);
    const missing = await c.send(request('HEAD', '/nowhere'), 'HEAD').end;
    assert.equal(missing.status, 404);
    assert.equal((await c.send(request('GET', MODELS)).end).status, 200);
    c.close();
  });

  it('404 in the envelope', async () => {
    for (const path of ['/v1', '/v1/chat', '/v1/chat/completionsX', '/nowhere?x=1', '/v1/models/nobody']) envelope(await get(daemon, path), 404);
    envelope(await exchange(daemon, 'POST', '/v1/nothing', {}, {}), 404);
  });

  for (const [method, path, allow] of [
    ['POST', MODELS, 'GET, HEAD, OPTIONS'], ['DELETE', '/v1/models/sim', 'GET, HEAD, OPTIONS'], ['PUT', CHAT, 'POST, OPTIONS'],
    ['GET', CHAT, 'POST, OPTIONS'], ['PATCH', '/v1/embeddings', 'POST, OPTIONS'], ['POST', '/health', 'GET, HEAD, OPTIONS'],
  ])
    it(`${method} ${path}: 405 with Allow`, async () => {
      const r = await exchange(daemon, method, path, {}, method === 'POST' || method === 'PUT' ? {} : undefined);
      envelope(r, 405);
      assert.deepEqual(r.headers.allow.split(', ').sort(), allow.split(', ').sort());
    });

  it('queries are ignored, model ids may hold slashes and colons', async () => {
    assert.equal((await exchange(daemon, 'POST', `${CHAT}?beta=true`, {}, SIM)).status, 200);
    for (const path of ['a/b:c', 'a%2Fb%3Ac', 'a%2fb:c?x=y']) assert.equal((await get(daemon, `${MODELS}/${path}`)).json.id, 'a/b:c');
    envelope(await get(daemon, `${MODELS}/%zz`), 400);
  });

  it('health pages', async () => {
    for (const path of ['/health', '/livez', '/readyz']) assert.equal((await get(daemon, path)).status, 200);
    const v = await get(daemon, '/version');
    assert.match(v.json.version, /^\d+\.\d+\.\d+/);
  });

  it('OPTIONS and CORS: configured origins only', async () => {
    const ask = (origin) => exchange(daemon, 'OPTIONS', CHAT, {
      origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization, content-type',
    });
    const ok = await ask('https://app.test');
    assert.ok(ok.status === 204 || ok.status === 200);
    assert.equal(ok.headers['access-control-allow-origin'], 'https://app.test');
    assert.match(ok.headers['access-control-allow-methods'], /POST/);
    assert.match(ok.headers['access-control-allow-headers'], /authorization/);
    assert.match(ok.headers.vary, /origin/i);
    const other = await ask('https://evil.test');
    assert.equal(other.headers['access-control-allow-origin'], undefined);
    const real = await chat(daemon, SIM, { origin: 'https://app.test' });
    assert.equal(real.headers['access-control-allow-origin'], 'https://app.test');
    assert.match(real.headers['access-control-expose-headers'], /x-request-id/);
    const stream = await chat(daemon, { ...SIM, stream: true }, { origin: 'https://app.test' });
    assert.equal(stream.headers['access-control-allow-origin'], 'https://app.test');
    const error = await chat(daemon, '{', { origin: 'https://app.test' });
    assert.equal(error.headers['access-control-allow-origin'], 'https://app.test');
    const none = await chat(tight, SIM, { origin: 'https://app.test' });
    assert.equal(none.headers['access-control-allow-origin'], undefined, 'off unless configured');
  });
});

describe('Expect: 100-continue', () => {
  const body = JSON.stringify(SIM);
  it('100 at once, then the answer', async () => {
    const c = await Client.connect(daemon);
    const r = c.send(request('POST', CHAT, { expect: '100-continue', 'content-length': body.length, 'content-type': 'application/json' }), 'POST');
    await until(() => r.informational.length, 'the 100');
    assert.deepEqual(r.informational, [100]);
    c.write(body);
    assert.equal((await r.end).status, 200);
    c.close();
  });
  it('a head that is refused gets its answer instead', async () => {
    const c = await Client.connect(tight);
    const r = await c.send(request('POST', CHAT, { expect: '100-continue', 'content-length': 10 << 20 }), 'POST').end;
    assert.deepEqual(r.informational, []);
    assert.equal(r.status, 413);
    await c.closed;
  });
  it('is not forwarded', async () => {
    const b = JSON.stringify({ ...SIM, model: 'mock-1' });
    const r = await exchange(daemon, 'POST', CHAT, { expect: '100-continue' }, b);
    assert.equal(r.status, 200);
    assert.equal(up.last.headers.expect, undefined);
  });
});

const tool = (name, args, input) => execFileSync(name, args, { input, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 1 << 28 });
const have = (name) => {
  try {
    tool(name, ['--version'], '');
    return true;
  } catch {
    return false;
  }
};
const noZstd = have('zstd') ? false : 'no zstd command here';

describe('request codings (pitfalls H10)', () => {
  const body = JSON.stringify({ ...SIM, model: 'mock-1', pad: 'é'.repeat(20000), n: 9007199254740993n.toString() });
  const codings = {
    gzip: [zlib.gzipSync],
    'x-gzip': [zlib.gzipSync],
    deflate: [zlib.deflateSync],
    br: [zlib.brotliCompressSync],
    zstd: [(b) => tool('zstd', ['-c', '-q'], b), noZstd],
    'gzip, br': [(b) => zlib.brotliCompressSync(zlib.gzipSync(b))],
    identity: [(b) => Buffer.from(b)],
  };
  for (const [name, [encode, skip]] of Object.entries(codings)) {
    it(name, { skip }, async () => {
      const r = await chat(daemon, encode(Buffer.from(body)), { 'content-encoding': name });
      assert.equal(r.status, 200, r.text);
      assert.equal(up.last.body.toString(), body);
      assert.equal(up.last.headers['content-encoding'], undefined);
    });
    if (name === 'identity') continue;
    it(`${name}: cut short or corrupt is a 400`, { skip }, async () => {
      const bytes = encode(Buffer.from(body));
      envelope(await chat(daemon, bytes.subarray(0, bytes.length - 3), { 'content-encoding': name }), 400);
      envelope(await chat(daemon, 'this is not compressed at all', { 'content-encoding': name }), 400);
    });
    it(`${name}: a bomb is a 413, and memory stays small`, { skip }, async () => {
      const zeros = Buffer.alloc(32 << 20, 32);
      let bomb = encode(zeros);
      assert.ok(bomb.length < 65000, `${bomb.length}`);
      const before = tight.rss();
      const r = await chat(tight, bomb, { 'content-encoding': name });
      bomb = null;
      envelope(r, 413);
      tight.grewLess(12 << 20, before);
      assert.equal((await get(tight, '/health')).status, 200);
    });
  }
  it('unknown codings: 415', async () => {
    for (const c of ['compress', 'lzma', 'gzip, nonsense', 'aes128gcm']) envelope(await chat(daemon, body, { 'content-encoding': c }), 415);
  });
  it('a gzip of several members', async () => {
    const parts = Buffer.concat([zlib.gzipSync(body.slice(0, 100)), zlib.gzipSync(body.slice(100))]);
    const r = await chat(daemon, parts, { 'content-encoding': 'gzip' });
    assert.equal(r.status, 200, r.text);
    assert.equal(up.last.body.toString(), body);
  });
});

describe('limits', () => {
  it('431: a head too large, too many headers', async () => {
    const c = await Client.connect(tight);
    const r = await c.send(request('GET', MODELS, { 'x-pad': 'x'.repeat(5000) })).end;
    envelope(r, 431);
    await c.closed;
    const target = await exchange(tight, 'GET', `/${'x'.repeat(5000)}`);
    assert.ok(target.status === 431 || target.status === 414, `${target.status}`);
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`x-${i}`, '1']));
    envelope(await exchange(daemon, 'GET', MODELS, many), 431);
  });

  it('431 for a head that never ends', async () => {
    const c = await Client.connect(daemon);
    const r = c.send(`GET ${MODELS} HTTP/1.1\r\nhost: a\r\n`, 'GET');
    for (let i = 0; i < 100 && r.status === undefined && !c.ended; i++) {
      c.write(`x: ${'y'.repeat(1000)}\r\n`);
      await sleep(1);
    }
    assert.equal((await r.end).status, 431);
    await c.closed;
  });

  it('413: a sized body before it is read, a chunked one when it passes the limit', async () => {
    const c = await Client.connect(tight);
    const r = await c.send(request('POST', CHAT, { 'content-length': 100000 }), 'POST').end;
    envelope(r, 413);
    assert.equal(r.headers.connection, 'close');
    await c.closed;
    const k = await Client.connect(tight);
    const chunked = k.send(request('POST', CHAT, { 'transfer-encoding': 'chunked' }), 'POST');
    for (let i = 0; i < 100 && chunked.status === undefined && !k.ended; i++) {
      k.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
      await sleep(1);
    }
    envelope(await chunked.end, 413);
    const fits = await chat(tight, { ...SIM, pad: 'x'.repeat(65000) });
    assert.equal(fits.status, 200);
  });

  it('413 although the client goes on sending: the answer arrives', async () => {
    const c = await Client.connect(tight);
    const r = c.send(request('POST', CHAT, { 'content-length': 1 << 20 }), 'POST');
    c.write(Buffer.alloc(1 << 20, 32));
    assert.equal((await r.end).status, 413);
    await c.closed;
  });

  it('408: a head that is too slow', async () => {
    const c = await Client.connect(tight);
    const at = now();
    const r = c.send(`GET ${MODELS} HTTP/1.1\r\nhos`, 'GET');
    const drip = setInterval(() => c.write('t'), 50);
    await r.end;
    clearInterval(drip);
    envelope(r, 408, null, null);
    assert.ok(now() - at > 250, 'not at once');
    await c.closed;
  });

  it('408: a body that stops coming', async () => {
    const c = await Client.connect(tight);
    const r = c.send(request('POST', CHAT, { 'content-length': 100 }), 'POST');
    c.write('{"model":');
    envelope(await r.end, 408, null, null);
    await c.closed;
  });

  it('a body that comes slowly but steadily is fine', async () => {
    const c = await Client.connect(tight);
    const body = JSON.stringify(SIM);
    const r = c.send(request('POST', CHAT, { 'content-length': body.length }), 'POST');
    for (let i = 0; i < 6; i++) {
      c.write(body.slice(i * 8, i * 8 + 8));
      await sleep(120);
    }
    c.write(body.slice(48));
    assert.equal((await r.end).status, 200);
    c.close();
  });

  it('a connection that says nothing is closed', async () => {
    const c = await Client.connect(tight);
    await within(3000, c.closed, 'the close of a silent connection');
  });
});

describe('bad requests', () => {
  const bad = {
    empty: '', blank: '  \r\n', 'no object': '[]', 'a string': '"x"', 'an open object': '{', 'no value': '{"model":}', 'no quotes': '{model:"sim"}',
    'a trailing comma': '{"model":"sim",}', 'two values': '{"model":"sim"}{"model":"sim"}', 'text behind': '{"model":"sim","messages":[]} x',
    'a comment': '{"model":"sim"/**/}', NaN: '{"model":"sim","x":NaN}', 'a leading zero': '{"model":"sim","x":01}', 'a lone minus': '{"model":"sim","x":-}',
    'a dot without digits': '{"model":"sim","x":1.}', 'single quotes': "{'model':'sim'}", 'a raw newline in a string': '{"model":"sim","x":"a\nb"}',
    'a bad escape': '{"model":"sim","x":"\\x"}', 'a short \\u': '{"model":"sim","x":"\\u12"}', 'a cut literal': '{"model":"sim","x":tru}',
    'only the beginning of a string': '{"model":"si',
  };
  for (const [name, body] of Object.entries(bad)) it(`JSON: ${name}`, async () => void envelope(await chat(daemon, body), 400));

  it('invalid UTF-8', async () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      const body = Buffer.concat([Buffer.from('{"model":"sim","messages":[],"x":"'), Buffer.from(bytes), Buffer.from('"}')]);
      envelope(await chat(daemon, body), 400);
    }
  });

  it('depth 128 passes, 129 does not, a million does not either', async () => {
    const deep = (n) => `{"model":"mock-1","messages":[],"x":${'['.repeat(n - 1)}${']'.repeat(n - 1)}}`;
    assert.equal((await chat(daemon, deep(128))).status, 200);
    assert.equal(up.last.body.toString(), deep(128));
    envelope(await chat(daemon, deep(129)), 400);
    envelope(await chat(daemon, deep(1000000)), 400);
    envelope(await chat(daemon, `{"model":"sim","x":${'{"a":'.repeat(200000)}1${'}'.repeat(200000)}}`), 400);
  });

  it('model: missing, of a wrong type, twice, unknown', async () => {
    assert.equal(envelope(await chat(daemon, { messages: [] }), 400).param, 'model');
    for (const model of ['1', 'null', '{}', '["sim"]', 'true']) assert.equal(envelope(await chat(daemon, `{"model":${model},"messages":[]}`), 400).param, 'model');
    assert.equal(envelope(await chat(daemon, '{"model":"sim","messages":[],"model":"sim"}'), 400).param, 'model');
    assert.equal(envelope(await chat(daemon, '{"model":"sim","messages":[],"mod\\u0065l":"mock-1"}'), 400).param, 'model');
    envelope(await chat(daemon, { ...SIM, model: 'nobody' }), 404, 'model_not_found');
    const none = await chat(daemon, { ...SIM, model: '' });
    envelope(none, none.status === 404 ? 404 : 400);
    envelope(await chat(daemon, { ...SIM, model: 'x\r\nX-Injected: 1\r\n\r\n' }), 404, 'model_not_found');
    envelope(await chat(daemon, { ...SIM, model: 'n'.repeat(100000) }), 404, 'model_not_found');
  });

  it('stream: of a wrong type, twice', async () => {
    assert.equal(envelope(await chat(daemon, { ...SIM, stream: 'yes' }), 400).param, 'stream');
    assert.equal(envelope(await chat(daemon, '{"model":"sim","messages":[],"stream":true,"stream":false}'), 400).param, 'stream');
    assert.equal((await chat(daemon, { ...SIM, stream: null })).headers['content-type'], 'application/json');
  });

  it('sim: messages missing, x-triglot-sim with a bad key', async () => {
    assert.equal(envelope(await chat(daemon, { model: 'sim' }), 400).param, 'messages');
    assert.equal(envelope(await chat(daemon, SIM, { 'x-triglot-sim': 'nonsense=1' }), 400).param, 'x-triglot-sim');
    assert.equal(envelope(await chat(daemon, SIM, { 'x-triglot-sim': 'tokens=many' }), 400).param, 'x-triglot-sim');
  });

  it('the connection goes on after a refused body', async () => {
    const c = await Client.connect(daemon);
    envelope(await c.send(request('POST', CHAT, {}, '{'), 'POST').end, 400);
    assert.equal((await c.send(request('POST', CHAT, {}, SIM), 'POST').end).status, 200);
    c.close();
  });

  it('wide bodies: a million keys, and colliding ones', async () => {
    const keys = Array.from({ length: 200000 }, (_, i) => `"k${i % 7}":${i}`).join();
    assert.equal((await chat(daemon, `{"model":"mock-1","messages":[],${keys}}`)).status, 200);
    const long = 'x'.repeat(8 << 20);
    assert.equal((await chat(daemon, { ...SIM, model: 'mock-1', messages: [{ role: 'user', content: long }] })).status, 200);
  });

  it('others are not disturbed meanwhile', async () => {
    const { client, response } = await open(daemon, { ...SIM, stream: true }, { 'x-triglot-sim': 'tokens=20,tokens_per_second=100' });
    await response.head;
    for (const body of Object.values(bad)) await chat(daemon, body);
    const end = await response.end;
    assert.equal(dataOf(end.events).at(-1), '[DONE]');
    assert.ok(end.complete);
    client.close();
  });
});
