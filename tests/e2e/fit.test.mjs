// Requests fitted to what the model behind the route can take, and answers fitted back: free-form tools, long names, stop
// sequences, log probabilities, parameter rules, capabilities, and signs of life for clients that count records only.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clients, collect } from './lib/clients.mjs';
import { start } from './lib/daemon.mjs';
import { Upstream } from './lib/upstream.mjs';
import { deferred } from './lib/util.mjs';

const UPSTREAMS = ['chat', 'responses', 'messages'];
const PATCH = '*** Begin Patch\n*** Update File: "a\\b.c"\n+ é 😀 \t{"input": 1}\n*** End Patch';
const LONG = `mcp__server__${'tool_'.repeat(20)}end`;

// The next answer, as records of the upstream's stream or one JSON text; the test sets it.
let script;
const world = {};

const sse = (dialect, events) =>
  events.map((e) => (e === '[DONE]' ? 'data: [DONE]\n\n' : dialect === 'chat' ? `data: ${JSON.stringify(e)}\n\n` : `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`));

const STREAM = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

async function play(req, peer) {
  const { events, whole, wait } = script(req);
  if (!req.json.stream) return peer.answer(200, JSON.stringify(whole), JSON_TYPE);
  await peer.write(`HTTP/1.1 200 OK\r\ncontent-type: ${STREAM['content-type']}\r\ntransfer-encoding: chunked\r\n\r\n`);
  for (const e of events) {
    if (typeof e === 'function') await e();
    else if (!(await peer.write(`${Buffer.byteLength(e).toString(16)}\r\n${e}\r\n`))) return undefined;
  }
  await wait;
  return peer.write('0\r\n\r\n');
}

before(async () => {
  world.up = await Upstream.listen(play);
  world.daemon = await start({
    heartbeat_seconds: 0.05,
    heartbeat_event_seconds: 0.1,
    upstreams: UPSTREAMS.map((dialect) => ({ name: dialect, url: world.up.url, dialect, key: 'sk-up' })),
    models: [
      ...UPSTREAMS.map((dialect) => ({ name: dialect, upstream: dialect, model: 'm' })),
      { name: 'native', upstream: 'chat', model: 'm', capabilities: { custom_tools: true } },
      { name: 'ruled', upstream: 'chat', model: 'm', parameters: ['drop temperature', 'rename max_completion_tokens max_tokens', 'clamp top_p 0.1 0.5', 'refuse seed', 'default reasoning_effort "low"'] },
      { name: 'ruled-messages', upstream: 'messages', model: 'm', parameters: ['drop temperature', 'clamp max_tokens 1 50'] },
    ],
  });
});
after(async () => {
  await world.daemon?.finish();
  await world.up?.close();
});

const post = (path, body, headers = {}) =>
  fetch(world.daemon.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
const sent = () => world.up.last.json;
const dropped = (r) => (r.headers.get('x-triglot-dropped') ?? '').split(', ').filter(Boolean);
const client = (dialect) => clients.find((c) => c.dialect === dialect && !c.skip).open(world.daemon.url);
const failure = (promise) => promise.then((r) => assert.fail(`no error: ${JSON.stringify(r).slice(0, 300)}`), (e) => e);

// An answer of one call (arguments in pieces) or one text in the words of each dialect, streamed and whole.
const split = (s, n) => s.match(new RegExp(`[\\s\\S]{1,${n}}`, 'gu')) ?? [''];
const answers = {
  chat({ text, call, piece = 3, logprobs }) {
    const chunk = (delta, finish_reason = null, lp) => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason, ...(lp ? { logprobs: { content: lp, refusal: null } } : {}) }] });
    const of = (name, args) => ({ index: 0, id: 'call_1', type: 'function', function: { name, arguments: args } });
    const message = { role: 'assistant', content: text ?? null, refusal: null, ...(call ? { tool_calls: [{ id: 'call_1', type: 'function', function: { name: call.name, arguments: call.args } }] } : {}) };
    const finish_reason = call ? 'tool_calls' : 'stop';
    return {
      events: sse('chat', [
        ...(text ? (logprobs ? logprobs.map((l) => chunk({ content: l.token }, null, [l])) : split(text, piece).map((content) => chunk({ content }))) : []),
        ...(call ? [chunk({ tool_calls: [of(call.name, '')] }), ...split(call.args, piece).map((a) => chunk({ tool_calls: [{ index: 0, function: { arguments: a } }] }))] : []),
        chunk({}, finish_reason), '[DONE]',
      ]),
      whole: { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason, logprobs: logprobs ? { content: logprobs, refusal: null } : null }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
    };
  },
  messages({ text, call, piece = 3 }) {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage };
    const block = call ? { type: 'tool_use', id: 'call_1', name: call.name, input: {} } : { type: 'text', text: '' };
    const deltas = call ? split(call.args, piece).map((partial_json) => ({ type: 'input_json_delta', partial_json })) : split(text, piece).map((t) => ({ type: 'text_delta', text: t }));
    const stop_reason = call ? 'tool_use' : 'end_turn';
    return {
      events: sse('messages', [
        { type: 'message_start', message }, { type: 'content_block_start', index: 0, content_block: block },
        ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
        { type: 'content_block_stop', index: 0 }, { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage }, { type: 'message_stop' },
      ]),
      whole: { ...message, content: [call ? { ...block, input: JSON.parse(call.args) } : { type: 'text', text }], stop_reason },
    };
  },
  responses({ text, piece = 3, logprobs = [] }) {
    const part = { type: 'output_text', text, annotations: [], logprobs };
    const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
    const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'completed', output: [item], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } };
    let sequence_number = 0;
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const deltas = logprobs.length ? logprobs.map((l) => ({ delta: l.token, logprobs: [l] })) : split(text, piece).map((delta) => ({ delta, logprobs: [] }));
    return {
      events: sse('responses', [
        { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
        { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
        { type: 'response.content_part.added', ...at, part: { ...part, text: '', logprobs: [] } },
        ...deltas.map((d) => ({ type: 'response.output_text.delta', ...at, ...d })),
        { type: 'response.output_text.done', ...at, text, logprobs }, { type: 'response.content_part.done', ...at, part },
        { type: 'response.output_item.done', output_index: 0, item }, { type: 'response.completed', response },
      ].map((e) => ({ ...e, sequence_number: sequence_number++ }))),
      whole: response,
    };
  },
};

const FREEFORM = { type: 'custom', name: 'apply_patch', description: 'Patches files.', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } };

describe('free-form tools, as Codex has them (pitfalls D10)', () => {
  for (const upstream of ['chat', 'messages'])
    for (const stream of [true, false])
      it(`through ${upstream}, ${stream ? 'stream' : 'whole'}`, async () => {
        const api = client('responses').api;
        const body = { model: upstream, input: [{ role: 'user', content: 'Patch it.' }], tools: [FREEFORM] };
        script = () => answers[upstream]({ call: { name: 'apply_patch', args: JSON.stringify({ input: PATCH }) }, piece: 1 });
        let response;
        if (stream) {
          const events = await collect(await api.responses.create({ ...body, stream: true }));
          response = events.at(-1).response;
          assert.equal(events.filter((e) => e.type === 'response.custom_tool_call_input.delta').map((e) => e.delta).join(''), PATCH);
          assert.equal(events.find((e) => e.type === 'response.custom_tool_call_input.done').input, PATCH);
          assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
        } else response = await api.responses.create(body);
        const [call] = response.output;
        assert.equal(call.type, 'custom_tool_call');
        assert.equal(call.name, 'apply_patch');
        assert.equal(call.input, PATCH);
        const tool = sent().tools[0].function ?? sent().tools[0];
        assert.deepEqual((tool.parameters ?? tool.input_schema).required, ['input']);
        assert.ok(tool.description.includes('start: "x"'), 'the grammar is told in the description');

        script = () => answers[upstream]({ text: 'Done.' });
        const second = await api.responses.create({ ...body, input: [...body.input, ...response.output, { type: 'custom_tool_call_output', call_id: call.call_id, output: 'ok' }] });
        assert.equal(second.output_text, 'Done.');
        const args = upstream === 'chat' ? JSON.parse(sent().messages[1].tool_calls[0].function.arguments) : sent().messages[1].content[0].input;
        assert.deepEqual(args, { input: PATCH });
      });

  it('stay as they are where the model knows them', async () => {
    script = () => answers.chat({ text: 'No.' });
    await client('responses').api.responses.create({ model: 'native', input: 'x', tools: [FREEFORM] });
    assert.equal(sent().tools[0].type, 'custom');
  });
});

describe('long tool names (pitfalls D3)', () => {
  for (const stream of [true, false])
    it(stream ? 'stream' : 'whole', async () => {
      const api = client('messages').api;
      const body = { model: 'chat', max_tokens: 100, messages: [{ role: 'user', content: 'x' }], tools: [{ name: LONG, input_schema: { type: 'object' } }], tool_choice: { type: 'tool', name: LONG } };
      script = (req) => answers.chat({ call: { name: req.json.tools[0].function.name, args: '{}' } });
      const message = stream ? await api.messages.stream(body).finalMessage() : await api.messages.create(body);
      const name = sent().tools[0].function.name;
      assert.ok(name.length <= 64 && /^[a-zA-Z0-9_-]+$/.test(name), name);
      assert.equal(sent().tool_choice.function.name, name);
      assert.equal(message.content[0].name, LONG);
      await api.messages.create({ ...body, messages: [...body.messages, { role: 'assistant', content: message.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: message.content[0].id, content: 'ok' }] }] });
      assert.equal(sent().messages[1].tool_calls[0].function.name, name);
    });
});

describe('stop sequences that the upstream does not take', () => {
  for (const stream of [true, false])
    for (const piece of [1, 2, 50])
      it(`pieces of ${piece}, ${stream ? 'stream' : 'whole'}`, async () => {
        script = () => answers.responses({ text: 'one two ENE three END four', piece });
        const api = client('messages').api;
        const body = { model: 'responses', max_tokens: 100, messages: [{ role: 'user', content: 'x' }], stop_sequences: ['END', 'four'] };
        const message = stream ? await api.messages.stream(body).finalMessage() : await api.messages.create(body);
        assert.equal(message.content[0].text, 'one two ENE three ');
        assert.equal(message.stop_reason, 'stop_sequence');
        assert.equal(message.stop_sequence, 'END');
        assert.equal(sent().stop, undefined);
      });

  it('the upstream is let go at once', async () => {
    const never = deferred();
    script = () => ({ events: answers.responses({ text: 'one END', piece: 50 }).events.slice(0, 4), wait: never.promise });
    const chunks = await collect(await client('chat').api.chat.completions.create({ model: 'responses', stream: true, messages: [{ role: 'user', content: 'x' }], stop: 'END' }));
    assert.equal(chunks.map((c) => c.choices[0]?.delta.content ?? '').join(''), 'one ');
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
    await world.up.last.peer.gone;
    never.resolve();
  });
});

it('a stream whose body ends late gives its connection back, translated and relayed, even when the client leaves', async () => {
  const before = world.up.peers.length;
  for (const model of ['messages', 'chat', 'messages', 'chat', 'messages']) {
    const end = deferred();
    script = (req) => ({ ...answers[req.path.includes('messages') ? 'messages' : 'chat']({ text: 'Hello' }), wait: end.promise });
    const r = await post('/v1/chat/completions', { model, stream: true, messages: [{ role: 'user', content: 'x' }] }, { connection: 'close' });
    let text = '';
    for await (const b of r.body) text += Buffer.from(b).toString();
    assert.ok(text.endsWith('data: [DONE]\n\n'));
    end.resolve();
    await world.daemon.access(r.headers.get('x-request-id'));
  }
  assert.ok(world.up.peers.length - before <= 2, `${world.up.peers.length - before} connections`);
});

it('names that a header cannot hold do not cost the header (or the answer)', async () => {
  script = () => answers.chat({ text: 'x' });
  const r = await post('/v1/messages', { model: 'chat', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], ['k'.repeat(30000)]: 1, 'a\nb': 2, zz: 3 });
  assert.equal(r.status, 200);
  assert.deepEqual(dropped(r).map((d) => d.slice(0, 3)), ['kkk', 'a?b', 'zz']);
});

describe('log probabilities', () => {
  const logprobs = ['Hel', 'lo'].map((token, i) => ({ token, logprob: -0.25 * (i + 1), bytes: [...Buffer.from(token)], top_logprobs: [{ token, logprob: -0.25 * (i + 1), bytes: [...Buffer.from(token)] }] }));
  for (const stream of [true, false]) {
    it(`of Chat for a Responses client, ${stream ? 'stream' : 'whole'}`, async () => {
      script = () => answers.chat({ text: 'Hello', logprobs });
      const api = client('responses').api;
      const body = { model: 'chat', input: 'x', include: ['message.output_text.logprobs'], top_logprobs: 1 };
      const r = stream ? await api.responses.stream(body).finalResponse() : await api.responses.create(body);
      assert.equal(r.output_text, 'Hello');
      assert.deepEqual(r.output[0].content[0].logprobs, logprobs);
      assert.equal(sent().logprobs, true);
      assert.equal(sent().top_logprobs, 1);
    });
    it(`of Responses for a Chat client, ${stream ? 'stream' : 'whole'}`, async () => {
      script = () => answers.responses({ text: 'Hello', logprobs });
      const api = client('chat').api;
      const body = { model: 'responses', messages: [{ role: 'user', content: 'x' }], logprobs: true, top_logprobs: 1 };
      const r = stream ? await api.chat.completions.stream(body).finalChatCompletion() : await api.chat.completions.create(body);
      assert.deepEqual(r.choices[0].logprobs.content, logprobs);
      assert.deepEqual(sent().include?.filter((i) => i.includes('logprobs')), ['message.output_text.logprobs']);
    });
  }
});

describe('parameter rules', () => {
  it('hold for relayed bodies', async () => {
    script = () => answers.chat({ text: 'x' });
    const r = await post('/v1/chat/completions', { model: 'ruled', messages: [{ role: 'user', content: 'x' }], temperature: 0.5, max_completion_tokens: 7, top_p: 0.9 });
    assert.equal(r.status, 200, await r.clone().text());
    assert.deepEqual(sent(), { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 7, top_p: 0.5, reasoning_effort: 'low' });
    assert.deepEqual(dropped(r).sort(), ['temperature', 'top_p']);
  });
  it('hold behind translation', async () => {
    script = () => answers.messages({ text: 'x' });
    const r = await post('/v1/responses', { model: 'ruled-messages', input: 'x', temperature: 0.5, max_output_tokens: 100 });
    assert.equal(r.status, 200, await r.clone().text());
    assert.equal(sent().temperature, undefined);
    assert.equal(sent().max_tokens, 50);
  });
  it('refuse by name', async () => {
    const n = world.up.requests.length;
    const r = await post('/v1/chat/completions', { model: 'ruled', messages: [{ role: 'user', content: 'x' }], seed: 1 });
    assert.equal(r.status, 400);
    assert.equal((await r.json()).error.param, 'seed');
    assert.equal(world.up.requests.length, n);
  });
});

describe('signs of life in Responses streams (pitfalls H2, H3)', () => {
  // An upstream that says the first half and then nothing until it is told to.
  const halves = (dialect, pause) => {
    const { events } = answers[dialect]({ text: 'Hello there.', piece: 50 });
    const at = events.findIndex((e) => e.includes('Hello'));
    return { events: [...events.slice(0, at + 1), () => pause, ...events.slice(at + 1)] };
  };
  const read = async (agent, upstream, done) => {
    const pause = deferred();
    script = () => halves(upstream, pause.promise);
    const r = await post('/v1/responses', { model: upstream, input: 'x', stream: true }, { 'user-agent': agent });
    let text = '';
    const decoder = new TextDecoder();
    for await (const b of r.body) {
      text += decoder.decode(b, { stream: true });
      if (done(text)) pause.resolve();
    }
    return { text, events: [...text.matchAll(/^data: (\{.*)$/gm)].map((m) => JSON.parse(m[1])) };
  };
  const alive = (text) => (text.match(/^event: keepalive$/gm) ?? []).length;
  const comments = (text) => (text.match(/^: keep-alive$/gm) ?? []).length;

  it('Codex gets typed records, counted in sequence', async () => {
    const { text, events } = await read('codex_cli_rs/0.150.0', 'messages', (t) => alive(t) >= 2);
    assert.ok(comments(text) > 0);
    assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
    assert.equal(events[0].type, 'response.created');
    assert.equal(events.at(-1).type, 'response.completed');
    assert.ok(events.filter((e) => e.type === 'keepalive').length >= 2);
  });
  it('and in a relayed stream, without a number that is not ours to give', async () => {
    const { text, events } = await read('codex_exec/1', 'responses', (t) => alive(t) >= 1);
    assert.ok(alive(text) >= 1);
    assert.ok(events.filter((e) => e.type === 'keepalive').every((e) => !('sequence_number' in e)));
    const others = events.filter((e) => e.type !== 'keepalive');
    assert.deepEqual(others.map((e) => e.sequence_number), others.map((_, i) => i));
  });
  it('others get comments', async () => {
    const { text } = await read('OpenAI/JS 7', 'messages', (t) => comments(t) >= 4);
    assert.equal(alive(text), 0);
  });
});

it('a web search asked for by a Chat client', async () => {
  for (const upstream of ['responses', 'messages']) {
    script = () => answers[upstream]({ text: 'x' });
    const r = await post('/v1/chat/completions', { model: upstream, messages: [{ role: 'user', content: 'x' }], web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Bern' } } } });
    assert.equal(r.status, 200, await r.clone().text());
    assert.match(sent().tools[0].type, /^web_search/);
    assert.equal(sent().tools[0].user_location.city, 'Bern');
  }
});

it('an answer that goes on is refused where the model would begin anew', async () => {
  const e = await failure(client('messages').api.messages.create({ model: 'chat', max_tokens: 9, messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: 'Well,' }] }));
  assert.equal(e.status, 400);
  assert.match(e.message, /messages\.1/);
});
