// Streams that broke the clients of other gateways, each under the number it has in the list of pitfalls. An upstream's
// records go through POST /v1/convert, which uses the codecs, checker and sequencer of live traffic; every case is also
// sent cut into its smallest and largest chunks where the dialect allows to re-chunk, and checked by the client
// dialect's own rules (one grammar for all streams of a dialect).

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { start } from './lib/daemon.mjs';

let daemon;
before(async () => {
  daemon = await start({});
});
after(() => daemon?.finish());

async function convert(body) {
  const r = await fetch(`${daemon.url}/v1/convert`, { method: 'POST', body: JSON.stringify(body) });
  return { status: r.status, json: await r.json() };
}

const eventsOf = (text) => [...text.matchAll(/^data: (.*)$/gm)].map((m) => (m[1] === '[DONE]' ? '[DONE]' : JSON.parse(m[1])));

// Invariant 1: Messages.
function foldMessages(events) {
  const blocks = [];
  let open = -1;
  assert.equal(events[0].type, 'message_start');
  for (const e of events.slice(1)) {
    if (e.type === 'content_block_start') {
      assert.equal(open, -1, 'one block at a time');
      assert.equal(e.index, blocks.length);
      open = e.index;
      blocks.push({ ...e.content_block, json: '' });
    } else if (e.type === 'content_block_delta') {
      assert.equal(e.index, open, 'a delta of the open block');
      const { type, ...d } = e.delta;
      const [[key, value]] = Object.entries(d);
      assert.ok(key === 'signature' || value.length > 0, `an empty ${type}`);
      if (key === 'partial_json') blocks[open].json += value;
      else blocks[open][key] = key === 'signature' ? value : blocks[open][key] + value;
    } else if (e.type === 'content_block_stop') {
      assert.equal(e.index, open);
      open = -1;
    }
  }
  assert.equal(open, -1);
  const [delta, ...more] = events.filter((e) => e.type === 'message_delta');
  assert.equal(more.length, 0);
  assert.ok(delta.delta.stop_reason, 'a stop_reason');
  assert.deepEqual(events.slice(-2).map((e) => e.type), ['message_delta', 'message_stop']);
  return { blocks, stop: delta.delta.stop_reason };
}

// Invariant 2: Responses.
function foldResponses(records) {
  const events = records.filter((e) => e !== '[DONE]');
  assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
  assert.deepEqual(events.slice(0, 2).map((e) => e.type), ['response.created', 'response.in_progress']);
  const items = [];
  const parts = new Map();
  const texts = new Map();
  const at = (e) => `${e.output_index}/${e.content_index ?? ''}/${e.summary_index ?? ''}`;
  for (const e of events) {
    if (e.item_id) assert.equal(e.item_id, items[e.output_index]?.id, `${e.type} is of an added item`);
    if (e.type === 'response.output_item.added') {
      assert.equal(e.output_index, items.length);
      if (e.item.type === 'reasoning') assert.ok(Array.isArray(e.item.summary), 'C5: summary is an array from the beginning');
      items.push({ id: e.item.id });
    } else if (/(content_part|reasoning_summary_part)\.added$/.test(e.type)) parts.set(at(e), 'open');
    else if (/(content_part|reasoning_summary_part)\.done$/.test(e.type)) parts.set(at(e), 'done');
    else if (/\.delta$/.test(e.type)) {
      if (e.content_index !== undefined || e.summary_index !== undefined) assert.equal(parts.get(at(e)), 'open', `${e.type} in an open part`);
      texts.set(at(e), (texts.get(at(e)) ?? '') + e.delta);
    } else if (/\.done$/.test(e.type) && !/item|part/.test(e.type)) assert.equal(e.text ?? e.arguments ?? e.refusal ?? e.input, texts.get(at(e)) ?? '', `${e.type} is what the deltas were`);
    else if (e.type === 'response.output_item.done') {
      assert.equal(e.item.id, items[e.output_index].id, 'C3, C13: one id an item');
      items[e.output_index] = e.item;
    }
  }
  const last = events.at(-1);
  assert.match(last.type, /^response\.(completed|incomplete|failed)$/);
  assert.equal(events.filter((e) => /^response\.(completed|incomplete|failed)$/.test(e.type)).length, 1);
  assert.ok([...parts.values()].every((s) => s === 'done'));
  assert.deepEqual(last.response.output, items);
  return { items, last };
}

// Invariant 3: Chat.
function foldChat(events) {
  const calls = [];
  let text = '';
  let finish = null;
  assert.equal(events.at(-1), '[DONE]');
  assert.equal(events[0].choices[0].delta.role, 'assistant');
  assert.ok('content' in events[0].choices[0].delta, 'B9: the first chunk has content');
  for (const e of events.slice(0, -1)) {
    for (const c of e.choices) {
      text += c.delta.content ?? '';
      for (const t of c.delta.tool_calls ?? []) {
        if (!calls[t.index]) {
          assert.equal(t.index, calls.length, 'indices are dense');
          assert.ok(t.id && t.type && typeof t.function.name === 'string');
          calls.push({ id: t.id, name: t.function.name, args: '' });
        } else assert.ok(!('id' in t) && !('name' in t.function), 'said once');
        calls[t.index].args += t.function.arguments ?? '';
      }
      if (c.finish_reason) {
        assert.equal(finish, null);
        finish = c.finish_reason;
      }
    }
  }
  return { text, calls, finish };
}

const FOLD = { messages: foldMessages, responses: foldResponses, chat: foldChat };

async function stream(from, to, records) {
  const { status, json } = await convert({ from, to, kind: 'stream', payload: records });
  assert.equal(status, 200, JSON.stringify(json));
  return FOLD[to](eventsOf(json.payload));
}

// --- Chat upstreams -----------------------------------------------------------------------------

const chunk = (delta, finish_reason = null) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';
const part = (index, args, head) => ({ index, ...head, function: { ...(head ? { name: head.name } : {}), arguments: args } });
const head = (n) => ({ id: `call_${n}`, type: 'function', name: `tool_${n}` });
const calls = (...list) => ({ tool_calls: list });

describe('Chat upstream', () => {
  const run = (to, ...chunks) => stream('chat', to, chunks.join('') + DONE);
  const callsOf = {
    messages: (r) => r.blocks.filter((b) => b.type === 'tool_use').map((b) => ({ id: b.id, name: b.name, args: b.json })),
    responses: (r) => r.items.filter((i) => i.type === 'function_call').map((i) => ({ id: i.call_id, name: i.name, args: i.arguments })),
  };
  const textOf = {
    messages: (r) => r.blocks.filter((b) => b.type === 'text').map((b) => b.text).join('|'),
    responses: (r) => r.items.filter((i) => i.type === 'message').flatMap((i) => i.content.map((c) => c.text)).join('|'),
  };
  const stops = { messages: (r) => r.stop, responses: (r) => r.last.response.status };

  for (const to of ['messages', 'responses']) {
    const called = { messages: 'tool_use', responses: 'completed' }[to];

    it(`A1: name and arguments in one chunk, to ${to}`, async () => {
      const r = await run(to, chunk(calls(part(0, '{"a":1}', head(0)))), chunk({}, 'tool_calls'));
      assert.deepEqual(callsOf[to](r), [{ id: 'call_0', name: 'tool_0', args: '{"a":1}' }]);
    });
    it(`A2: no first word is lost where the kind of block changes, to ${to}`, async () => {
      const r = await run(to, chunk({ content: 'one ' }), chunk({ reasoning_content: 'hm ' }), chunk({ reasoning_content: 'so' }), chunk({ content: 'two ' }), chunk({ content: 'three' }), chunk({}, 'stop'));
      assert.equal(textOf[to](r).replaceAll('|', ''), 'one two three');
      if (to === 'messages') assert.equal(r.blocks.find((b) => b.type === 'thinking').thinking, 'hm so');
    });
    it(`A3, A4: parallel calls whose fragments alternate, to ${to}`, async () => {
      const r = await run(to, chunk(calls(part(0, '', head(0)))), chunk(calls(part(1, '', head(1)))), ...[...'{"a":1}'].flatMap((c) => [chunk(calls(part(0, c))), chunk(calls(part(1, c)))]), chunk({}, 'tool_calls'));
      assert.deepEqual(callsOf[to](r), [0, 1].map((n) => ({ id: `call_${n}`, name: `tool_${n}`, args: '{"a":1}' })));
      assert.equal(stops[to](r), called);
    });
    it(`A4: several calls in one chunk, to ${to}`, async () => {
      const r = await run(to, chunk(calls(part(0, '{}', head(0)), part(1, '{"b":2}', head(1)))), chunk({}, 'tool_calls'));
      assert.deepEqual(callsOf[to](r).map((c) => c.args), to === 'messages' ? [callsOf[to](r)[0].args, '{"b":2}'] : ['{}', '{"b":2}']);
    });
    it(`A5: a thousand fragments, id and name on each, are one call, to ${to}`, async () => {
      const r = await run(to, ...Array.from({ length: 1000 }, (_, i) => chunk(calls(part(0, i === 0 ? '{"a":"' : i === 999 ? '"}' : 'x', head(0))))), chunk({}, 'tool_calls'));
      assert.deepEqual(callsOf[to](r).map((c) => c.args), [`{"a":"${'x'.repeat(998)}"}`]);
    });
    it(`A6, A7: empty content, empty lists and nulls are nothing, to ${to}`, async () => {
      const none = { tool_calls: [], reasoning_content: null, refusal: null };
      const r = await run(to, chunk({ role: 'assistant', content: '', ...none }), chunk({ content: 'a', ...none }), chunk({ content: 'b', ...none, function_call: null }), chunk({ content: '', ...none }, 'stop'));
      assert.equal(textOf[to](r), 'ab');
      assert.deepEqual(callsOf[to](r), []);
      const only = await run(to, chunk({ role: 'assistant', content: '' }), chunk(calls(part(0, '{}', head(0)))), chunk({}, 'tool_calls'));
      assert.equal((only.blocks ?? only.items).length, 1, 'no empty text in front of a call');
    });
    it(`A8: the chunk that says how it ended has the arguments too, to ${to}`, async () => {
      const r = await run(to, chunk(calls(part(0, '', head(0)))), chunk(calls(part(0, '{"a":1}')), 'tool_calls'));
      assert.deepEqual(callsOf[to](r).map((c) => c.args), ['{"a":1}']);
      const t = await run(to, chunk({ content: 'all of it' }, 'stop'));
      assert.equal(textOf[to](t), 'all of it');
    });
    it(`A9: reasoning and text in one chunk, under each of its names, to ${to}`, async () => {
      for (const name of ['reasoning_content', 'reasoning']) {
        const r = await run(to, chunk({ [name]: 'hm', content: 'so' }), chunk({}, 'stop'));
        assert.equal(textOf[to](r), 'so');
        assert.equal((r.blocks ?? r.items).length, 2);
      }
    });
    it(`A10: calls that ended with stop, to ${to}`, async () => {
      const r = await run(to, chunk(calls(part(0, '{}', head(0)))), chunk({}, 'stop'));
      assert.equal(stops[to](r), called);
    });
    it(`D4: a call with no arguments at all, to ${to}`, async () => {
      for (const args of ['', null]) {
        const r = await run(to, chunk(calls({ index: 0, id: 'call_0', type: 'function', function: { name: 'tool_0', arguments: args } })), chunk({}, 'tool_calls'));
        assert.ok(['', '{}'].includes(callsOf[to](r)[0].args));
      }
    });
    it(`D6: a name that comes late, null and empty before, to ${to}`, async () => {
      const late = (name) => chunk(calls({ index: 0, id: 'call_0', type: 'function', function: { name, arguments: '' } }));
      const r = await run(to, late(null), late(''), chunk(calls(part(0, '{"a"'))), late('tool_0'), chunk(calls(part(0, ':1}'))), chunk({}, 'tool_calls'));
      assert.deepEqual(callsOf[to](r), [{ id: 'call_0', name: 'tool_0', args: '{"a":1}' }]);
    });
  }

  it('C2, C3: text opens its item and its part, and closes both', async () => {
    const r = await run('responses', chunk({ content: 'a' }), chunk({ content: 'b' }), chunk({}, 'stop'));
    assert.equal(r.items[0].content[0].text, 'ab');
  });
  it('C4, C5: reasoning is an item of its own in front of the message', async () => {
    const r = await run('responses', chunk({ reasoning_content: 'hm' }), chunk({ content: 'so' }), chunk({}, 'stop'));
    assert.deepEqual(r.items.map((i) => i.type), ['reasoning', 'message']);
  });
  it('C6: nothing typed comes before response.created', async () => {
    const r = await convert({ from: 'chat', to: 'responses', kind: 'stream', payload: `: keep-alive\n\n${chunk({ content: 'a' })}${chunk({}, 'stop')}${DONE}` });
    assert.equal(eventsOf(r.json.payload)[0].type, 'response.created');
  });
  it('C7, F1: usage has all its details', async () => {
    const usage = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`;
    const { last } = await run('responses', chunk({ content: 'a' }), chunk({}, 'stop'), usage);
    assert.equal(last.response.usage.input_tokens_details.cached_tokens, 0);
    assert.equal(last.response.usage.output_tokens_details.reasoning_tokens, 0);
  });
});

// --- Messages upstreams -------------------------------------------------------------------------

const named = (events) => events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`).join('');
const usage = { input_tokens: 1, output_tokens: 1 };
const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage };
const blocks = (...list) =>
  list.flatMap(({ start: content_block, deltas }, index) => [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]);
const whole = (stop_reason, ...list) => named([{ type: 'message_start', message }, ...blocks(...list), { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage }, { type: 'message_stop' }]);
const use = (n, ...json) => ({ start: { type: 'tool_use', id: `toolu_${n}`, name: `tool_${n}`, input: {} }, deltas: json.map((partial_json) => ({ type: 'input_json_delta', partial_json })) });

describe('Messages upstream', () => {
  const text = { start: { type: 'text', text: '' }, deltas: [{ type: 'text_delta', text: 'Let me see.' }] };

  it('B1: parallel calls have indices of their own, text not counted', async () => {
    const r = await stream('messages', 'chat', whole('tool_use', text, use(0, '{"a"', ':1}'), use(1, '{"b":2}')));
    assert.equal(r.text, 'Let me see.');
    assert.deepEqual(r.calls, [{ id: 'toolu_0', name: 'tool_0', args: '{"a":1}' }, { id: 'toolu_1', name: 'tool_1', args: '{"b":2}' }]);
    assert.equal(r.finish, 'tool_calls');
  });
  it('D4: a block without a delta is a call with an empty object', async () => {
    for (const json of [[], ['']]) assert.equal((await stream('messages', 'chat', whole('tool_use', use(0, ...json)))).calls[0].args, '{}');
  });
  it('A11: every reason to stop has its counterpart', async () => {
    const table = { end_turn: ['stop', 'completed'], max_tokens: ['length', 'incomplete'], refusal: ['content_filter', 'incomplete'], model_context_window_exceeded: ['length', 'incomplete'], stop_sequence: ['stop', 'completed'], pause_turn: ['stop', 'completed'] };
    for (const [reason, [chat, responses]] of Object.entries(table)) {
      assert.equal((await stream('messages', 'chat', whole(reason, text))).finish, chat, reason);
      assert.equal((await stream('messages', 'responses', whole(reason, text))).last.response.status, responses, reason);
    }
  });
  it('E2, E3: a signature comes through, alone too', async () => {
    const signed = (thinking) => ({ start: { type: 'thinking', thinking: '', signature: '' }, deltas: [...(thinking ? [{ type: 'thinking_delta', thinking }] : []), { type: 'signature_delta', signature: 'c2lnbmVk' }] });
    for (const thinking of ['Hm.', '']) {
      const r = await stream('messages', 'responses', whole('end_turn', signed(thinking), text));
      assert.match(r.items[0].encrypted_content, /^tg1:messages:/);
      assert.deepEqual(r.items[0].summary, thinking ? [{ type: 'summary_text', text: thinking }] : []);
    }
  });
});

// --- Responses upstreams ------------------------------------------------------------------------

describe('Responses upstream', () => {
  const item = (extra) => ({ id: 'fc_1', type: 'function_call', call_id: 'call_0', name: 'tool_0', arguments: '', status: 'in_progress', ...extra });
  const response = (output) => ({ id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'completed', output, usage: null });
  const run = (to, events) => stream('responses', to, named(events.map((e, sequence_number) => ({ ...e, sequence_number }))));
  const created = { type: 'response.created', response: { ...response([]), status: 'in_progress' } };

  for (const to of ['chat', 'messages']) {
    const argsOf = (r) => (to === 'chat' ? r.calls[0].args : r.blocks[0].json);
    const textOf = (r) => (to === 'chat' ? r.text : r.blocks.map((b) => b.text).join(''));
    const done = item({ arguments: '{"a":1}', status: 'completed' });

    it(`C8: arguments that come only when they are done, to ${to}`, async () => {
      const events = [created, { type: 'response.output_item.added', output_index: 0, item: item() }, { type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 0, arguments: '{"a":1}' }, { type: 'response.output_item.done', output_index: 0, item: done }, { type: 'response.completed', response: response([done]) }];
      assert.equal(argsOf(await run(to, events)), '{"a":1}');
      assert.equal(argsOf(await run(to, events.filter((e) => !/arguments/.test(e.type)))), '{"a":1}');
    });
    it(`C9: text that comes only with the item, or only at the end, to ${to}`, async () => {
      const said = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }] };
      const end = { type: 'response.completed', response: response([said]) };
      assert.equal(textOf(await run(to, [created, { type: 'response.output_item.added', output_index: 0, item: { ...said, content: [], status: 'in_progress' } }, { type: 'response.output_item.done', output_index: 0, item: said }, end])), 'Hello');
      assert.equal(textOf(await run(to, [created, end])), 'Hello');
    });
  }
});

// --- requests -----------------------------------------------------------------------------------

describe('requests', () => {
  const request = async (from, to, payload) => {
    const { status, json } = await convert({ from, to, kind: 'request', payload });
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  const user = { role: 'user', content: 'Hi' };
  const model = 'm';

  it('B2: results first, then the text of the same turn', async () => {
    const { payload } = await request('messages', 'chat', {
      model, max_tokens: 9,
      messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'text', text: 'and?' }, { type: 'tool_result', tool_use_id: 'a', content: 'r' }] }],
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
    });
    assert.deepEqual(payload.messages.map((m) => m.role), ['user', 'assistant', 'tool', 'user']);
  });
  it('B5: system text between turns', async () => {
    for (const to of ['chat', 'responses']) {
      const { payload } = await request('messages', to, { model, max_tokens: 9, system: 'A', messages: [user, { role: 'assistant', content: 'Yes?' }, { role: 'system', content: 'B' }, user] });
      assert.ok(JSON.stringify(payload).includes('"B"'));
    }
  });
  it('D1: ids become legal, the same in call and result, and different ones stay different', async () => {
    const ids = ['functions.Bash:0', 'functions.Bash.0', 'a|b', 'call_ok'];
    const { payload } = await request('chat', 'messages', {
      model,
      messages: [user, { role: 'assistant', content: null, tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })) }, ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: 'r' }))],
      tools: [{ type: 'function', function: { name: 'f' } }],
    });
    const up = payload.messages[1].content.map((b) => b.id);
    assert.deepEqual(payload.messages[2].content.map((b) => b.tool_use_id), up);
    assert.equal(new Set(up).size, 4);
    assert.ok(up.every((id) => /^[a-zA-Z0-9_-]+$/.test(id)));
    assert.equal(up[3], 'call_ok');
  });
  it('D2: ids over 64 bytes are shortened without becoming the same', async () => {
    const ids = [`${'x'.repeat(90)}1`, `${'x'.repeat(90)}2`];
    for (const to of ['responses', 'chat']) {
      const { payload } = await request('messages', to, {
        model, max_tokens: 9,
        messages: [user, { role: 'assistant', content: ids.map((id) => ({ type: 'tool_use', id, name: 'f', input: {} })) }, { role: 'user', content: ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'r' })) }],
        tools: [{ name: 'f', input_schema: { type: 'object' } }],
      });
      const called = to === 'chat' ? payload.messages[1].tool_calls.map((c) => c.id) : payload.input.filter((i) => i.type === 'function_call').map((i) => i.call_id);
      const answered = to === 'chat' ? payload.messages.filter((m) => m.role === 'tool').map((m) => m.tool_call_id) : payload.input.filter((i) => i.type === 'function_call_output').map((i) => i.call_id);
      assert.deepEqual(answered, called);
      assert.equal(new Set(called).size, 2);
      assert.ok(called.every((id) => id.length <= 64));
    }
  });
  it('E1, E5, E8, E9: thoughts of another maker never reach an upstream, and never fail a request', async () => {
    const { payload } = await request('messages', 'responses', { model, max_tokens: 9, messages: [user, { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 'U0lH' }, { type: 'text', text: 'So.' }] }, user] });
    assert.ok(!JSON.stringify(payload).includes('U0lH'));
  });
  it('O2: the billing line of Claude Code goes to nobody else', async () => {
    for (const to of ['chat', 'responses']) {
      const { payload } = await request('messages', to, { model, max_tokens: 9, system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; cch=ab12;' }, { type: 'text', text: 'Be brief.' }], messages: [user] });
      assert.ok(!JSON.stringify(payload).includes('billing'));
    }
  });
});

it('O4: a WebSocket upgrade is refused at once, so that Codex goes on by HTTP', async () => {
  const r = await fetch(`${daemon.url}/v1/responses`, { headers: { 'openai-beta': 'responses_websockets=2026-02-06' } });
  assert.equal(r.status, 405);
  assert.ok((await r.json()).error.message);
  const { port } = new URL(daemon.url);
  const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  const status = await new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: '/v1/responses', headers }, (a) => resolve(a.resume().statusCode)).on('error', reject);
  });
  assert.equal(status, 426, 'Codex retries other statuses for seconds');
});
