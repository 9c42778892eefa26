// The official SDKs through the daemon: the simulated model, and a scripted upstream over HTTP and over HTTPS.
//
// E2E_DIRECT=1 runs the scripted tests straight against the scripted upstream instead, which tests the tests.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { start } from './lib/daemon.mjs';
import { CA, OTHER_CA, server } from './lib/certs.mjs';
import { TEXT, USAGE, chatModel } from './lib/model.mjs';
import { Upstream } from './lib/upstream.mjs';
import { now, threeTries, within } from './lib/util.mjs';

const CLIENT_KEY = 'sk-client-key-1';
const DIRECT = Boolean(process.env.E2E_DIRECT);
const USER = [{ role: 'user', content: 'Say something.' }];

const sdks = [];
for (const [name, module] of [['openai 6', 'openai'], ['openai 7', 'openai7']]) {
  try {
    const m = await import(module);
    const { makeParseableResponseFormat } = await import(`${module}/lib/parser`);
    sdks.push({ name, m, OpenAI: m.default, makeParseableResponseFormat });
  } catch (e) {
    sdks.push({ name, skip: `not on Node ${process.versions.node}: ${e.message.split('\n')[0]}` });
  }
}

const world = {};
before(async () => {
  world.http = await Upstream.listen(chatModel);
  if (DIRECT) return;
  world.https = await Upstream.listen(chatModel, { tls: server() });
  world.daemon = await start(
    {
      sim: { first_token_ms: 0, tokens_per_second: 0, tokens: 20 },
      upstreams: [
        { name: 'plain', url: world.http.url, dialect: 'chat', key: '${PLAIN_KEY}' },
        { name: 'secure', url: world.https.url, dialect: 'chat', key: 'sk-secure', ca_file: CA },
        { name: 'distrusted', url: world.https.url, dialect: 'chat', ca_file: OTHER_CA },
      ],
      models: [
        { name: 'mock-*', upstream: 'plain' },
        { name: 'sec-*', upstream: 'secure' },
        { name: 'bad-*', upstream: 'distrusted' },
        { name: 'org/model:tag', upstream: 'plain', model: 'mock-text' },
      ],
    },
    { env: { PLAIN_KEY: 'sk-plain' } },
  );
});
after(async () => {
  await world.daemon?.finish();
  await world.http?.close();
  await world.https?.close();
});

const targets = DIRECT
  ? [{ name: 'direct', prefix: 'mock', up: () => world.http, base: () => world.http.url, direct: true }]
  : [
      { name: 'http', prefix: 'mock', up: () => world.http, base: () => `${world.daemon.url}/v1` },
      { name: 'https', prefix: 'sec', up: () => world.https, base: () => `${world.daemon.url}/v1` },
    ];

async function collect(stream) {
  const chunks = [];
  for await (const c of stream) chunks.push(c);
  return chunks;
}

// The events that a helper emitted, by name.
function listenTo(stream, names) {
  const seen = Object.fromEntries(names.map((n) => [n, []]));
  for (const n of names) stream.on(n, (...args) => seen[n].push(args));
  return seen;
}

const textOf = (chunks, index = 0) =>
  chunks.flatMap((c) => c.choices.filter((x) => x.index === index)).map((x) => x.delta.content ?? '').join('');

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  },
};

const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};

const ERRORS = [
  [400, 'BadRequestError'],
  [401, 'AuthenticationError'],
  [403, 'PermissionDeniedError'],
  [404, 'NotFoundError'],
  [409, 'ConflictError'],
  [422, 'UnprocessableEntityError'],
  [429, 'RateLimitError'],
  [500, 'InternalServerError'],
  [503, 'InternalServerError'],
];

function scripted(sdk, target) {
  let client;
  const model = (kind) => `${target.prefix}-${kind}`;
  before(() => {
    client = new sdk.OpenAI({ apiKey: CLIENT_KEY, baseURL: target.base(), maxRetries: 0 });
  });

  it('create', async () => {
    const { data, response, request_id } = await client.chat.completions
      .create({ model: model('text'), messages: USER, temperature: 0.5 })
      .withResponse();
    assert.equal(data.choices[0].message.content, TEXT);
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.equal(data.model, model('text'));
    assert.deepEqual(data.usage, USAGE);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.ok(request_id);
    assert.equal(data._request_id, request_id);
    assert.equal(target.up().last.json.temperature, 0.5);
    if (!target.direct) {
      const line = await world.daemon.access(request_id);
      assert.equal(line.status, 200);
      assert.equal(line.tokens_in, 9);
      assert.equal(line.tokens_out, 5);
    }
  });

  it('stream, iterated', async () => {
    const { data: stream, response } = await client.chat.completions
      .create({ model: model('text'), messages: USER, stream: true })
      .withResponse();
    const chunks = await collect(stream);
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    assert.equal(textOf(chunks), TEXT);
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
    assert.ok(chunks.every((c) => !c.usage), 'usage was not asked for');
  });

  it('stream with include_usage', async () => {
    const chunks = await collect(
      await client.chat.completions.create({ model: model('text'), messages: USER, stream: true, stream_options: { include_usage: true } }),
    );
    assert.deepEqual(chunks.at(-1).usage, USAGE);
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
    assert.equal(textOf(chunks), TEXT);
  });

  it('n = 2, stop and max_tokens reach the upstream, choices come apart', async () => {
    const chunks = await collect(
      await client.chat.completions.create({ model: model('text'), messages: USER, stream: true, n: 2, stop: ['END'], max_tokens: 3 }),
    );
    assert.equal(textOf(chunks, 0), TEXT);
    assert.equal(textOf(chunks, 1), TEXT);
    assert.deepEqual(target.up().last.json.stop, ['END']);
    assert.deepEqual(chunks.flatMap((c) => c.choices).filter((c) => c.finish_reason).map((c) => c.finish_reason), ['length', 'length']);
    const whole = await client.chat.completions.create({ model: model('text'), messages: USER, n: 2, max_tokens: 3 });
    assert.equal(whole.choices.length, 2);
    assert.equal(whole.choices[1].finish_reason, 'length');
  });

  it('stream() helper: events and finalChatCompletion()', async () => {
    const stream = client.chat.completions.stream({ model: model('text'), messages: USER, stream_options: { include_usage: true } });
    const seen = listenTo(stream, ['connect', 'chunk', 'content', 'content.done', 'finalContent', 'finalChatCompletion', 'error', 'end']);
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0].message.content, TEXT);
    assert.equal(final.choices[0].finish_reason, 'stop');
    assert.deepEqual(final.usage, USAGE);
    assert.equal(seen.connect.length, 1);
    assert.ok(seen.chunk.length > 5);
    assert.equal(seen.content.at(-1)[1], TEXT);
    assert.equal(seen['content.done'].length, 1);
    assert.equal(seen.finalChatCompletion.length, 1);
    assert.equal(seen.error.length, 0);
    assert.equal(await stream.finalContent(), TEXT);
  });

  it('stream() helper with tool calls', async () => {
    const stream = client.chat.completions.stream({ model: model('tools'), messages: USER, tools: [WEATHER] });
    const seen = listenTo(stream, ['tool_calls.function.arguments.delta', 'tool_calls.function.arguments.done']);
    const final = await stream.finalChatCompletion();
    const call = final.choices[0].message.tool_calls[0];
    assert.equal(final.choices[0].finish_reason, 'tool_calls');
    assert.equal(call.id, 'call_1');
    assert.equal(call.function.name, 'get_weather');
    assert.equal(call.function.arguments, '{"city":"Bern"}');
    assert.ok(seen['tool_calls.function.arguments.delta'].length > 1);
    assert.equal(seen['tool_calls.function.arguments.done'].length, 1);
  });

  for (const stream of [false, true]) {
    it(`runTools, two rounds${stream ? ', streaming' : ''}`, async () => {
      const asked = [];
      const runner = client.chat.completions.runTools({
        model: model('tools'),
        messages: USER,
        stream,
        tools: [
          {
            type: 'function',
            function: {
              ...WEATHER.function,
              parse: JSON.parse,
              function: ({ city }) => {
                asked.push(city);
                return `fine in ${city}`;
              },
            },
          },
        ],
      });
      const answer = await runner.finalContent();
      assert.deepEqual(asked, ['Bern', 'Oslo']);
      assert.equal(answer, 'It is fine in Bern and fine in Oslo.');
      const sent = target.up().last.json.messages;
      assert.deepEqual(sent.map((m) => m.role), ['user', 'assistant', 'tool', 'assistant', 'tool']);
      assert.equal(sent[2].tool_call_id, 'call_1');
      assert.equal(sent[3].tool_calls[0].function.arguments, '{"city":"Oslo"}');
    });
  }

  it('response_format json_schema by parse()', async () => {
    const format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } };
    const done = await client.chat.completions.parse({
      model: model('json'),
      messages: USER,
      response_format: sdk.makeParseableResponseFormat(format, JSON.parse),
    });
    assert.deepEqual(done.choices[0].message.parsed, { name: 'Ada', age: 36 });
    assert.deepEqual(target.up().last.json.response_format, format);
  });

  it('abort in mid-stream closes the upstream within 100 ms', async (t) => {
    await threeTries(t, async () => {
      const stream = await client.chat.completions.create({ model: model('slow'), messages: USER, stream: true });
      const it = stream[Symbol.asyncIterator]();
      await it.next();
      const { peer } = target.up().last;
      assert.equal(peer.goneAt, undefined);
      const at = now();
      stream.controller.abort();
      await within(5000, peer.gone, "the upstream connection's end");
      await it.next().catch(() => {});
      assert.ok(peer.goneAt - at < 100, `closed after ${(peer.goneAt - at).toFixed(1)} ms`);
    });
  });

  it('leaving the loop closes the upstream', async () => {
    for await (const chunk of await client.chat.completions.create({ model: model('slow'), messages: USER, stream: true })) {
      assert.ok(chunk.choices);
      break;
    }
    await within(2000, target.up().last.peer.gone, "the upstream connection's end");
  });

  for (const [status, name] of ERRORS) {
    it(`${status} raises ${name}`, async () => {
      for (const stream of [false, true]) {
        const e = await client.chat.completions.create({ model: model(`error-${status}`), messages: USER, stream }).then(
          () => assert.fail('no error'),
          (e) => e,
        );
        assert.ok(e instanceof sdk.m[name], `${e.constructor.name}: ${e.message}`);
        assert.equal(e.status, status);
        assert.equal(e.code, `code_${status}`);
        assert.equal(e.param, 'messages');
        assert.ok(e.type);
        assert.equal(e.message, `${status} scripted ${status}`);
        assert.ok(e.requestID);
        if (status === 429) {
          assert.equal(e.headers.get('retry-after'), '7');
          assert.equal(e.headers.get('x-ratelimit-remaining-requests'), '0');
        }
      }
    });
  }

  it('maxRetries: as many requests upstream as the SDK makes, no more', async () => {
    const up = target.up();
    const retrying = new sdk.OpenAI({ apiKey: CLIENT_KEY, baseURL: target.base(), maxRetries: 2 });
    up.flaky = 0;
    let before = up.requests.length;
    const done = await retrying.chat.completions.create({ model: model('flaky-1'), messages: USER });
    assert.equal(done.choices[0].message.content, TEXT);
    assert.equal(up.requests.length - before, 2);
    up.flaky = 0;
    before = up.requests.length;
    await assert.rejects(client.chat.completions.create({ model: model('flaky-1'), messages: USER }), sdk.m.InternalServerError);
    assert.equal(up.requests.length - before, 1);
  });

  it('embeddings: base64 by default, floats on request', async () => {
    const quiet = await client.embeddings.create({ model: model('embed'), input: ['a', 'b'] });
    assert.equal(target.up().last.json.encoding_format, 'base64');
    assert.equal(quiet.data.length, 2);
    assert.deepEqual(quiet.data[1].embedding.slice(0, 3), [0.25, -0.5, 1.5]);
    const floats = await client.embeddings.create({ model: model('embed'), input: 'a', encoding_format: 'float' });
    assert.deepEqual(floats.data[0].embedding, [0.25, -0.5, 1.5, 3.0e-5]);
    assert.equal(floats.usage.total_tokens, 3);
  });

  if (!target.direct)
    it('credentials are replaced', async () => {
      await client.chat.completions.create({ model: model('text'), messages: USER });
      const { headers, rawHead } = target.up().last;
      assert.equal(headers.authorization, `Bearer ${target.name === 'http' ? 'sk-plain' : 'sk-secure'}`);
      assert.ok(!rawHead.includes(CLIENT_KEY));
    });
}

function general(sdk) {
  let client;
  before(() => {
    client = new sdk.OpenAI({ apiKey: CLIENT_KEY, baseURL: `${world.daemon.url}/v1`, maxRetries: 0 });
  });

  it('models.list and models.retrieve, ids with / and :', async () => {
    const ids = (await collect(client.models.list())).map((m) => m.id);
    assert.ok(ids.includes('org/model:tag'), ids.join());
    assert.ok(ids.includes('sim'), ids.join());
    assert.ok(!ids.some((id) => id.includes('*')), 'patterns are no models');
    const m = await client.models.retrieve('org/model:tag');
    assert.equal(m.id, 'org/model:tag');
    assert.equal(m.object, 'model');
    assert.equal(typeof m.created, 'number');
    assert.equal((await client.models.retrieve('mock-anything')).id, 'mock-anything');
    await assert.rejects(client.models.retrieve('no/such:model'), sdk.m.NotFoundError);
  });

  it('a configured alias asks the upstream for its own name', async () => {
    const done = await client.chat.completions.create({ model: 'org/model:tag', messages: USER });
    assert.equal(done.choices[0].message.content, TEXT);
    assert.equal(world.http.last.json.model, 'mock-text');
  });

  it('unknown model: NotFoundError, model_not_found', async () => {
    for (const stream of [false, true]) {
      const e = await client.chat.completions.create({ model: 'nobody', messages: USER, stream }).catch((e) => e);
      assert.ok(e instanceof sdk.m.NotFoundError, `${e.constructor?.name}`);
      assert.equal(e.code, 'model_not_found');
    }
  });

  it('an upstream of an unknown authority: 502 that says so', async () => {
    const before = world.https.requests.length;
    const e = await client.chat.completions.create({ model: 'bad-text', messages: USER }).catch((e) => e);
    assert.ok(e instanceof sdk.m.InternalServerError, `${e.constructor?.name}: ${e.message}`);
    assert.equal(e.status, 502);
    assert.match(e.message, /certificate|trust|authority/i);
    assert.equal(world.https.requests.length, before);
  });
}

function simulated(sdk) {
  let client;
  const sim = (params) => ({ headers: { 'x-triglot-sim': params } });
  before(() => {
    client = new sdk.OpenAI({ apiKey: CLIENT_KEY, baseURL: `${world.daemon.url}/v1`, maxRetries: 0 });
  });

  it('create: the same seed gives the same text, another another', async () => {
    const ask = (seed) => client.chat.completions.create({ model: 'sim', messages: USER }, sim(`seed=${seed},tokens=20`));
    const [a, b, c] = [await ask(1), await ask(1), await ask(2)];
    assert.equal(a.object, 'chat.completion');
    assert.match(a.id, /^chatcmpl-/);
    assert.equal(a.model, 'sim');
    assert.equal(a.choices[0].finish_reason, 'stop');
    assert.equal(a.choices[0].message.role, 'assistant');
    assert.equal(a.choices[0].message.refusal, null);
    assert.ok(!('tool_calls' in a.choices[0].message));
    assert.ok(a.choices[0].message.content.length > 20);
    assert.equal(a.choices[0].message.content, b.choices[0].message.content);
    assert.notEqual(a.choices[0].message.content, c.choices[0].message.content);
    assert.equal(a.usage.completion_tokens, 20);
    assert.equal(a.usage.total_tokens, a.usage.prompt_tokens + a.usage.completion_tokens);
    assert.ok(a._request_id);
  });

  it('stream: the same text as whole, one finish, no usage unless asked', async () => {
    const body = { model: 'sim-x', messages: USER };
    const whole = await client.chat.completions.create(body, sim('seed=5,tokens=30'));
    const chunks = await collect(await client.chat.completions.create({ ...body, stream: true }, sim('seed=5,tokens=30')));
    assert.equal(textOf(chunks), whole.choices[0].message.content);
    assert.equal(new Set(chunks.map((c) => `${c.id} ${c.created} ${c.model} ${c.object}`)).size, 1);
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.deepEqual(chunks.flatMap((c) => c.choices).map((c) => c.finish_reason).filter(Boolean), ['stop']);
    assert.ok(chunks.every((c) => c.usage === undefined));
    const withUsage = await collect(
      await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, sim('seed=5,tokens=30')),
    );
    assert.deepEqual(withUsage.at(-1).choices, []);
    assert.equal(withUsage.at(-1).usage.completion_tokens, 30);
    assert.deepEqual(withUsage.at(-1).usage, whole.usage);
    assert.ok(withUsage.slice(0, -1).every((c) => c.usage === null));
  });

  it('stream() helper', async () => {
    const stream = client.chat.completions.stream({ model: 'sim', messages: USER }, sim('tokens=15'));
    const seen = listenTo(stream, ['chunk', 'content', 'finalChatCompletion']);
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0].message.content, seen.content.at(-1)[1]);
    assert.ok(seen.chunk.length >= 15);
  });

  it('n = 2', async () => {
    const whole = await client.chat.completions.create({ model: 'sim', messages: USER, n: 2 }, sim('tokens=10'));
    assert.deepEqual(whole.choices.map((c) => c.index), [0, 1]);
    assert.notEqual(whole.choices[0].message.content, whole.choices[1].message.content);
    const stream = client.chat.completions.stream({ model: 'sim', messages: USER, n: 2 }, sim('tokens=10'));
    const final = await stream.finalChatCompletion();
    assert.deepEqual(final.choices.map((c) => c.message.content), whole.choices.map((c) => c.message.content));
  });

  it('max_tokens and max_completion_tokens end with length', async () => {
    for (const limit of [{ max_tokens: 4 }, { max_completion_tokens: 4 }]) {
      const done = await client.chat.completions.create({ model: 'sim', messages: USER, ...limit }, sim('tokens=50'));
      assert.equal(done.choices[0].finish_reason, 'length');
      assert.equal(done.usage.completion_tokens, 4);
    }
  });

  it('stop: the text ends before the sequence', async () => {
    const ask = (stop) => client.chat.completions.create({ model: 'sim', messages: USER, stop }, sim('seed=9,tokens=60'));
    const full = (await ask(undefined)).choices[0].message.content;
    const word = full.split(/\s+/)[6];
    const cut = (await ask([word])).choices[0];
    assert.equal(cut.message.content, full.slice(0, full.indexOf(word)));
    assert.equal(cut.finish_reason, 'stop');
  });

  it('tool_choice demands a call: schema-valid arguments', async () => {
    const whole = await client.chat.completions.create({
      model: 'sim', messages: USER, tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'get_weather' } },
    });
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    const call = whole.choices[0].message.tool_calls[0];
    assert.equal(call.function.name, 'get_weather');
    const args = JSON.parse(call.function.arguments);
    assert.deepEqual(Object.keys(args), ['city']);
    assert.equal(typeof args.city, 'string');
    const stream = client.chat.completions.stream({ model: 'sim', messages: USER, tools: [WEATHER], tool_choice: 'required' });
    const final = await stream.finalChatCompletion();
    assert.equal(typeof JSON.parse(final.choices[0].message.tool_calls[0].function.arguments).city, 'string');
  });

  it('runTools: a demanded call, then an answer', async () => {
    const asked = [];
    const runner = client.chat.completions.runTools(
      {
        model: 'sim', messages: USER,
        tools: [{ type: 'function', function: { ...WEATHER.function, parse: JSON.parse, function: (a) => (asked.push(a), 'sunny') } }],
      },
      { ...sim('tool=get_weather'), maxChatCompletions: 4 },
    );
    const answer = await runner.finalContent();
    assert.equal(asked.length, 1);
    assert.equal(typeof asked[0].city, 'string');
    assert.ok(answer.length > 0);
  });

  it('response_format json_schema by parse()', async () => {
    const done = await client.chat.completions.parse({
      model: 'sim', messages: USER,
      response_format: sdk.makeParseableResponseFormat({ type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } }, JSON.parse),
    });
    const { parsed } = done.choices[0].message;
    assert.equal(typeof parsed.name, 'string');
    assert.ok(Number.isInteger(parsed.age));
  });

  for (const [status, name] of ERRORS) {
    it(`x-triglot-sim error=${status} raises ${name}`, async () => {
      for (const stream of [false, true]) {
        const e = await client.chat.completions.create({ model: 'sim', messages: USER, stream }, sim(`error=${status}`)).catch((e) => e);
        assert.ok(e instanceof sdk.m[name], `${e?.constructor?.name}: ${e?.message}`);
        assert.equal(e.status, status);
        assert.ok(e.type, 'error.type');
        if (status === 429) assert.ok(Number(e.headers.get('retry-after')) >= 1, 'a synthetic 429 says when to come back');
      }
    });
  }

  it('a cut stream raises, after the tokens that came', async () => {
    const stream = await client.chat.completions.create({ model: 'sim', messages: USER, stream: true }, sim('tokens=50,cut=5'));
    const chunks = [];
    await assert.rejects(async () => {
      for await (const c of stream) chunks.push(c);
    }, sdk.m.APIError);
    assert.ok(chunks.length > 0 && chunks.length < 50);
  });

  it('abort in mid-stream ends the exchange at once', async (t) => {
    await threeTries(t, async () => {
      const { data: stream, request_id } = await client.chat.completions
        .create({ model: 'sim', messages: USER, stream: true }, sim('tokens=1000,tokens_per_second=50'))
        .withResponse();
      const it = stream[Symbol.asyncIterator]();
      await it.next();
      const at = now();
      stream.controller.abort();
      const line = await world.daemon.access(request_id);
      assert.equal(line.cancel_by, 'client');
      assert.ok(line.seen - at < 100, `ended after ${(line.seen - at).toFixed(1)} ms`);
    });
  });

  it('embeddings: the same numbers as base64 and as floats', async () => {
    const quiet = await client.embeddings.create({ model: 'sim', input: ['one', 'two'], dimensions: 32 });
    const floats = await client.embeddings.create({ model: 'sim', input: ['one', 'two'], dimensions: 32, encoding_format: 'float' });
    assert.equal(quiet.data.length, 2);
    assert.equal(quiet.data[0].embedding.length, 32);
    for (const [i, v] of floats.data[0].embedding.entries()) assert.ok(Math.abs(v - quiet.data[0].embedding[i]) < 1e-6);
    assert.ok(Math.abs(Math.hypot(...floats.data[0].embedding) - 1) < 1e-3);
    assert.notDeepEqual(floats.data[0].embedding, floats.data[1].embedding);
  });
}

for (const sdk of sdks) {
  describe(sdk.name, { skip: sdk.skip }, () => {
    for (const target of targets) describe(target.name, () => scripted(sdk, target));
    if (DIRECT) return;
    describe('sim', () => simulated(sdk));
    describe('general', () => general(sdk));
  });
}
