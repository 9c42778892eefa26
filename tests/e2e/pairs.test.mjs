// All nine pairs: the official SDKs of three client dialects through the daemon to a scripted, strict provider of three
// upstream dialects, streaming and not. What each client must see is computed from the two dialects' names.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clients, collect, follow } from './lib/clients.mjs';
import { start } from './lib/daemon.mjs';
import { Matrix } from './lib/matrix.mjs';
import { TEXT } from './lib/model.mjs';
import { ARGS, PERSON_TEXT, REDACTED, REFUSAL, SIGNATURE, THOUGHT, USAGE, errorBody, history, provider } from './lib/provider.mjs';
import { Upstream } from './lib/upstream.mjs';
import { deferred, within } from './lib/util.mjs';

const UPSTREAMS = ['chat', 'responses', 'messages'];
const MODES = ['whole', 'stream', 'helper'];
const PREFIX = { chat: 'cc', responses: 'rr', messages: 'mm' };

const WEATHER = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};
const TIME = { name: 'get_time', description: 'The time.', parameters: { type: 'object', properties: {} } };
const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const PNG = { type: 'image/png', data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==' };
const PDF = { type: 'application/pdf', name: 'a.pdf', data: 'JVBERi0xLjQKJSVFT0YK' };

const world = {};
const matrix = new Matrix();
before(async () => {
  world.up = await Upstream.listen(provider);
  const upstream = (dialect) => ({ name: dialect, url: world.up.url, dialect, key: 'sk-up' });
  const models = (dialect) => [
    { name: `${PREFIX[dialect]}-*`, upstream: dialect },
    { name: `strict-${dialect}`, upstream: dialect, model: `${PREFIX[dialect]}-text`, strict: true },
  ];
  world.daemon = await start({ upstreams: UPSTREAMS.map(upstream), models: UPSTREAMS.flatMap(models) });
});
after(async () => {
  matrix.write(new URL('../../build/e2e/matrix.json', import.meta.url).pathname);
  await world.daemon?.finish();
  await world.up?.close();
  assert.deepEqual(world.up.complaints ?? [], [], 'requests that the upstream dialect does not allow');
});

// --- what a request says, in words of no dialect ------------------------------------------------

const flat = (content) => (typeof content === 'string' ? content : (content ?? []).map((p) => p.text ?? '').join(''));
const noneOrText = (v) => v ?? undefined;

function canonPart(p) {
  switch (p.type) {
    case 'text':
    case 'input_text':
      return { text: p.text };
    case 'image_url':
      return { image: p.image_url.url };
    case 'input_image':
      return { image: p.image_url };
    case 'image':
      return { image: p.source.type === 'url' ? p.source.url : `data:${p.source.media_type};base64,${p.source.data}` };
    case 'file':
    case 'input_file': {
      const f = p.file ?? p;
      return { pdf: f.file_data.replace(/^data:application\/pdf;base64,/, ''), name: f.filename };
    }
    case 'document':
      return { pdf: p.source.data, name: p.title };
    default:
      return p;
  }
}

function said(dialect, q) {
  const messages = dialect === 'responses' ? q.input : q.messages;
  const list = typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages;
  const leading = list.find((m) => ['system', 'developer'].includes(m.role));
  const user = list.find((m) => m.role === 'user').content;
  const c = q.tool_choice;
  return {
    system: flat(q.instructions ?? q.system ?? leading?.content),
    user: typeof user === 'string' ? [{ text: user }] : user.map(canonPart),
    max: q.max_completion_tokens ?? q.max_tokens ?? q.max_output_tokens,
    tools: q.tools?.map((t) => t.function ?? t).map((t) => ({ name: t.name, description: t.description, parameters: t.parameters ?? t.input_schema })),
    forced: c?.function?.name ?? c?.name,
    single: q.parallel_tool_calls === false || c?.disable_parallel_tool_use === true,
    effort: q.reasoning_effort ?? q.reasoning?.effort ?? q.output_config?.effort,
    schema: q.response_format?.json_schema?.schema ?? q.text?.format?.schema ?? q.output_config?.format?.schema,
    stop: noneOrText(q.stop ?? q.stop_sequences),
  };
}

// --- what a client must see ---------------------------------------------------------------------

const FINISH = {
  chat: { stop: 'stop', calls: 'tool_calls', length: 'length', filter: 'content_filter' },
  responses: { stop: 'completed', calls: 'completed', length: 'incomplete:max_output_tokens', filter: 'incomplete:content_filter' },
  messages: { stop: 'end_turn', calls: 'tool_use', length: 'max_tokens', filter: 'refusal' },
};

const droppedOf = (response) => (response.headers.get('x-triglot-dropped') ?? '').split(', ').filter(Boolean);

const failure = (promise) => promise.then((r) => assert.fail(`no error: ${JSON.stringify(r.raw ?? r).slice(0, 300)}`), (e) => e);

function pair(entry, upstream) {
  const same = entry.dialect === upstream;
  const finish = FINISH[entry.dialect];
  const model = (kind) => `${PREFIX[upstream]}-${kind}`;
  let client;
  before(() => {
    client = entry.open(world.daemon.url);
  });
  const last = () => {
    const req = world.up.last;
    assert.equal(req.dialect, upstream);
    return req;
  };
  const lastSaid = () => said(upstream, last().json);

  const counted = (feature, fn) => matrix.counts(feature, entry.dialect, upstream, fn);
  const once = (name, fn, skip) => it(name, { skip }, counted(name, fn));

  for (const mode of MODES) {
    const test = (name, fn, skip) => it(`${name}, ${mode}`, { skip }, counted(name, fn));
    const ask = (kind, r) => client.ask(model(kind), { user: 'Say something.', ...r }, mode);
    const argsOf = (call) => call.args ?? JSON.stringify(call.input);
    // The SDK of Messages hands over objects; the others the very bytes.
    const checkArgs = (call, args) => {
      if (client.dialect === 'messages') assert.deepEqual(call.input, JSON.parse(args));
      else assert.equal(call.args, args);
    };

    test('text, system, limits and usage', async () => {
      const r = await ask('text', { system: 'Be brief.', max: 64 });
      assert.equal(r.text, TEXT);
      assert.equal(r.finish, finish.stop);
      assert.equal(r.refusal, null);
      assert.deepEqual(r.calls, []);
      assert.equal(r.raw.model, model('text'));
      assert.deepEqual(r.usage, { ...USAGE, total: USAGE.input + USAGE.output });
      const s = lastSaid();
      assert.equal(s.system, 'Be brief.');
      assert.deepEqual(s.user, [{ text: 'Say something.' }]);
      assert.equal(s.max, 64);
      if (r.response && !same) assert.deepEqual(droppedOf(r.response), []);
      assert.equal(last().headers['x-api-key'] ?? last().headers.authorization, upstream === 'messages' ? 'sk-up' : 'Bearer sk-up');
    });

    test('two parallel calls and their results', async () => {
      const req = { user: 'Weather?', tools: [WEATHER, TIME] };
      const first = await client.ask(model('two'), req, mode);
      assert.deepEqual(lastSaid().tools, [WEATHER, TIME]);
      assert.equal(first.finish, finish.calls);
      assert.equal(first.text, 'Let me look.');
      assert.deepEqual(first.calls.map((c) => c.name), ['get_weather', 'get_weather']);
      const stem = upstream === 'messages' ? 'toolu_up' : 'call_up';
      assert.deepEqual(first.calls.map((c) => c.id), [`${stem}1`, `${stem}2`]);
      first.calls.forEach((c, i) => checkArgs(c, ARGS[i]));
      if (client.dialect === 'messages' && mode === 'stream')
        assert.deepEqual(first.json, ARGS);

      const second = await client.ask(model('two'), follow(client, req, first, first.calls.map((c, i) => ({ id: c.id, text: `result ${i}` }))), mode);
      assert.equal(second.text, 'All done.');
      assert.equal(second.finish, finish.stop);
      const sent = history(upstream, last().json);
      assert.deepEqual(sent.results, [{ id: `${stem}1`, text: 'result 0' }, { id: `${stem}2`, text: 'result 1' }]);
      assert.deepEqual(sent.calls.map((c) => [c.id, c.name]), [[`${stem}1`, 'get_weather'], [`${stem}2`, 'get_weather']]);
      for (const [i, c] of sent.calls.entries()) {
        const held = argsOf(first.calls[i]);
        if (upstream !== 'messages') assert.equal(c.args, held);
        else if (!held.startsWith('{ ')) assert.ok(last().body.toString().includes(`"input":${held}`), `${held} is sent as it was: ${last().body}`);
        else assert.deepEqual(c.input, JSON.parse(held));
      }
      assert.ok(last().body.toString().includes('Let me look.'));
    });

    test('calls whose fragments come in turn', async () => {
      const r = await ask('woven', { tools: [WEATHER] });
      assert.deepEqual(r.calls.map((c) => c.name), ['get_weather', 'get_weather']);
      r.calls.forEach((c, i) => checkArgs(c, ARGS[i]));
      assert.equal(new Set(r.calls.map((c) => c.id)).size, 2);
      assert.equal(r.finish, finish.calls);
    });

    test('a call without arguments', async () => {
      const req = { user: 'Time?', tools: [TIME] };
      const first = await client.ask(model('empty'), req, mode);
      assert.equal(first.finish, finish.calls);
      const [call] = first.calls;
      assert.equal(call.name, 'get_time');
      if (client.dialect === 'messages') assert.deepEqual(call.input, {});
      else assert.match(call.args, /^(\{\})?$/);
      const second = await client.ask(model('empty'), follow(client, req, first, [{ id: call.id, text: 'noon' }]), mode);
      assert.equal(second.text, 'All done.');
      const [sent] = history(upstream, last().json).calls;
      assert.ok(['', '{}'].includes(sent.args ?? JSON.stringify(sent.input)));
    });

    test('images and a PDF keep their place', async () => {
      const image = { url: 'https://example.org/cat.jpg' };
      const r = await ask('text', { user: [{ text: 'What' }, { image: PNG }, { text: 'and' }, { image }, { pdf: PDF }] });
      assert.equal(r.text, TEXT);
      assert.deepEqual(lastSaid().user, [
        { text: 'What' }, { image: `data:image/png;base64,${PNG.data}` }, { text: 'and' }, { image: image.url }, { pdf: PDF.data, name: PDF.name },
      ]);
    });

    test('a named tool, one at a time, effort', async () => {
      await ask('text', { tools: [WEATHER], force: 'get_weather', single: true });
      const s = lastSaid();
      assert.equal(s.forced, 'get_weather');
      assert.equal(s.single, true);
      await ask('text', { effort: 'high' });
      assert.equal(lastSaid().effort, 'high');
      if (upstream === 'messages') assert.equal(last().json.thinking.type, 'adaptive');
    });

    test('thinking is shown', async () => {
      const r = await ask('think', { effort: 'high' });
      assert.equal(r.text, TEXT);
      assert.equal(r.finish, finish.stop);
      if (r.thought !== undefined) assert.equal(r.thought, THOUGHT);
      assert.equal(r.usage.reasoning, USAGE.reasoning);
    });

    for (const kind of ['thinkcall', 'hidden']) {
      test(`${kind === 'hidden' ? 'hidden ' : ''}thinking comes back with the results`, async () => {
        const req = { user: 'Weather?', tools: [WEATHER], effort: 'high' };
        const first = await client.ask(model(kind), req, mode);
        assert.equal(first.calls.length, 1);
        if (kind === 'thinkcall' && first.thought !== undefined) assert.equal(first.thought, THOUGHT);
        const second = await client.ask(model(kind), follow(client, req, first, [{ id: first.calls[0].id, text: 'sunny' }]), mode);
        assert.equal(second.text, 'All done.');
        const { body, json } = last();
        assert.ok(!body.includes('tg1:'), 'no envelope goes upstream');
        if (client.dialect === 'chat') return; // it has no field for a signature
        if (upstream === 'messages') {
          const assistant = json.messages.find((m) => m.role === 'assistant');
          const whole = { type: 'thinking', thinking: THOUGHT, signature: SIGNATURE };
          assert.deepEqual(assistant.content[0], kind === 'hidden' ? { type: 'redacted_thinking', data: REDACTED } : whole);
        } else if (upstream === 'responses') {
          const item = json.input.find((i) => i.type === 'reasoning');
          assert.ok(item, `a reasoning item: ${JSON.stringify(json.input)}`);
          assert.equal(item.id, 'rs_up0');
          assert.equal(item.encrypted_content, SIGNATURE);
          assert.deepEqual(item.summary, kind === 'hidden' ? [] : [{ type: 'summary_text', text: THOUGHT }]);
        }
      }, kind === 'hidden' && upstream === 'chat' ? 'Chat has none' : false);
    }

    // pitfalls J1
    test('structured output', async () => {
      const r = await ask('json', { schema: PERSON });
      assert.equal(r.text, PERSON_TEXT);
      assert.deepEqual(lastSaid().schema, PERSON);
      if (mode !== 'whole') return;
      assert.deepEqual(await client.parsed(model('json'), { user: 'Who?', schema: PERSON }), { name: 'Ada', age: 36 });
    });

    test('refusal', async () => {
      const r = await ask('refusal');
      if (client.dialect === 'messages') {
        assert.equal(r.finish, 'refusal');
        assert.equal(r.text, REFUSAL);
      } else if (upstream === 'messages') {
        assert.equal(r.finish, finish.filter);
        assert.ok(r.text === REFUSAL || r.refusal === REFUSAL);
      } else {
        assert.equal(r.finish, finish.stop);
        assert.equal(r.refusal, REFUSAL);
        assert.equal(r.text, '');
      }
    });

    test('length', async () => {
      const r = await ask('length');
      assert.equal(r.finish, finish.length);
      assert.equal(r.text, 'Cut sho');
    });

    test('content filter', async () => {
      const r = await ask('filter');
      assert.equal(r.finish, finish.filter);
      assert.equal(r.text, 'Part');
      if (client.dialect === 'messages') assert.equal(r.raw.stop_details?.type, 'refusal');
    });

    test('stop sequences', async () => {
      const r = await ask('stopped', { stop: ['END', 'FIN'] });
      assert.equal(r.text, 'Up to here');
      // Upstreams of Responses have no stop sequences: the gateway ends the answer.
      assert.deepEqual(lastSaid().stop, upstream === 'responses' ? undefined : ['END', 'FIN']);
      if (client.dialect === 'messages' && upstream !== 'chat') {
        assert.equal(r.finish, 'stop_sequence');
        assert.equal(r.raw.stop_sequence, 'END');
      } else assert.equal(r.finish, finish.stop);
    }, entry.dialect === 'responses' ? 'Responses has none' : false);
  }

  // --- errors -----------------------------------------------------------------------------------

  for (const status of [400, 401, 403, 404, 429, 500, 503, 529]) {
    it(`${status} before the answer`, counted('errors before the answer', async () => {
      for (const mode of ['whole', 'stream']) {
        const e = await failure(client.ask(model(`error-${status}`), { user: 'x' }, mode));
        assert.ok(e instanceof client.errors.APIError, `${e.constructor.name}: ${e.message}`);
        assert.ok(client.dialect === 'messages' ? e.error?.error?.type : e.type, `a body of the client's dialect: ${JSON.stringify(e.error)}`);
        assert.ok(e.requestID, 'a request id');
        if (same) {
          assert.equal(e.status, status);
          const body = errorBody(upstream, status);
          assert.deepEqual(e.error, client.dialect === 'messages' ? body : body.error);
        } else if (status === 401) assert.ok(e.status >= 500, `the upstream's key is not the client's fault: ${e.status}`);
        else if (status === 503 || status === 529) assert.ok([503, 529].includes(e.status), `${e.status}`);
        else if (status === 500) assert.ok(e.status >= 500, `${e.status}`);
        else assert.equal(e.status, status);
        if (!same && status === 529) assert.equal(e.status, client.dialect === 'messages' ? 529 : 503);
        if (!same && status === 503 && client.dialect === 'messages' && upstream !== 'messages') assert.equal(e.status, 529);
        if (status === 400) {
          assert.ok(e instanceof client.errors.BadRequestError);
          assert.match(e.message, /scripted 400/);
        }
        if (status === 429) {
          assert.ok(e instanceof client.errors.RateLimitError);
          assert.equal(e.headers.get('retry-after'), '7');
        }
      }
    }));
  }

  once('a context that is too long, and no money', async () => {
    for (const mode of ['whole', 'stream']) {
      const long = await failure(client.ask(model('context'), { user: 'x' }, mode));
      assert.equal(long.status, 400);
      if (client.dialect === 'messages') assert.match(long.error.error.message, /prompt is too long/);
      else assert.equal(long.code, 'context_length_exceeded');
      const broke = await failure(client.ask(model('quota'), { user: 'x' }, mode));
      assert.equal(broke.status, client.dialect === 'messages' ? 402 : 429);
      if (client.dialect === 'messages') assert.equal(broke.error.error.type, 'billing_error');
      else assert.equal(broke.code, 'insufficient_quota');
    }
  });

  once('leaving the loop closes the upstream', async () => {
    world.up.gates = [deferred(), deferred()];
    world.up.gates[0].resolve();
    for await (const e of await client.events(model('pause'), { user: 'x' })) {
      assert.ok(e);
      break;
    }
    await within(2000, last().peer.gone, "the upstream connection's end");
    world.up.gates[1].resolve();
  });

  for (const [kind, what] of [['midway', 'an error'], ['cut', 'an early end']]) {
    once(`${what} in mid-stream`, async () => {
      const seen = [];
      const run = async () => {
        for await (const e of await client.events(model(kind), { user: 'x' })) seen.push(e);
      };
      const mustRaise = same && kind === 'cut' ? null : client.dialect !== 'responses';
      if (mustRaise) {
        const e = await failure(run());
        assert.ok(e instanceof client.errors.APIError, `${e.constructor.name}: ${e.message}`);
        if (kind === 'midway') assert.match(e.message, /scripted midway/);
      } else if (client.dialect === 'responses') {
        await run().catch((e) => assert.ok(e instanceof client.errors.APIError && same, `${e.constructor.name}: ${e.message}`));
        if (seen.at(-1).type !== 'response.failed') assert.ok(same && kind === 'cut', `ended with ${seen.at(-1).type}`);
        else if (kind === 'midway') assert.match(seen.at(-1).response.error.message, /scripted midway/);
      } else await failure(run());
      assert.ok(seen.length > 0, 'what came before the error');
    });
  }

  // --- what cannot be carried -------------------------------------------------------------------

  const drops = {
    chat: [{ seed: 7, logit_bias: { 50: 5 }, presence_penalty: 0.5 }, ['seed', 'logit_bias', 'presence_penalty']],
    responses: [{ reasoning: { context: 'all_turns' } }, ['reasoning.context']],
    messages: [{ inference_geo: 'eu' }, ['inference_geo']],
  }[entry.dialect];
  if (!same) {
    once('x-triglot-dropped names what was dropped', async () => {
      for (const mode of ['whole', 'stream']) {
        const r = await client.ask(model('text'), { user: 'x', extra: { [client.dialect]: drops[0] } }, mode);
        assert.equal(r.text, TEXT);
        assert.deepEqual(droppedOf(r.response).sort(), [...drops[1]].sort());
      }
    });

    once('strict: what would be dropped is refused', async () => {
      const before = world.up.requests.length;
      for (const mode of ['whole', 'stream']) {
        const e = await failure(client.ask(`strict-${upstream}`, { user: 'x', extra: { [client.dialect]: drops[0] } }, mode));
        assert.equal(e.status, 400, `${e.status} ${e.message}`);
        assert.ok(drops[1].some((d) => e.message.includes(d)), e.message);
        if (client.dialect !== 'messages') assert.ok(drops[1].includes(e.param), `param ${e.param}`);
      }
      assert.equal(world.up.requests.length, before, 'nothing was sent');
      // What says no more than that nothing is wanted is no loss: Codex sends store: false always.
      const store = client.dialect === 'messages' ? {} : { store: false };
      const r = await client.ask(`strict-${upstream}`, { user: 'x', extra: { [client.dialect]: store } }, 'whole');
      assert.equal(r.text, TEXT);
      assert.deepEqual(droppedOf(r.response), []);
    });
  }

  if (entry.dialect !== 'chat') return;

  once('n = 2', async () => {
    const body = { model: model('text'), messages: [{ role: 'user', content: 'x' }], n: 2 };
    if (upstream === 'chat') {
      const whole = await client.api.chat.completions.create(body);
      assert.deepEqual(whole.choices.map((c) => c.message.content), [TEXT, TEXT]);
      const final = await client.api.chat.completions.stream(body).finalChatCompletion();
      assert.deepEqual(final.choices.map((c) => c.message.content), [TEXT, TEXT]);
      return;
    }
    const before = world.up.requests.length;
    for (const stream of [false, true]) {
      const e = await failure(client.api.chat.completions.create({ ...body, stream }));
      assert.equal(e.status, 400);
      assert.equal(e.param, 'n');
    }
    assert.equal(world.up.requests.length, before, 'nothing was sent');
    return '400';
  });

  it('stream without include_usage has no usage', async () => {
    const chunks = await collect(await client.events(model('text'), { user: 'x' }));
    assert.ok(chunks.every((c) => !c.usage && c.choices.length === 1));
  });

  for (const stream of [false, true]) {
    it(`runTools${stream ? ', streaming' : ''}`, counted("the SDK's tool loop", async () => {
      const asked = [];
      const tool = { ...WEATHER, parse: JSON.parse, function: (a) => (asked.push(a.city), `fine in ${a.city}`) };
      const runner = client.api.chat.completions.runTools({
        model: model('two'), messages: [{ role: 'user', content: 'Weather?' }], stream, tools: [{ type: 'function', function: tool }],
      });
      assert.equal(await runner.finalContent(), 'All done.');
      assert.deepEqual(asked.sort(), ['Oslo', 'Zürich 😀 "old"']);
      assert.equal(history(upstream, last().json).results.length, 2);
    }));
  }
}

for (const entry of clients)
  describe(entry.name, { skip: entry.skip }, () => {
    for (const upstream of UPSTREAMS) describe(`to ${upstream}`, () => pair(entry, upstream));
  });
