// Answers in another dialect than the request's (x-response-format), and what clients are told of an upstream's errors
// beyond their own dialect's words. The rows of requirements that a test stands for are in its name.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { start } from './lib/daemon.mjs';
import { TEXT } from './lib/model.mjs';
import { provider } from './lib/provider.mjs';
import { Upstream } from './lib/upstream.mjs';
import { deferred, within } from './lib/util.mjs';

const DIALECTS = ['chat', 'responses', 'messages'];
const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' };
const KEY = 'sk-of-the/upstream-42';
const TOOL = { type: 'object', properties: { city: { type: 'string' } } };
const BODY = {
  chat: { max_completion_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] },
  responses: { max_output_tokens: 64, input: 'Hi' },
  messages: { max_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] },
};
const LAST = { chat: /data: \[DONE\]\n\n$/, responses: /event: response\.completed\ndata: .*\n\n(data: \[DONE\]\n\n)?$/, messages: /event: message_stop\ndata: .*\n\n$/ };
const WHOLE = { chat: 'chat.completion', responses: 'response', messages: 'message' };
const TOOLS = {
  chat: { tools: [{ type: 'function', function: { name: 'get_weather', description: 'Looks.', parameters: TOOL, strict: false } }] },
  responses: { tools: [{ type: 'function', name: 'get_weather', description: 'Looks.', parameters: TOOL, strict: false }] },
  messages: { tools: [{ name: 'get_weather', description: 'Looks.', input_schema: TOOL, strict: false }] },
};

// What the scripted upstream fails with: {status, body, type}, set by the test.
let failure;
const world = {};

async function failing(req, peer) {
  const { status = 400, body, type = 'application/json', headers = {} } = failure;
  return peer.answer(status, typeof body === 'string' ? body : JSON.stringify(body), { 'content-type': type, ...headers });
}

before(async () => {
  world.up = await Upstream.listen(provider);
  world.bad = await Upstream.listen(failing);
  const to = (name, up, dialect) => ({ name, url: up.url, dialect, key: KEY });
  const config = {
    heartbeat_seconds: 0.1,
    sim: { first_token_ms: 0, tokens_per_second: 0, tokens: 20 },
    upstreams: [...DIALECTS.map((d) => to(d, world.up, d)), ...DIALECTS.map((d) => to(`bad-${d}`, world.bad, d))],
    models: [...DIALECTS.map((d) => ({ name: `${d}-*`, upstream: d })), ...DIALECTS.map((d) => ({ name: `bad-${d}`, upstream: `bad-${d}` }))],
  };
  world.daemon = await start({ ...config, debug: { upstream_error_header: true } });
  world.quiet = await start(config);
});
after(async () => {
  await world.daemon?.finish();
  await world.quiet?.finish();
  await world.up?.close();
  await world.bad?.close();
  assert.deepEqual(world.up.complaints ?? [], [], 'requests that the upstream dialect does not allow');
});

async function ask(path, body, headers = {}, daemon = world.daemon) {
  const r = await fetch(daemon.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  let text = '';
  let json;
  try {
    for await (const b of r.body.pipeThrough(new TextDecoderStream())) text += b;
  } catch (e) {
    if (e.message !== 'terminated') throw e; // an error in mid-stream ends the connection, not the body
  }
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: r.status, headers: r.headers, text, json };
}

const wanted = (dialect) => ({ 'x-response-format': dialect });
// What differs between two runs of the same thing.
const plain = (text) =>
  text
    .replace(/"(id|item_id|request_id)":"(chatcmpl|resp|msg|rs|fc)[-_][^"]*"/g, '"$1":"$2"')
    .replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0');

// --- answers in another dialect -----------------------------------------------------------------

describe('x-response-format: the answer is what its own endpoint would have said (D-51, D-61)', () => {
  for (const asked of DIALECTS)
    for (const told of DIALECTS)
      for (const stream of [true, false])
        it(`asked in ${asked}, told in ${told}, ${stream ? 'stream' : 'whole'}`, async () => {
          const models = ['sim', ...DIALECTS.flatMap((d) => [`${d}-text`, `${d}-two`, `${d}-think`])];
          for (const model of models) {
            const tools = model.endsWith('-two');
            const of = (d) => ({ model, stream, ...BODY[d], ...(tools ? TOOLS[d] : {}), ...(d === 'chat' && asked === 'chat' ? { stream_options: stream ? { include_usage: true } : undefined } : {}) });
            const sim = { 'x-triglot-sim': 'seed=7,tokens=12' };
            const got = await ask(PATHS[asked], of(asked), { ...sim, ...wanted(told) });
            assert.equal(got.status, 200, `${model}: ${got.text}`);
            if (stream) assert.match(got.text, LAST[told], model);
            else assert.equal(got.json.object ?? got.json.type, WHOLE[told], model);
            // An upstream that speaks the answer's dialect is relayed by the endpoint of that dialect: other bytes, the same answer.
            const relayed = model.startsWith(`${told}-`);
            if (relayed && asked !== told) {
              if (model.endsWith('-text') && !stream) assert.ok(got.text.includes(JSON.stringify(TEXT).slice(1, -1)), got.text);
              continue;
            }
            const want = await ask(PATHS[told], { ...of(told), ...(told === 'chat' && stream ? { stream_options: { include_usage: asked !== 'chat' || of(asked).stream_options?.include_usage } } : {}) }, sim);
            assert.equal(want.status, 200, want.text);
            assert.equal(plain(got.text), plain(want.text), model);
            assert.equal(got.headers.get('content-type'), want.headers.get('content-type'));
            if (told === 'messages') assert.equal(got.headers.get('request-id'), got.headers.get('x-request-id'));
          }
        });

  it('the request goes to the upstream as it would without the header', async () => {
    for (const up of DIALECTS) {
      await ask(PATHS.chat, { model: `${up}-text`, ...BODY.chat }, wanted('responses'));
      assert.equal(world.up.last.path.replace(/^\/v1/, ''), { chat: '/chat/completions', responses: '/responses', messages: '/messages' }[up]);
      assert.ok(!('x-response-format' in world.up.last.headers));
    }
  });

  it('errors in the answer’s dialect: before it, in it, and in what it cannot hold', async () => {
    for (const asked of DIALECTS)
      for (const told of DIALECTS.filter((d) => d !== asked)) {
        const unknown = await ask(PATHS[asked], { model: 'nobody', ...BODY[asked] }, wanted(told));
        assert.equal(unknown.status, 404);
        assert.equal(unknown.json.type === 'error', told === 'messages', unknown.text);
        for (const up of DIALECTS) {
          const r = await ask(PATHS[asked], { model: `${up}-error-429`, ...BODY[asked] }, wanted(told));
          assert.equal(r.status, 429, r.text);
          if (told === 'messages') assert.equal(r.json.error.type, 'rate_limit_error');
          else assert.ok('code' in r.json.error, r.text);
          const midway = await ask(PATHS[asked], { model: `${up}-midway`, stream: true, ...BODY[asked] }, wanted(told));
          const last = midway.text.trimEnd().split('\n\n').at(-1);
          if (told === 'chat') assert.match(last, /^data: \{"error":/);
          else assert.match(last, told === 'messages' ? /^event: error\n/ : /^event: response\.failed\n/);
        }
      }
    for (const told of ['responses', 'messages'])
      for (const model of ['sim', 'chat-text']) {
        const r = await ask(PATHS.chat, { model, n: 2, ...BODY.chat }, wanted(told));
        assert.equal(r.status, 400, r.text);
        assert.match(r.text, /x-response-format/);
      }
  });

  it('an unknown name is refused, and nothing is sent', async () => {
    const n = world.up.requests.length;
    for (const asked of DIALECTS) {
      const r = await ask(PATHS[asked], { model: 'chat-text', ...BODY[asked] }, wanted('telegraph'));
      assert.equal(r.status, 400);
      if (asked === 'messages') assert.match(r.json.error.message, /x-response-format.*chat, messages, responses/);
      else assert.equal(r.json.error.param, 'x-response-format');
    }
    assert.equal(world.up.requests.length, n);
  });

  it('signs of life are the answer’s dialect’s, and the log has the request’s', async () => {
    world.up.gates = [deferred(), deferred()];
    const response = await fetch(world.daemon.url + PATHS.chat, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...wanted('messages') },
      body: JSON.stringify({ model: 'chat-pause', stream: true, ...BODY.chat }),
    });
    world.up.gates[0].resolve();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: ping\n')) {
      const { value, done } = await within(5000, reader.read(), 'a ping');
      assert.ok(!done, text);
      text += value;
    }
    world.up.gates[1].resolve();
    for (let r; !(r = await within(5000, reader.read(), 'the end')).done; ) text += r.value;
    assert.match(text, /event: message_stop\n/);
    const line = await world.daemon.access(response.headers.get('x-request-id'));
    assert.equal(line.dialect_in, 'chat');
  });
});

// --- an upstream's error as it was --------------------------------------------------------------

describe('error.openai of a Messages client (C-05)', () => {
  const told = { message: 'Rate limit reached for m in tokens.', type: 'tokens', param: null, code: 'rate_limit_exceeded' };
  for (const up of ['chat', 'responses'])
    it(`from a ${up} upstream`, async () => {
      failure = { status: 429, body: { error: { code: told.code, secret: 'no', ...told } }, headers: { 'retry-after': '3' } };
      const answers = [];
      for (const stream of [false, true]) {
        const r = await ask(PATHS.messages, { model: `bad-${up}`, stream, ...BODY.messages });
        assert.equal(r.status, 429);
        assert.equal(r.headers.get('retry-after'), '3');
        assert.equal(r.json.error.type, 'rate_limit_error');
        assert.equal(JSON.stringify(r.json.error.openai), JSON.stringify(told), 'these four, in this order');
        answers.push(r.text.replace(r.json.request_id, ''));
      }
      assert.equal(answers[0], answers[1], 'always the same bytes');

      failure = { status: 400, body: { error: { message: 'é'.repeat(5000), type: 'x'.repeat(5000), param: { deep: [1] }, code: 7 } } };
      const long = (await ask(PATHS.messages, { model: `bad-${up}`, ...BODY.messages })).json.error.openai;
      assert.equal(long.message, 'é'.repeat(512));
      assert.equal(long.type, 'x'.repeat(256));
      assert.deepEqual([long.param, long.code], [{ deep: [1] }, 7]);
    });

  it('in mid-stream and in place of an answer', async () => {
    const record = { error: told };
    failure = { status: 200, body: `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] })}\n\ndata: ${JSON.stringify(record)}\n\n`, type: 'text/event-stream' };
    const r = await ask(PATHS.messages, { model: 'bad-chat', stream: true, ...BODY.messages });
    const last = JSON.parse(r.text.match(/event: error\ndata: (.*)\n\n$/)[1]);
    assert.deepEqual(last.error.openai, told);
    failure = { status: 200, body: record };
    assert.deepEqual((await ask(PATHS.messages, { model: 'bad-responses', ...BODY.messages })).json.error.openai, told);
  });

  it('only what an upstream of that kind said, and nothing about credentials', async () => {
    const none = async (model) => {
      const r = await ask(PATHS.messages, { model, ...BODY.messages });
      assert.ok(r.status >= 400);
      assert.equal(r.json.type, 'error');
      assert.ok(!('openai' in r.json.error), r.text);
    };
    failure = { status: 401, body: { error: { message: `Incorrect API key provided: ${KEY}`, type: 'invalid_request_error', param: null, code: 'invalid_api_key' } } };
    await none('bad-chat');
    failure = { status: 500, body: '<html>', type: 'text/html' };
    await none('bad-chat');
    failure = { status: 429, body: { type: 'error', error: { type: 'rate_limit_error', message: 'slow' } } };
    await none('bad-messages');
    await none('nobody');
    failure = { status: 429, body: { error: told } };
    const chat = await ask(PATHS.chat, { model: 'bad-responses', ...BODY.chat });
    assert.deepEqual(Object.keys(chat.json.error).sort(), ['code', 'message', 'param', 'type']);
  });
});

describe('x-upstream-error (D-62)', () => {
  const body = { error: { message: 'No such thing — é.', type: 'invalid_request_error', param: null, code: null } };
  const shown = (r) => r.headers.get('x-upstream-error') && Buffer.from(r.headers.get('x-upstream-error'), 'base64url').toString();

  for (const asked of DIALECTS)
    for (const up of DIALECTS)
      it(`${asked} to ${up}`, async () => {
        for (const stream of [false, true]) {
          failure = { body };
          const r = await ask(PATHS[asked], { model: `bad-${up}`, stream, ...BODY[asked] });
          assert.equal(r.status >= 400, true);
          assert.equal(shown(r), JSON.stringify(body));
          assert.equal(r.headers.get('x-upstream-error-truncated'), null);
          const quiet = await ask(PATHS[asked], { model: `bad-${up}`, stream, ...BODY[asked] }, {}, world.quiet);
          assert.equal(quiet.headers.get('x-upstream-error'), null, 'off by default');
        }
      });

  it('is cut at 4 KiB, and is there for bodies of no dialect', async () => {
    failure = { status: 502, body: `<html>${'x'.repeat(9000)}`, type: 'text/html' };
    const r = await ask(PATHS.chat, { model: 'bad-chat', ...BODY.chat });
    assert.equal(r.headers.get('x-upstream-error').length, 4096);
    assert.equal(shown(r), failure.body.slice(0, 3072));
    assert.equal(r.headers.get('x-upstream-error-truncated'), 'true');
  });

  it('never holds the key', async () => {
    for (const text of [`{"error":{"message":"bad key ${KEY}"}}`, `{"error":{"message":"bad key ${KEY.replace('/', '\\/')}"}}`, `${'x'.repeat(5000)}${KEY}`])
      for (const model of ['bad-chat', 'bad-messages']) {
        failure = { status: 403, body: text };
        const r = await ask(PATHS.chat, { model, ...BODY.chat });
        assert.equal(r.headers.get('x-upstream-error'), null);
      }
  });

  it('is not on answers, nor on errors of the gateway', async () => {
    for (const model of ['chat-text', 'messages-text', 'nobody']) assert.equal((await ask(PATHS.chat, { model, ...BODY.chat })).headers.get('x-upstream-error'), null);
  });
});

// --- what Chat clients may also write -----------------------------------------------------------

describe('Chat requests in other words', () => {
  const sent = async (extra) => {
    const r = await ask(PATHS.chat, { model: 'responses-text', messages: [{ role: 'user', content: 'x' }], ...extra });
    assert.equal(r.status, 200, r.text);
    return world.up.last.json;
  };
  it('reasoning as an object, and the limit’s names (D-31)', async () => {
    const q = await sent({ reasoning: { effort: 'high', summary: 'auto' }, max_response_tokens: 50, max_tokens: 60 });
    assert.deepEqual(q.reasoning, { effort: 'high', summary: 'auto' });
    assert.equal(q.max_output_tokens, 50);
    assert.equal((await sent({ max_completion_tokens: 70, max_response_tokens: 50 })).max_output_tokens, 70);
    const r = await ask(PATHS.chat, { model: 'responses-text', messages: [{ role: 'user', content: 'x' }], reasoning_effort: 'low', reasoning: { effort: 'high' } });
    assert.equal(r.status, 400);
    assert.equal(r.json.error.param, 'reasoning.effort');
  });
  it('a schema without its envelope (D-33)', async () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } } };
    for (const response_format of [{ type: 'json_schema', schema }, { type: 'json_schema', json_schema: schema }, { type: 'json_schema', json_schema: { schema } }]) {
      const { format } = (await sent({ response_format })).text;
      assert.deepEqual([format.type, format.name, format.schema], ['json_schema', 'response', schema]);
    }
    for (const name of ['a b', 'n'.repeat(65)]) {
      const r = await ask(PATHS.chat, { model: 'responses-text', messages: [{ role: 'user', content: 'x' }], response_format: { type: 'json_schema', json_schema: { name, schema } } });
      assert.equal(r.status, 400);
      assert.equal(r.json.error.param, 'response_format.json_schema.name');
    }
  });
});
