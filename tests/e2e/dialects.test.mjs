// What the three dialects share besides the pairs: the simulated model, lists of models, paths, credentials, ids,
// heartbeats, errors in the client's words, and POST /v1/convert.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clients, collect, follow } from './lib/clients.mjs';
import { start } from './lib/daemon.mjs';
import { TEXT } from './lib/model.mjs';
import { provider } from './lib/provider.mjs';
import { Upstream } from './lib/upstream.mjs';
import { deferred, sleep, within } from './lib/util.mjs';

const UPSTREAMS = ['chat', 'responses', 'messages'];
const VERSION = { 'anthropic-version': '2023-06-01' };
const WEATHER = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};
const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};

const TYPES = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'not_found_error', 429: 'rate_limit_error',
  500: 'api_error', 503: 'overloaded_error', 529: 'overloaded_error',
};

const world = {};
before(async () => {
  world.up = await Upstream.listen(provider);
  world.daemon = await start({
    heartbeat_seconds: 0.1,
    sim: { first_token_ms: 0, tokens_per_second: 0, tokens: 20 },
    upstreams: UPSTREAMS.map((dialect) => ({ name: dialect, url: world.up.url, dialect, key: 'sk-up' })),
    models: [
      ...UPSTREAMS.map((dialect) => ({ name: `${dialect}-*`, upstream: dialect })),
      { name: 'org/model:tag', upstream: 'messages', model: 'messages-text' },
    ],
  });
});
after(async () => {
  await world.daemon?.finish();
  await world.up?.close();
  assert.deepEqual(world.up.complaints ?? [], [], 'requests that the upstream dialect does not allow');
});

const BODY = {
  '/chat/completions': { messages: [{ role: 'user', content: 'Hi' }] },
  '/responses': { input: 'Hi' },
  '/messages': { max_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] },
};
const textOf = (r) =>
  r.choices?.[0].message.content ?? r.output?.find((i) => i.type === 'message').content[0].text ?? r.content?.find((b) => b.type === 'text').text;

async function call(path, { method = 'POST', body, headers = {} } = {}) {
  const response = await fetch(world.daemon.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

const failure = (promise) => promise.then((r) => assert.fail(`no error: ${JSON.stringify(r.raw ?? r).slice(0, 300)}`), (e) => e);

// --- the simulated model ------------------------------------------------------------------------

function simulated(entry) {
  let client;
  const sim = (params) => ({ 'x-triglot-sim': params });
  const user = 'Say something.';
  before(() => {
    client = entry.open(world.daemon.url);
  });

  it('whole, stream and helper say the same', async () => {
    const [whole, stream, helper] = await Promise.all(['whole', 'stream', 'helper'].map((m) => client.ask('sim', { user }, m, sim('seed=5,tokens=30'))));
    assert.ok(whole.text.length > 20);
    assert.equal(stream.text, whole.text);
    assert.equal(helper.text, whole.text);
    assert.equal(whole.finish, { chat: 'stop', responses: 'completed', messages: 'end_turn' }[client.dialect]);
    assert.equal(whole.usage.output, 30);
    assert.deepEqual(stream.usage, whole.usage);
    assert.deepEqual(helper.usage, whole.usage);
    assert.match(whole.raw.id, { chat: /^chatcmpl-/, responses: /^resp_/, messages: /^msg_/ }[client.dialect]);
    const other = await client.ask('sim', { user }, 'whole', sim('seed=6,tokens=30'));
    assert.notEqual(other.text, whole.text);
  });

  it('a limit ends with length', async () => {
    for (const mode of ['whole', 'stream', 'helper']) {
      const r = await client.ask('sim', { user, max: 16 }, mode, sim('tokens=50'));
      assert.equal(r.finish, { chat: 'length', responses: 'incomplete:max_output_tokens', messages: 'max_tokens' }[client.dialect]);
      assert.equal(r.usage.output, 16);
    }
  });

  it('a demanded call fits its schema, and an answer follows', async () => {
    for (const mode of ['whole', 'stream', 'helper']) {
      const r = { user, tools: [WEATHER], force: 'get_weather' };
      const first = await client.ask('sim', r, mode);
      assert.equal(first.calls.length, 1);
      const [c] = first.calls;
      assert.equal(c.name, 'get_weather');
      const input = c.input ?? JSON.parse(c.args);
      assert.deepEqual(Object.keys(input), ['city']);
      assert.equal(typeof input.city, 'string');
      const second = await client.ask('sim', { ...follow(client, r, first, [{ id: c.id, text: 'sunny' }]), force: undefined }, mode);
      assert.ok(second.text.length > 0);
    }
  });

  it('structured output', async () => {
    const { name, age } = await client.parsed('sim', { user, schema: PERSON });
    assert.equal(typeof name, 'string');
    assert.ok(Number.isInteger(age));
  });

  for (const status of [400, 401, 403, 404, 429, 500, 503, ...(entry.dialect === 'messages' ? [529] : [])]) {
    it(`error=${status}`, async () => {
      for (const mode of ['whole', 'stream']) {
        const e = await failure(client.ask('sim', { user }, mode, sim(`error=${status}`)));
        assert.ok(e instanceof client.errors.APIError, `${e.constructor.name}: ${e.message}`);
        const busy = client.dialect === 'messages' ? 529 : 503;
        assert.equal(e.status, [503, 529].includes(status) ? busy : status);
        if (status === 429) assert.ok(Number(e.headers.get('retry-after')) >= 1);
        if (client.dialect === 'messages') {
          const type = TYPES[status];
          assert.equal(e.error.error.type, type);
        } else assert.ok(e.type, JSON.stringify(e.error));
      }
    });
  }

  it('a cut stream says so, after the tokens that came', async () => {
    const seen = [];
    const run = async () => {
      for await (const e of await client.events('sim', { user }, sim('tokens=50,cut=5'))) seen.push(e);
    };
    if (client.dialect === 'responses') {
      await run();
      assert.equal(seen.at(-1).type, 'response.failed');
      assert.ok(seen.some((e) => e.type === 'response.output_text.delta'));
      assert.ok(!seen.some((e) => e.type === 'response.output_item.done'), 'half a message is not said to be done');
      assert.deepEqual(seen.at(-1).response.output, []);
    } else assert.ok((await failure(run())) instanceof client.errors.APIError);
    assert.ok(seen.length > 3);
  });

  it('an unknown model is not found', async () => {
    for (const mode of ['whole', 'stream']) {
      const e = await failure(client.ask('nobody', { user }, mode));
      assert.ok(e instanceof client.errors.NotFoundError, `${e.constructor.name}: ${e.message}`);
      if (client.dialect === 'messages') {
        assert.equal(e.error.error.type, 'not_found_error');
        assert.equal(e.error.request_id, e.requestID, 'the id is in the body too');
      } else assert.equal(e.code, 'model_not_found');
    }
  });

  it('the request id is where the SDK looks for it', async () => {
    const { raw, response } = await client.ask('sim', { user }, 'whole');
    assert.ok(raw._request_id);
    assert.equal(response.headers.get('x-request-id'), raw._request_id);
    assert.equal((await world.daemon.access(raw._request_id)).status, 200);
  });

  it('models', async () => {
    const ids = (await collect(client.api.models.list())).map((m) => m.id);
    assert.ok(ids.includes('org/model:tag') && ids.includes('sim'), ids.join());
    const m = await client.api.models.retrieve('org/model:tag');
    assert.equal(m.id, 'org/model:tag');
    if (client.dialect === 'messages') {
      assert.equal(m.type, 'model');
      assert.ok(!Number.isNaN(Date.parse(m.created_at)));
    } else assert.equal(m.object, 'model');
    assert.ok((await failure(client.api.models.retrieve('no/such'))) instanceof client.errors.NotFoundError);
  });

  if (entry.dialect !== 'messages') return;

  it('the beta namespace', async () => {
    for (const upstream of UPSTREAMS) {
      const body = { model: `${upstream}-two`, max_tokens: 64, messages: [{ role: 'user', content: user }], betas: ['context-1m-2025-08-07'] };
      const tools = [{ name: WEATHER.name, input_schema: WEATHER.parameters }];
      const whole = await client.api.beta.messages.create({ ...body, tools });
      assert.equal(whole.stop_reason, 'tool_use');
      const beta = world.up.last.headers['anthropic-beta'];
      if (upstream === 'messages') assert.match(beta, /context-1m-2025-08-07/);
      else assert.equal(beta, undefined);
      const final = await client.api.beta.messages.stream({ ...body, tools }).finalMessage();
      assert.deepEqual(final.content.filter((b) => b.type === 'tool_use').map((b) => b.name), ['get_weather', 'get_weather']);
    }
  });
}

for (const entry of clients) describe(`sim by ${entry.name}`, { skip: entry.skip }, () => simulated(entry));

// --- paths, credentials, ids --------------------------------------------------------------------

describe('paths', () => {
  for (const [path, body] of Object.entries(BODY)) {
    for (const prefix of ['/v1', '', '/openai/v1', '/anthropic/v1', '/openai', '/anthropic'])
      it(`${prefix}${path}`, async () => {
        for (const query of ['', '?beta=true']) {
          const r = await call(`${prefix}${path}${query}`, { body: { model: 'chat-text', ...body } });
          assert.equal(r.status, 200, r.text);
          assert.equal(textOf(r.json), TEXT);
        }
      });
  }

  it('/v1/messages/stream streams without being told to', async () => {
    for (const upstream of UPSTREAMS) {
      const r = await call('/v1/messages/stream', { body: { model: `${upstream}-text`, ...BODY['/messages'] }, headers: VERSION });
      assert.match(r.headers.get('content-type'), /^text\/event-stream/, `${upstream}: ${r.text.slice(0, 200)}`);
      assert.match(r.text, /^event: message_start\n/);
      assert.match(r.text, /event: message_stop\ndata: .*\n\n$/);
    }
  });

  it('the path alone decides the dialect of requests', async () => {
    const chat = await call('/v1/chat/completions', { body: { model: 'chat-text', ...BODY['/chat/completions'] }, headers: VERSION });
    assert.equal(chat.json.object, 'chat.completion');
    const messages = await call('/v1/messages', { body: { model: 'chat-text', ...BODY['/messages'] } });
    assert.equal(messages.json.type, 'message');
  });

  it('HEAD / and GET /, telemetry', async () => {
    const head = await call('/', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal((await call('/', { method: 'GET' })).status, 200);
    assert.equal((await call('/api/event_logging/batch', { body: { events: [] } })).status, 204);
  });

  it('models in both shapes', async () => {
    for (const prefix of ['/v1', '', '/openai/v1']) {
      const openai = await call(`${prefix}/models`, { method: 'GET' });
      assert.equal(openai.json.object, 'list');
      assert.ok(openai.json.data.every((m) => m.object === 'model' && Number.isInteger(m.created) && m.owned_by));
    }
    for (const prefix of ['/v1', '', '/anthropic/v1']) {
      const anthropic = await call(`${prefix}/models`, { method: 'GET', headers: VERSION });
      assert.equal(anthropic.json.object, undefined);
      assert.equal(anthropic.json.has_more, false);
      assert.equal(anthropic.json.first_id, anthropic.json.data[0].id);
      assert.equal(anthropic.json.last_id, anthropic.json.data.at(-1).id);
      assert.ok(anthropic.json.data.every((m) => m.type === 'model' && m.display_name && /^\d{4}-.*Z$/.test(m.created_at)));
    }
  });

  it('an unknown path and a wrong method in the words of whoever asks', async () => {
    const openai = await call('/v1/nothing', { method: 'GET' });
    assert.equal(openai.status, 404);
    assert.ok(openai.json.error.type && openai.json.type === undefined);
    const anthropic = await call('/v1/nothing', { method: 'GET', headers: VERSION });
    assert.equal(anthropic.status, 404);
    assert.equal(anthropic.json.type, 'error');
    assert.equal(anthropic.json.error.type, 'not_found_error');
    const method = await call('/v1/messages', { method: 'GET', headers: VERSION });
    assert.equal(method.status, 405);
    assert.match(method.headers.get('allow'), /POST/);
    assert.equal(method.json.type, 'error');
  });

  it('Bearer or x-api-key: taken, replaced, never passed on', async () => {
    for (const [path, body] of Object.entries(BODY))
      for (const upstream of UPSTREAMS)
        for (const headers of [{ authorization: 'Bearer sk-mine' }, { 'x-api-key': 'sk-mine' }]) {
          const r = await call(`/v1${path}`, { body: { model: `${upstream}-text`, ...body }, headers });
          assert.equal(r.status, 200, r.text);
          const sent = world.up.last;
          assert.ok(!sent.rawHead.includes('sk-mine'), `${path} to ${upstream}`);
          if (upstream === 'messages') assert.equal(sent.headers['x-api-key'], 'sk-up');
          else assert.equal(sent.headers.authorization, 'Bearer sk-up');
        }
  });

  it('ids and limits of the upstream', async () => {
    for (const [path, body] of Object.entries(BODY))
      for (const upstream of UPSTREAMS)
        for (const stream of [false, true]) {
          const r = await call(`/v1${path}`, { body: { model: `${upstream}-text`, stream, ...body } });
          const id = r.headers.get('x-request-id');
          assert.ok(id);
          if (path === '/messages') assert.equal(r.headers.get('request-id'), id);
          assert.equal(r.headers.get('x-upstream-request-id'), 'req_up_1');
          if (path !== '/messages' && upstream !== 'messages') assert.equal(r.headers.get('x-ratelimit-remaining-requests'), '17');
          if (path === '/messages' && upstream === 'messages') assert.equal(r.headers.get('anthropic-ratelimit-requests-remaining'), '17');
        }
  });
});

// --- bad input ----------------------------------------------------------------------------------

describe('bad input', () => {
  const cases = [
    ['/chat/completions', { messages: [{ role: 'user', content: [{ type: 'hologram' }] }] }, 'messages.0.content.0'],
    ['/responses', { input: [{ role: 'user', content: [{ type: 'hologram' }] }] }, 'input.0.content.0'],
    ['/responses', { input: [{ type: 'hologram' }] }, 'input.0'],
    ['/responses', { input: 'x', previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['/responses', { input: 'x', background: true }, 'background'],
    ['/messages', { max_tokens: 5, messages: [{ role: 'user', content: [{ type: 'hologram' }] }] }, 'messages.0.content.0'],
    ['/messages', { messages: [{ role: 'user', content: 'x' }] }, 'max_tokens'],
  ];
  for (const [path, body, field] of cases)
    it(`${path}: ${field}`, async () => {
      for (const upstream of UPSTREAMS.filter((u) => !path.includes(u))) {
        const before = world.up.requests.length;
        const r = await call(`/v1${path}`, { body: { model: `${upstream}-text`, ...body } });
        assert.equal(r.status, 400, `${upstream}: ${r.text}`);
        if (path === '/messages') {
          assert.equal(r.json.type, 'error');
          assert.equal(r.json.error.type, 'invalid_request_error');
          assert.ok(r.json.error.message.includes(field), r.json.error.message);
        } else {
          assert.equal(r.json.error.type, 'invalid_request_error');
          assert.ok(r.json.error.param?.startsWith(field), `param ${r.json.error.param}`);
        }
        assert.equal(world.up.requests.length, before, 'nothing was sent');
      }
    });

  it('broken JSON, in every dialect', async () => {
    for (const path of Object.keys(BODY))
      for (const body of ['{"model":', '[]', '{"model":"sim","model":"sim"}', `{"model":"sim","x":${'['.repeat(200)}${']'.repeat(200)}}`]) {
        const r = await call(`/v1${path}`, { body });
        assert.equal(r.status, 400, r.text);
        if (path === '/messages') assert.equal(r.json.type, 'error');
        assert.equal(r.json.error.type, 'invalid_request_error');
      }
  });
});

// --- heartbeats ---------------------------------------------------------------------------------

describe('heartbeats', () => {
  const PING = 'event: ping\ndata: {"type":"ping"}\n\n';
  for (const [path, body] of Object.entries(BODY))
    for (const upstream of UPSTREAMS)
      it(`${path} to ${upstream}: a comment before the first record, then ${path === '/messages' ? 'pings' : 'comments'}`, async () => {
        world.up.gates = [deferred(), deferred()];
        const response = await fetch(`${world.daemon.url}/v1${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: `${upstream}-pause`, stream: true, ...body }),
        });
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        const more = async (enough, what) => {
          const from = text.length;
          while (!enough(text.slice(from))) {
            const { value, done } = await within(5000, reader.read(), what);
            assert.ok(!done, `the stream ended before ${what}`);
            text += value;
          }
          return text.slice(from);
        };
        const early = await more((s) => s.split('\n\n').length > 2, 'two heartbeats before the first record');
        assert.match(early, /^(: keep-alive\n\n)+$/);
        world.up.gates[0].resolve();
        await more((s) => s.includes('data: ') && !s.endsWith(PING), 'the first record');
        const mark = path === '/messages' ? PING : ': keep-alive\n\n';
        const middle = await more((s) => s.endsWith(mark + mark), 'two heartbeats in mid-stream');
        if (path !== '/messages') assert.ok(!middle.includes('ping'));
        world.up.gates[1].resolve();
        for (let r; !(r = await within(5000, reader.read(), 'the end')).done; ) text += r.value;
        if (path === '/messages') assert.match(text, /event: message_stop\n/);
        else if (path === '/responses') assert.match(text, /event: response.completed\n/);
        else assert.match(text, /data: \[DONE\]\n\n$/);
      });

  for (const entry of clients)
    it(`do not disturb the helper of ${entry.name}`, { skip: entry.skip }, async () => {
      world.up.gates = [deferred(), deferred()];
      const client = entry.open(world.daemon.url);
      const answers = Promise.all(UPSTREAMS.map((u) => client.ask(`${u}-pause`, { user: 'x' }, 'helper')));
      for (const gate of world.up.gates) {
        await sleep(350);
        gate.resolve();
      }
      for (const r of await answers) assert.equal(r.text, TEXT);
    });
});

// --- POST /v1/convert ---------------------------------------------------------------------------

describe('convert', () => {
  const REQUEST = {
    chat: {
      model: 'm', max_completion_tokens: 64,
      messages: [
        { role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      ],
    },
    responses: {
      model: 'm', max_output_tokens: 64, instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'Weather?' }, { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
      ],
    },
    messages: {
      model: 'm', max_tokens: 64, system: 'Be brief.',
      messages: [
        { role: 'user', content: 'Weather?' }, { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Oslo' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'sunny' }] },
      ],
    },
  };
  const convert = (body) => call('/v1/convert', { body });

  for (const from of UPSTREAMS)
    for (const to of UPSTREAMS) {
      it(`a request, ${from} to ${to} and back`, async () => {
        const before = world.up.requests.length;
        const there = await convert({ from, to, kind: 'request', payload: REQUEST[from] });
        assert.equal(there.status, 200, there.text);
        assert.deepEqual(there.json.dropped, []);
        const back = await convert({ from: to, to: from, kind: 'request', payload: there.json.payload });
        assert.deepEqual(back.json.dropped, []);
        const list = back.json.payload[from === 'responses' ? 'input' : 'messages'];
        assert.ok(JSON.stringify(list).includes('call_1'));
        assert.ok(Array.isArray(there.json.payload[to === 'responses' ? 'input' : 'messages']));
        assert.equal(there.json.payload.model, 'm');
        assert.equal(world.up.requests.length, before, 'nobody was called');
      });

      it(`a response and a stream, ${from} to ${to}`, async () => {
        const path = { chat: '/chat/completions', responses: '/responses', messages: '/messages' };
        const ask = (stream) => fetch(world.up.url + path[from], {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...VERSION },
          body: JSON.stringify({ model: `${from}-text`, stream, ...BODY[path[from]] }),
        });
        const response = await convert({ from, to, kind: 'response', payload: await (await ask(false)).json() });
        assert.equal(response.status, 200, response.text);
        assert.equal(textOf(response.json.payload), TEXT);
        const stream = await convert({ from, to, kind: 'stream', payload: await (await ask(true)).text() });
        assert.equal(stream.status, 200, stream.text);
        assert.equal(typeof stream.json.payload, 'string');
        const records = stream.json.payload.split('\n\n').map((r) => r.match(/^data: (\{.*)$/m)?.[1]).filter(Boolean).map((r) => JSON.parse(r));
        const said = records.map((r) => r.choices?.[0]?.delta.content ?? (r.type === 'response.output_text.delta' ? r.delta : r.delta?.text) ?? '').join('');
        assert.equal(said, TEXT);
        assert.match(stream.json.payload, { chat: /data: \[DONE\]\n\n$/, responses: /event: response.completed\n/, messages: /event: message_stop\n/ }[to]);
      });
    }

  it('what is dropped is named', async () => {
    const r = await convert({ from: 'chat', to: 'messages', kind: 'request', payload: { ...REQUEST.chat, seed: 7, logit_bias: { 50: 1 } } });
    assert.deepEqual([...r.json.dropped].sort(), ['logit_bias', 'seed']);
  });

  it('bad conversions name the field', async () => {
    const payload = REQUEST.chat;
    for (const [body, field] of [
      [{ to: 'chat', kind: 'request', payload }, 'from'],
      [{ from: 'latin', to: 'chat', kind: 'request', payload }, 'from'],
      [{ from: 'chat', to: 'chat', kind: 'poem', payload }, 'kind'],
      [{ from: 'chat', to: 'messages', kind: 'request' }, 'payload'],
      [{ from: 'chat', to: 'messages', kind: 'request', payload: { messages: [{ role: 'user', content: [{ type: 'hologram' }] }], model: 'm' } }, 'messages.0.content.0'],
      [{ from: 'chat', to: 'messages', kind: 'stream', payload: {} }, 'payload'],
    ]) {
      const r = await convert(body);
      assert.equal(r.status, 400, r.text);
      assert.ok(r.json.error.param.includes(field), `param ${r.json.error.param}, expected ${field}`);
    }
  });
});
