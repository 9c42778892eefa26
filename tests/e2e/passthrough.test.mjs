// Same dialect on both sides: what reaches the upstream and what comes back, byte for byte.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { start } from './lib/daemon.mjs';
import { record, textChunks, USAGE } from './lib/model.mjs';
import { chat, exchange } from './lib/raw.mjs';
import { Upstream, chunked } from './lib/upstream.mjs';

const CLIENT_KEY = 'sk-client-canary';
const UP_KEY = 'sk-upstream-canary';

let up;
let daemon;
let answer; // (req, peer) => ...

const WHOLE = Buffer.from(
  '\n { "id":"chatcmpl-1" ,"object":"chat.completion","created": 1.7e9,"model":"m","choices":[{"index":0,"message":' +
    '{"role":"assistant","content":"h\\u00e9 \\ud83d\\ude00 😀 \\/","refusal":null},"finish_reason":"stop"}],' +
    '"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14},"x":9007199254740993,"x":1e400,"deep":[[[[]]]]}\r\n ',
);

before(async () => {
  up = await Upstream.listen((req, peer) => answer(req, peer));
  daemon = await start(
    {
      upstreams: [
        { name: 'keyed', url: up.url, dialect: 'chat', key: '${UP_KEY}' },
        { name: 'keyless', url: up.url, dialect: 'chat' },
      ],
      models: [
        { name: 'as-is-*', upstream: 'keyed' },
        { name: 'free-*', upstream: 'keyless' },
        { name: 'alias', upstream: 'keyed', model: 'real/model-with-a-long-name' },
        { name: 'quoted', upstream: 'keyed', model: 'a"b\\c😀' },
      ],
    },
    { env: { UP_KEY } },
  );
});
after(async () => {
  await daemon?.finish();
  await up?.close();
});

const whole = (bytes = WHOLE, headers = {}) => (req, peer) => peer.answer(200, bytes, headers);
const streamed = (text, headers = {}) => (req, peer) => peer.stream([text], headers);
const nest = (n, inner = '') => '['.repeat(n) + inner + ']'.repeat(n);

// A body that a careless gateway would change.
const odd = (model, more = '') =>
  `\r\n{ "messages" :\t[ {"role":"user","content":"h\\u00e9 \\ud83d\\ude00 😀 \\/ \\"q\\" \\u0000 \u2028"} ] ,"big":9007199254740993,\n` +
  `  "huge":1e400,"tiny":-0.0,"exp":1.0E+2 , "dup":1,"dup":{"dup":2,"dup":[]},"deep":${nest(100, '9007199254740993')},\n` +
  `"model" :  ${model} ,"temperature":0.10,"":{"":null},"\\u006dodel2":"x","key order":{"b":1,"a":2}${more}}  \n`;

describe('requests', () => {
  before(() => (answer = whole()));

  it('a body whose model is not renamed is not touched', async () => {
    const body = odd('"as-is-1"');
    const r = await chat(daemon, body);
    assert.equal(r.status, 200, r.text);
    assert.equal(up.last.body.toString(), body);
  });

  it('renaming replaces the bytes of the model and nothing else', async () => {
    await chat(daemon, odd('"alias"'));
    assert.equal(up.last.body.toString(), odd('"real/model-with-a-long-name"'));
    await chat(daemon, odd('"al\\u0069as"'));
    assert.equal(up.last.body.toString(), odd('"real/model-with-a-long-name"'), 'an escaped name is the same name');
    await chat(daemon, odd('"quoted"'));
    assert.equal(JSON.parse(up.last.body.toString().replace('1e400', '1')).model, 'a"b\\c😀');
  });

  it('only the model of the top level is meant', async () => {
    const body = '{"x":{"model":"alias"},"messages":[{"role":"user","content":"\\"model\\":\\"alias\\"","model":"alias"}],"model":"alias"}';
    await chat(daemon, body);
    const want = body.slice(0, body.lastIndexOf('"alias"')) + '"real/model-with-a-long-name"}';
    assert.equal(up.last.body.toString(), want);
  });

  it('a large body', async () => {
    const body = `{"model":"alias","messages":[{"role":"user","content":"${'0123456789é'.repeat(300000)}"}]}`;
    assert.equal((await chat(daemon, body)).status, 200);
    assert.equal(up.last.body.toString(), body.replace('"alias"', '"real/model-with-a-long-name"'));
  });

  it('embeddings too', async () => {
    const bytes = Buffer.from('{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[1e-400]}],"model":"e","usage":{"prompt_tokens":1,"total_tokens":1}}');
    answer = whole(bytes);
    const body = '{"input" : [1, 2,3.0], "model":"alias","x":9007199254740993}';
    const r = await exchange(daemon, 'POST', '/v1/embeddings', {}, body);
    assert.equal(up.last.path, '/v1/embeddings');
    assert.equal(up.last.body.toString(), body.replace('"alias"', '"real/model-with-a-long-name"'));
    assert.deepEqual(r.bytes, bytes);
    answer = whole();
  });
});

// What was put in between a common beginning and a common end.
function inserted(from, to) {
  let a = 0;
  while (a < from.length && from[a] === to[a]) a++;
  let b = 0;
  while (b < from.length - a && from[from.length - 1 - b] === to[to.length - 1 - b]) b++;
  return { put: to.slice(a, to.length - b), taken: from.slice(a, from.length - b) };
}

describe('streams ask the upstream for usage', () => {
  before(() => (answer = streamed(textChunks('m', { usage: true }).map(record).join('') + record('[DONE]'))));

  const usageAsked = (text) => assert.equal(JSON.parse(text.replace('1e400', '1')).stream_options.include_usage, true);
  const withoutOptions = (text) => {
    const o = JSON.parse(text.replace('1e400', '1'));
    delete o.stream_options;
    return o;
  };

  it('no stream_options: one is put in, all else stays', async () => {
    const body = odd('"as-is-1"', ',"stream": true');
    assert.equal((await chat(daemon, body)).status, 200);
    const sent = up.last.body.toString();
    const { put, taken } = inserted(body, sent);
    assert.equal(taken, '');
    assert.ok(put.length <= 50, put);
    usageAsked(sent);
    assert.deepEqual(withoutOptions(sent), withoutOptions(body));
  });

  for (const options of [
    '{}', '{ }', '{"include_obfuscation":false}', '{"include_usage":false,"x":1e2}', '{ "x":1 , "include_usage" : null }', 'null',
  ])
    it(`stream_options: ${options}`, async () => {
      const body = `{"stream":true, "model":"alias" ,"stream_options": ${options} ,"messages":[], "n":9007199254740993}`;
      assert.equal((await chat(daemon, body)).status, 200);
      const sent = up.last.body.toString();
      usageAsked(sent);
      const renamed = body.replace('"alias"', '"real/model-with-a-long-name"');
      const { put, taken } = inserted(renamed, sent);
      assert.ok(['', 'false', 'null'].some((s) => s.includes(taken) || taken.length <= options.length), `took ${taken}, put ${put}`);
      assert.deepEqual(withoutOptions(sent), withoutOptions(renamed));
      assert.ok(sent.includes('"n":9007199254740993}'));
      for (const k of ['x', 'include_obfuscation'])
        assert.equal(JSON.parse(sent).stream_options[k], JSON.parse(body).stream_options?.[k]);
    });

  it('include_usage asked by the client: not touched', async () => {
    const body = odd('"as-is-1"', ',"stream":true,"stream_options":{ "include_usage" : true }');
    assert.equal((await chat(daemon, body)).status, 200);
    assert.equal(up.last.body.toString(), body);
  });

  it('stream: false: not touched', async () => {
    answer = whole();
    const body = odd('"as-is-1"', ',"stream" : false');
    assert.equal((await chat(daemon, body)).status, 200);
    assert.equal(up.last.body.toString(), body);
  });
});

describe('responses', () => {
  const ask = (extra) => chat(daemon, { model: 'alias', messages: [], ...extra });

  it('a whole answer, byte for byte', async () => {
    answer = whole();
    const r = await ask();
    assert.deepEqual(r.bytes, WHOLE);
    assert.equal(r.headers['content-type'], 'application/json');
    assert.equal(Number(r.headers['content-length']), WHOLE.length);
    const line = await daemon.access(r.headers['x-request-id']);
    assert.equal(line.tokens_in, 9);
    assert.equal(line.tokens_out, 5);
    assert.equal(line.model, 'alias');
  });

  it('a whole answer that comes chunked, and one delimited by close', async () => {
    answer = async (req, peer) => {
      await peer.write(peer.head(200, { 'content-type': 'application/json; charset=utf-8', 'transfer-encoding': 'chunked' }));
      for (let i = 0; i < WHOLE.length; i += 7) await peer.chunk(WHOLE.subarray(i, i + 7));
      await peer.lastChunk();
    };
    assert.deepEqual((await ask()).bytes, WHOLE);
    answer = async (req, peer) => {
      await peer.write(peer.head(200, { 'content-type': 'application/json' }));
      await peer.write(WHOLE);
      peer.end();
    };
    assert.deepEqual((await ask()).bytes, WHOLE);
  });

  // Numbers, escapes, white space, unknown fields, multi-line data, an event name: all legal in a stream.
  const STREAM =
    'data: {"id":"c" ,"object":"chat.completion.chunk","created":1.7e9,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x":9007199254740993,"x":1e400}\n\n' +
    'data:{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"h\\u00e9 \\ud83d\\ude00 😀\\/"},"finish_reason":null}],"obfuscation":"aaaa"}\n\n' +
    'event: message\ndata: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",\ndata:  "choices":[{"index":0,"delta":{"content":"x","reasoning_content":"r"},"finish_reason":null}]}\n\n' +
    `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"deep":${nest(60)}}\n\n`;
  const USAGE_RECORD = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":${JSON.stringify(USAGE)}}\n\n`;
  const DONE = 'data: [DONE]\n\n';

  it('a stream, byte for byte', async () => {
    answer = streamed(STREAM + DONE);
    const r = await ask({ stream: true });
    assert.equal(r.text, STREAM + DONE);
    assert.equal(r.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.match(r.headers['cache-control'], /no-cache/);
    assert.equal(r.headers['x-accel-buffering'], 'no');
    assert.equal(r.headers['content-length'], undefined);
    assert.ok(r.complete);
  });

  it('the usage chunk: kept for a client that asked, removed for one that did not, counted for both', async () => {
    answer = streamed(STREAM + USAGE_RECORD + DONE);
    const asked = await ask({ stream: true, stream_options: { include_usage: true } });
    assert.equal(asked.text, STREAM + USAGE_RECORD + DONE);
    const not = await ask({ stream: true });
    assert.equal(not.text, STREAM + DONE);
    for (const r of [asked, not]) assert.equal((await daemon.access(r.headers['x-request-id'])).tokens_out, 5);
  });

  it('many records in one chunk, and a record in many chunks', async () => {
    const all = Array.from({ length: 500 }, (_, i) => STREAM.split('\n\n')[1].replace('"aaaa"', `"${i}"`) + '\n\n').join('') + STREAM + DONE;
    answer = streamed(all);
    assert.equal((await ask({ stream: true })).text, all);
    answer = async (req, peer) => {
      await peer.streamHead();
      for (let i = 0; i < STREAM.length; i += 50) await peer.write(chunked(STREAM.slice(i, i + 50)));
      await peer.chunk(DONE);
      await peer.lastChunk();
    };
    assert.equal((await ask({ stream: true })).text, STREAM + DONE);
  });

  it('one record of 3 MB', async () => {
    const big = `data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(3 << 20)}"},"finish_reason":"stop"}]}\n\n` + DONE;
    answer = streamed(big);
    const r = await ask({ stream: true });
    assert.equal(r.text.length, big.length);
    assert.ok(r.text === big);
  });

  it('errors keep their bytes and status', async () => {
    const body = Buffer.from(' {"error" : {"message":"h\\u00e9","type":"x_type","param":null,"code":null,"extra":1e400}}\n');
    for (const status of [400, 404, 418, 429, 500, 529]) {
      answer = (req, peer) => peer.answer(status, body, { 'retry-after': '3' });
      for (const stream of [false, true]) {
        const r = await ask({ stream });
        assert.equal(r.status, status);
        assert.deepEqual(r.bytes, body);
        assert.equal(r.headers['retry-after'], '3');
        assert.equal(r.headers['content-type'], 'application/json');
      }
    }
  });
});

describe('headers', () => {
  const body = { model: 'as-is-1', messages: [] };
  before(() => (answer = whole(WHOLE, {
    'x-request-id': 'req_upstream', 'set-cookie': 'session=1', server: 'up/1', 'x-ratelimit-limit-tokens': '100', 'x-ratelimit-reset-requests': '6m0s',
    'openai-processing-ms': '12', 'x-goog-api-key': 'leak', location: 'http://elsewhere.test/',
  })));

  it("the client's credentials are replaced by the upstream's key", async () => {
    await chat(daemon, body, {
      authorization: `Bearer ${CLIENT_KEY}`, 'x-api-key': CLIENT_KEY, 'api-key': CLIENT_KEY, cookie: `k=${CLIENT_KEY}`,
      'proxy-authorization': `Basic ${CLIENT_KEY}`,
    });
    assert.equal(up.last.headers.authorization, `Bearer ${UP_KEY}`);
    assert.ok(!up.last.rawHead.includes(CLIENT_KEY), up.last.rawHead.toString());
  });

  it('an upstream without a key gets none', async () => {
    await chat(daemon, { ...body, model: 'free-1' }, { authorization: `Bearer ${CLIENT_KEY}` });
    assert.equal(up.last.headers.authorization, undefined);
    assert.ok(!up.last.rawHead.includes(CLIENT_KEY));
  });

  it('one host, one length, no transfer coding, identity asked, no hop-by-hop headers', async () => {
    await chat(daemon, body, { 'accept-encoding': 'gzip, br', connection: 'keep-alive, x-hop', 'x-hop': '1', te: 'trailers', 'keep-alive': 'timeout=5' });
    const { list, headers, method, path } = up.last;
    const names = list.map(([k]) => k);
    assert.equal(`${method} ${path}`, 'POST /v1/chat/completions');
    for (const once of ['host', 'content-length', 'content-type']) assert.equal(names.filter((n) => n === once).length, 1, once);
    for (const never of ['transfer-encoding', 'te', 'keep-alive', 'x-hop', 'upgrade', 'expect', 'content-encoding']) assert.ok(!names.includes(never), never);
    assert.equal(headers.host, `127.0.0.1:${up.port}`);
    assert.equal(headers['accept-encoding'] ?? 'identity', 'identity');
  });

  it('response headers are a chosen few', async () => {
    const r = await chat(daemon, body);
    assert.equal(r.headers['x-ratelimit-limit-tokens'], '100');
    assert.equal(r.headers['x-ratelimit-reset-requests'], '6m0s');
    assert.equal(r.headers['openai-processing-ms'], '12');
    assert.equal(r.headers['x-upstream-request-id'], 'req_upstream');
    for (const never of ['set-cookie', 'server', 'x-goog-api-key', 'location']) assert.equal(r.headers[never], undefined, never);
  });

  describe('x-request-id', () => {
    it('a valid one is kept, returned, forwarded and logged', async () => {
      const id = 'Req_1.2-' + 'a'.repeat(120);
      const r = await chat(daemon, body, { 'x-request-id': id });
      assert.equal(r.headers['x-request-id'], id);
      assert.equal(up.last.headers['x-request-id'], id);
      assert.equal((await daemon.access(id)).status, 200);
    });
    for (const [what, id] of [['absent', null], ['too long', 'a'.repeat(129)], ['with a space', 'a b'], ['with a quote', 'a"b'], ['not ASCII', 'caf\xe9']])
      it(`${what}: a new one is made`, async () => {
        const r = await chat(daemon, body, id === null ? {} : { 'x-request-id': id });
        const made = r.headers['x-request-id'];
        assert.match(made, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.equal(up.last.headers['x-request-id'], made);
        await daemon.access(made);
      });
    it('errors and streams carry one too', async () => {
      assert.ok((await chat(daemon, '{')).headers['x-request-id']);
      answer = streamed(record({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) + record('[DONE]'));
      assert.equal((await chat(daemon, { ...body, stream: true }, { 'x-request-id': 'stream-1' })).headers['x-request-id'], 'stream-1');
    });
  });
});
