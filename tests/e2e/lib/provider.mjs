// A small provider that speaks all three dialects, for the scripted upstream. The path says which dialect it is asked
// in, the model's name what it answers: PREFIX-KIND, with the kinds of ANSWERS, or one of
//   PREFIX-error-STATUS                  an error before the answer
//   PREFIX-context, PREFIX-quota         errors that clients act upon
//   PREFIX-midway, PREFIX-cut            an error, or the end, after the first words
//   PREFIX-pause                         waits twice for the upstream's `gates`
//
// An answer is written once, as parts, and rendered into the three wire forms, whole or as a stream. The provider is
// strict: a request that its dialect does not allow is answered with 400 and kept in `complaints` of the upstream.

import { TEXT } from './model.mjs';

export const USAGE = { input: 150, cached: 40, written: 10, output: 30, reasoning: 8 };
export const SIGNATURE = 'c2lnbmF0dXJlLW9mLXRoZS1wcm92aWRlcg==';
export const REDACTED = 'cmVkYWN0ZWQtYnktdGhlLXByb3ZpZGVy';
export const THOUGHT = 'First I look at the map,\nthen — 😀 — at the sky.';
export const PERSON_TEXT = '{"name":"Ada","age":36}';
export const REFUSAL = 'I will not help with that.';
const CREATED = 1700000000;

// What a call's arguments are in bytes: compact with numbers that JavaScript cannot hold, and with spaces.
export const ARGS = ['{"city":"Zürich 😀 \\"old\\"","big":12345678901234567890,"x":1.0}', '{ "city" : "Oslo" }'];

const id = (dialect, n) => ({ chat: `call_up${n}`, responses: `call_up${n}`, messages: `toolu_up${n}` })[dialect];
const call = (n, name, args) => ({ kind: 'call', n, name, args });
const text = (s) => ({ kind: 'text', text: s });
const think = () => ({ kind: 'think', text: THOUGHT });

export const ANSWERS = {
  text: () => ({ parts: [text(TEXT)] }),
  json: () => ({ parts: [text(PERSON_TEXT)] }),
  two: () => ({ parts: [text('Let me look.'), call(1, 'get_weather', ARGS[0]), call(2, 'get_weather', ARGS[1])], finish: 'calls' }),
  // The same calls with their fragments in turn, where the dialect allows that.
  woven: () => ({ parts: [call(1, 'get_weather', ARGS[0]), call(2, 'get_weather', ARGS[1])], finish: 'calls', woven: true }),
  empty: () => ({ parts: [call(1, 'get_time', '')], finish: 'calls' }),
  think: () => ({ parts: [think(), text(TEXT)] }),
  thinkcall: () => ({ parts: [think(), call(1, 'get_weather', '{"city":"Bern"}')], finish: 'calls' }),
  hidden: () => ({ parts: [{ kind: 'think', hidden: true }, call(1, 'get_weather', '{"city":"Bern"}')], finish: 'calls' }),
  refusal: () => ({ parts: [{ kind: 'refusal', text: REFUSAL }], finish: 'refusal' }),
  length: () => ({ parts: [text('Cut sho')], finish: 'length' }),
  filter: () => ({ parts: [text('Part')], finish: 'filter' }),
  // Responses has no stop sequences, so it goes on.
  stopped: (dialect) => (dialect === 'responses' ? { parts: [text('Up to hereEND and on')] } : { parts: [text('Up to here')], finish: 'stopword' }),
};

// What the second round of a tool exchange is answered with.
const DONE = { parts: [text('All done.')] };

const pieces = (s) => [...s].reduce((a, c, i) => (i % 3 ? (a[a.length - 1] += c) : a.push(c), a), []);
// [a0, b0, a1, b1, a2, ...]
const weave = (a, b) => Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [a[i], b[i]]).flat().filter((x) => x !== undefined);
const ofKind = (a, kind) => a.parts.filter((p) => p.kind === kind);

// --- Chat ---------------------------------------------------------------------------------------

const chatFinish = (a) => ({ calls: 'tool_calls', length: 'length', filter: 'content_filter' })[a.finish] ?? 'stop';
const chatUsage = () => ({
  prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cached, cache_write_tokens: USAGE.written },
  completion_tokens_details: { reasoning_tokens: USAGE.reasoning },
});

function chatWhole(q, a) {
  const said = ofKind(a, 'text').map((p) => p.text).join('');
  const calls = ofKind(a, 'call').map((p) => ({ id: id('chat', p.n), type: 'function', function: { name: p.name, arguments: p.args } }));
  const message = { role: 'assistant', content: said || null, refusal: ofKind(a, 'refusal')[0]?.text ?? null };
  if (calls.length) message.tool_calls = calls;
  const thought = ofKind(a, 'think').map((p) => p.text ?? '').join('');
  if (thought) message.reasoning_content = thought;
  const choices = Array.from({ length: q.n ?? 1 }, (_, index) => ({ index, message, logprobs: null, finish_reason: chatFinish(a) }));
  return JSON.stringify({ id: 'chatcmpl-up1', object: 'chat.completion', created: CREATED, model: q.model, choices, usage: chatUsage() });
}

function chatStream(q, a) {
  const out = [];
  const counted = q.stream_options?.include_usage === true;
  const raw = (choices, usage = null) =>
    out.push({ id: 'chatcmpl-up1', object: 'chat.completion.chunk', created: CREATED, model: q.model, choices, ...(counted ? { usage } : {}) });
  const each = (delta, reason = null) => {
    for (let index = 0; index < (q.n ?? 1); index++) raw([{ index, delta, finish_reason: reason }]);
  };
  let calls = 0;
  each({ role: 'assistant', content: '' });
  if (a.woven) {
    const of = (p, index) => [
      { index, id: id('chat', p.n), type: 'function', function: { name: p.name, arguments: '' } },
      ...pieces(p.args).map((s) => ({ index, function: { arguments: s } })),
    ];
    for (const t of weave(of(a.parts[0], 0), of(a.parts[1], 1))) each({ tool_calls: [t] });
  }
  for (const p of a.woven ? [] : a.parts) {
    if (p.kind === 'think') for (const s of pieces(p.text ?? '')) each({ reasoning_content: s });
    if (p.kind === 'text') for (const s of pieces(p.text)) each({ content: s });
    if (p.kind === 'refusal') for (const s of pieces(p.text)) each({ refusal: s });
    if (p.kind !== 'call') continue;
    const index = calls++;
    each({ tool_calls: [{ index, id: id('chat', p.n), type: 'function', function: { name: p.name, arguments: '' } }] });
    for (const s of pieces(p.args)) each({ tool_calls: [{ index, function: { arguments: s } }] });
  }
  each({}, chatFinish(a));
  if (counted) raw([], chatUsage());
  return [...out.map((o) => `data: ${JSON.stringify(o)}\n\n`), 'data: [DONE]\n\n'];
}

// --- Responses ----------------------------------------------------------------------------------

const responsesUsage = () => ({
  input_tokens: USAGE.input, input_tokens_details: { cached_tokens: USAGE.cached, cache_write_tokens: USAGE.written },
  output_tokens: USAGE.output, output_tokens_details: { reasoning_tokens: USAGE.reasoning }, total_tokens: USAGE.input + USAGE.output,
});

function responsesItems(a) {
  return a.parts.map((p, i) => {
    const part = { text: { type: 'output_text', text: p.text, annotations: [], logprobs: [] }, refusal: { type: 'refusal', refusal: p.text } }[p.kind];
    if (part) return { id: `msg_up${i}`, type: 'message', role: 'assistant', status: 'completed', content: [part] };
    if (p.kind === 'call')
      return { id: `fc_up${i}`, type: 'function_call', status: 'completed', call_id: id('responses', p.n), name: p.name, arguments: p.args };
    return { id: `rs_up${i}`, type: 'reasoning', summary: p.hidden ? [] : [{ type: 'summary_text', text: p.text }], encrypted_content: SIGNATURE };
  });
}

function responsesObject(q, a, done) {
  const why = { length: 'max_output_tokens', filter: 'content_filter' }[a.finish] ?? null;
  return {
    id: 'resp_up1', object: 'response', created_at: CREATED, completed_at: done && !why ? CREATED : null, status: done ? (why ? 'incomplete' : 'completed') : 'in_progress',
    background: false, error: null, incomplete_details: done && why ? { reason: why } : null, instructions: q.instructions ?? null,
    max_output_tokens: q.max_output_tokens ?? null, max_tool_calls: null, metadata: {}, model: q.model, output: done ? responsesItems(a) : [],
    parallel_tool_calls: q.parallel_tool_calls ?? true, previous_response_id: null, reasoning: { effort: null, summary: null }, safety_identifier: null,
    service_tier: 'default', store: q.store ?? true, temperature: q.temperature ?? 1, text: q.text ?? { format: { type: 'text' } },
    tool_choice: q.tool_choice ?? 'auto', tools: q.tools ?? [], top_logprobs: 0, top_p: 1, truncation: 'disabled', usage: done ? responsesUsage() : null, user: null,
  };
}

const responsesRecords = (events) =>
  events.map((e, i) => `event: ${e.type}\ndata: ${JSON.stringify({ type: e.type, sequence_number: i, ...e })}\n\n`);

function responsesEvents(q, a) {
  const out = [];
  const put = (type, o) => out.push({ type: `response.${type}`, ...o });
  put('created', { response: responsesObject(q, a, false) });
  put('in_progress', { response: responsesObject(q, a, false) });
  if (a.woven) {
    const items = responsesItems(a);
    const of = (item, output_index) => {
      const at = { item_id: item.id, output_index };
      return [
        ['output_item.added', { output_index, item: { ...item, status: 'in_progress', arguments: '' } }],
        ...pieces(item.arguments).map((delta) => ['function_call_arguments.delta', { ...at, delta }]),
        ['function_call_arguments.done', { ...at, name: item.name, arguments: item.arguments }],
        ['output_item.done', { output_index, item }],
      ];
    };
    for (const [type, o] of weave(of(items[0], 0), of(items[1], 1))) put(type, o);
  }
  (a.woven ? [] : responsesItems(a)).forEach((item, output_index) => {
    const at = { item_id: item.id, output_index };
    const open = { ...item, status: 'in_progress' };
    if (item.type === 'message') {
      const [part] = item.content;
      const [kind, field] = part.type === 'refusal' ? ['refusal', 'refusal'] : ['output_text', 'text'];
      const logs = kind === 'output_text' ? { logprobs: [] } : {};
      put('output_item.added', { output_index, item: { ...open, content: [] } });
      put('content_part.added', { ...at, content_index: 0, part: { ...part, [field]: '' } });
      for (const delta of pieces(part[field])) put(`${kind}.delta`, { ...at, content_index: 0, delta, ...logs });
      put(`${kind}.done`, { ...at, content_index: 0, [field]: part[field], ...logs });
      put('content_part.done', { ...at, content_index: 0, part });
    } else if (item.type === 'function_call') {
      put('output_item.added', { output_index, item: { ...open, arguments: '' } });
      for (const delta of pieces(item.arguments)) put('function_call_arguments.delta', { ...at, delta });
      put('function_call_arguments.done', { ...at, name: item.name, arguments: item.arguments });
    } else {
      put('output_item.added', { output_index, item: { ...item, summary: [], encrypted_content: 'cGFydGlhbA==' } });
      item.summary.forEach((part, summary_index) => {
        put('reasoning_summary_part.added', { ...at, summary_index, part: { ...part, text: '' } });
        for (const delta of pieces(part.text)) put('reasoning_summary_text.delta', { ...at, summary_index, delta });
        put('reasoning_summary_text.done', { ...at, summary_index, text: part.text });
        put('reasoning_summary_part.done', { ...at, summary_index, part });
      });
    }
    put('output_item.done', { output_index, item });
  });
  const response = responsesObject(q, a, true);
  put(response.status, { response });
  return out;
}

// --- Messages -----------------------------------------------------------------------------------

const messagesStop = (a) =>
  ({ calls: 'tool_use', length: 'max_tokens', filter: 'refusal', refusal: 'refusal', stopword: 'stop_sequence' })[a.finish] ?? 'end_turn';
const messagesDetails = (a) =>
  messagesStop(a) === 'refusal' ? { type: 'refusal', category: a.finish === 'refusal' ? 'cyber' : null, explanation: a.finish === 'refusal' ? REFUSAL : null } : null;
const messagesInput = () => ({
  input_tokens: USAGE.input - USAGE.cached - USAGE.written, cache_read_input_tokens: USAGE.cached, cache_creation_input_tokens: USAGE.written,
});
const messagesUsage = () => ({
  ...messagesInput(), output_tokens: USAGE.output, output_tokens_details: { thinking_tokens: USAGE.reasoning },
  cache_creation: { ephemeral_5m_input_tokens: USAGE.written, ephemeral_1h_input_tokens: 0 }, server_tool_use: null, service_tier: 'standard',
});

// Blocks as JSON text: the bytes of an input are not JavaScript's to choose.
function messagesBlocks(a) {
  return a.parts.map((p) => {
    if (p.kind === 'call') return `{"type":"tool_use","id":"${id('messages', p.n)}","name":"${p.name}","input":${p.args.trim() || '{}'},"caller":{"type":"direct"}}`;
    if (p.hidden) return JSON.stringify({ type: 'redacted_thinking', data: REDACTED });
    if (p.kind === 'think') return JSON.stringify({ type: 'thinking', thinking: p.text, signature: SIGNATURE });
    return JSON.stringify({ type: 'text', text: p.text, citations: null });
  });
}

const messageHead = (q) => ({ id: 'msg_up1', type: 'message', role: 'assistant', model: q.model });

function messagesWhole(q, a) {
  const tail = {
    stop_reason: messagesStop(a), stop_sequence: a.finish === 'stopword' ? (q.stop_sequences?.[0] ?? null) : null, stop_details: messagesDetails(a),
    container: null, usage: messagesUsage(),
  };
  return `${JSON.stringify(messageHead(q)).slice(0, -1)},"content":[${messagesBlocks(a).join()}],${JSON.stringify(tail).slice(1)}`;
}

function messagesEvents(q, a) {
  const out = [];
  const put = (type, o = {}) => out.push({ type, ...o });
  const empty = { content: [], stop_reason: null, stop_sequence: null, stop_details: null, container: null };
  put('message_start', { message: { ...messageHead(q), ...empty, usage: { ...messagesUsage(), output_tokens: 1, output_tokens_details: null } } });
  a.parts.forEach((p, index) => {
    const delta = (d) => put('content_block_delta', { index, delta: d });
    let start = { type: 'text', text: '', citations: null };
    if (p.kind === 'call') start = { type: 'tool_use', id: id('messages', p.n), name: p.name, input: {}, caller: { type: 'direct' } };
    else if (p.hidden) start = { type: 'redacted_thinking', data: REDACTED };
    else if (p.kind === 'think') start = { type: 'thinking', thinking: '', signature: '' };
    put('content_block_start', { index, content_block: start });
    if (index === 0) put('ping');
    if (p.kind === 'call') for (const s of pieces(p.args)) delta({ type: 'input_json_delta', partial_json: s });
    else if (p.kind === 'think' && !p.hidden) {
      for (const s of pieces(p.text)) delta({ type: 'thinking_delta', thinking: s });
      delta({ type: 'signature_delta', signature: SIGNATURE });
    } else for (const s of pieces(p.text ?? '')) delta({ type: 'text_delta', text: s });
    put('content_block_stop', { index });
  });
  const stop_sequence = a.finish === 'stopword' ? (q.stop_sequences?.[0] ?? null) : null;
  put('message_delta', { delta: { stop_reason: messagesStop(a), stop_sequence, stop_details: messagesDetails(a), container: null }, usage: messagesUsage() });
  put('message_stop');
  return out;
}

const messagesRecords = (events) => events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`);

// --- what each dialect has in common ------------------------------------------------------------

const FIELDS = {
  chat: `messages model audio frequency_penalty presence_penalty logit_bias logprobs top_logprobs max_completion_tokens max_tokens metadata modalities n
    parallel_tool_calls prediction prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed
    service_tier stop store stream stream_options temperature top_p tools tool_choice user verbosity web_search_options`,
  responses: `model input instructions include max_output_tokens max_tool_calls parallel_tool_calls tools tool_choice text reasoning temperature top_p
    top_logprobs store stream stream_options metadata truncation service_tier prompt_cache_key prompt_cache_options safety_identifier user`,
  messages: `model max_tokens messages system stream stop_sequences tools tool_choice thinking output_config cache_control metadata service_tier speed
    temperature top_p top_k`,
};

const callsOf = {
  chat: (q) => q.messages.flatMap((m) => m.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: c.function.arguments })),
  responses: (q) => (Array.isArray(q.input) ? q.input : []).filter((i) => i.type === 'function_call').map((i) => ({ id: i.call_id, name: i.name, args: i.arguments })),
  messages: (q) => blocksOf(q).filter((b) => b.type === 'tool_use').map((b) => ({ id: b.id, name: b.name, input: b.input })),
};
const flat = (content) => (typeof content === 'string' ? content : (content ?? []).map((p) => p.text).join(''));
const resultsOf = {
  chat: (q) => q.messages.filter((m) => m.role === 'tool').map((m) => ({ id: m.tool_call_id, text: flat(m.content) })),
  responses: (q) => (Array.isArray(q.input) ? q.input : []).filter((i) => i.type === 'function_call_output').map((i) => ({ id: i.call_id, text: flat(i.output) })),
  messages: (q) => blocksOf(q).filter((b) => b.type === 'tool_result').map((b) => ({ id: b.tool_use_id, text: flat(b.content) })),
};
const blocksOf = (q) => q.messages.flatMap((m) => (Array.isArray(m.content) ? m.content : [{ type: 'text', text: m.content }]));

// The calls and results that a request of this dialect carries.
export const history = (dialect, q) => ({ calls: callsOf[dialect](q), results: resultsOf[dialect](q) });

// Why this dialect would not take the request, or nothing.
export function complaint(dialect, req) {
  const q = req.json;
  if (!q || typeof q.model !== 'string') return 'no model';
  const known = FIELDS[dialect].split(/\s+/);
  const strange = Object.keys(q).find((k) => !known.includes(k));
  if (strange) return `unknown field ${strange}`;
  if (/tg1:/.test(req.body)) return "a gateway's envelope";
  const { calls, results } = history(dialect, q);
  for (const r of results) if (!calls.some((c) => c.id === r.id)) return `a result without a call: ${r.id}`;
  for (const c of calls) if (!results.some((r) => r.id === c.id)) return `a call without a result: ${c.id}`;
  if (dialect === 'chat') {
    if (!q.messages?.length) return 'no messages';
    for (const m of q.messages) {
      if (Array.isArray(m.tool_calls) && m.tool_calls.length === 0) return 'empty tool_calls';
      if (Array.isArray(m.content)) for (const p of m.content) if (!['text', 'image_url', 'file', 'refusal'].includes(p.type)) return `part ${p.type}`;
    }
    if (q.tools) for (const t of q.tools) if (!t.function?.name) return 'a tool without function.name';
  } else if (dialect === 'responses') {
    if (q.input === undefined) return 'no input';
    if (q.max_output_tokens !== undefined && q.max_output_tokens < 16) return 'max_output_tokens below 16';
    for (const t of q.tools ?? []) if (!t.name) return 'a tool without name';
    for (const i of Array.isArray(q.input) ? q.input : []) {
      if (i.type === 'reasoning' && i.encrypted_content && i.encrypted_content !== SIGNATURE) return 'foreign reasoning';
      if (i.type === undefined || i.type === 'message')
        for (const p of Array.isArray(i.content) ? i.content : [])
          if (!(i.role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file']).includes(p.type)) return `${i.role} part ${p.type}`;
    }
  } else {
    if (!Number.isInteger(q.max_tokens)) return 'no max_tokens';
    if (!req.headers['anthropic-version']) return 'no anthropic-version';
    for (const m of q.messages) {
      if (!['user', 'assistant', 'system'].includes(m.role)) return `role ${m.role}`;
      if (Array.isArray(m.content) && m.content.length === 0) return 'no content';
      const blocks = Array.isArray(m.content) ? m.content : [];
      for (const b of blocks) {
        if (b.type === 'text' && !b.text) return 'an empty text block';
        if (b.type === 'thinking' && b.signature !== SIGNATURE) return 'foreign thinking';
        if (b.type === 'redacted_thinking' && b.data !== REDACTED) return 'foreign redacted thinking';
        if (b.type === 'tool_use' && (b.input === null || typeof b.input !== 'object')) return 'input is no object';
      }
      const first = blocks.findIndex((b) => b.type !== 'tool_result');
      if (blocks.some((b, i) => b.type === 'tool_result' && first >= 0 && i > first)) return 'results after other blocks';
    }
    q.messages.forEach((m, i) => {
      const used = Array.isArray(m.content) ? m.content.filter((b) => b.type === 'tool_use') : [];
      const next = q.messages[i + 1]?.content;
      if (used.some((u) => !(Array.isArray(next) && next.some((b) => b.tool_use_id === u.id)))) throw new Error('results are not in the next message');
    });
    for (const t of q.tools ?? []) if (!t.type && t.input_schema?.type !== 'object') return 'a tool without input_schema';
  }
  return null;
}

const TYPES = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'not_found_error', 429: 'rate_limit_error',
  500: 'server_error', 503: 'service_unavailable_error', 529: 'overloaded_error',
};

export function errorBody(dialect, status, code = `code_${status}`) {
  const message = `scripted ${status}`;
  if (dialect === 'messages') {
    const type = { 500: 'api_error', 503: 'api_error' }[status] ?? TYPES[status];
    return { type: 'error', error: { type, message }, request_id: 'req_up_1' };
  }
  return { error: { message, type: TYPES[status] ?? 'server_error', param: null, code } };
}

// Errors that clients act upon, as each provider words them.
const WORDED = {
  context: {
    chat: [400, { message: 'This model has a maximum context length of 8 tokens.', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' }],
    responses: [400, { message: 'Your input exceeds the context window.', type: 'invalid_request_error', param: 'input', code: 'context_length_exceeded' }],
    messages: [400, { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' }],
  },
  quota: {
    chat: [429, { message: 'No money is left.', type: 'insufficient_quota', param: null, code: 'insufficient_quota' }],
    responses: [429, { message: 'No money is left.', type: 'insufficient_quota', param: null, code: 'insufficient_quota' }],
    messages: [402, { type: 'billing_error', message: 'No money is left.' }],
  },
};

export const stream = {
  chat: (q, a) => chatStream(q, a),
  responses: (q, a) => responsesRecords(responsesEvents(q, a)),
  messages: (q, a) => messagesRecords(messagesEvents(q, a)),
};
export const whole = {
  chat: chatWhole,
  responses: (q, a) => JSON.stringify(responsesObject(q, a, true)),
  messages: messagesWhole,
};

// How a stream is broken off in this dialect.
function broken(dialect, q) {
  const all = stream[dialect](q, ANSWERS.text());
  const begun = all.slice(0, { chat: 4, responses: 7, messages: 6 }[dialect]);
  const last = {
    chat: () => `data: ${JSON.stringify({ error: { message: 'scripted midway', type: 'server_error', param: null, code: 'server_error' } })}\n\n`,
    responses: () =>
      responsesRecords([
        ...begun.map(() => ({ type: 'x' })),
        { type: 'response.failed', response: { ...responsesObject(q, ANSWERS.text(), false), status: 'failed', error: { code: 'server_error', message: 'scripted midway' } } },
      ]).at(-1),
    messages: () => `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'scripted midway' } })}\n\n`,
  }[dialect]();
  return { begun, last };
}

const DIALECTS = { '/v1/chat/completions': 'chat', '/v1/responses': 'responses', '/v1/messages': 'messages' };
const HEADERS = {
  chat: { 'x-request-id': 'req_up_1', 'x-ratelimit-remaining-requests': '17' },
  responses: { 'x-request-id': 'req_up_1', 'x-ratelimit-remaining-requests': '17' },
  messages: { 'request-id': 'req_up_1', 'anthropic-ratelimit-requests-remaining': '17' },
};

// A handler for Upstream.listen.
export async function provider(req, peer, up) {
  const dialect = DIALECTS[req.path.split('?')[0]];
  if (!dialect) return peer.answer(404, { error: { message: `no ${req.path}`, type: 'invalid_request_error', param: null, code: null } });
  req.dialect = dialect;
  const headers = HEADERS[dialect];
  const q = req.json;
  let why;
  try {
    why = complaint(dialect, req);
  } catch (e) {
    why = e.message;
  }
  if (why) {
    (up.complaints ??= []).push(why);
    const error = { type: 'invalid_request_error', message: why };
    const body = dialect === 'messages' ? { type: 'error', error } : { error: { ...error, param: null, code: null } };
    return peer.answer(400, body, headers);
  }
  const [, kind, arg] = q.model.match(/^[a-z]+-([a-z]+)(?:-(\d+))?$/) ?? [];
  if (kind === 'error') return peer.answer(Number(arg), errorBody(dialect, Number(arg)), Number(arg) === 429 ? { ...headers, 'retry-after': '7' } : headers);
  if (kind in WORDED) {
    const [status, error] = WORDED[kind][dialect];
    return peer.answer(status, dialect === 'messages' ? { type: 'error', error, request_id: 'req_up_1' } : { error }, headers);
  }
  if (kind === 'midway' || kind === 'cut') {
    const { begun, last } = broken(dialect, q);
    await peer.streamHead(headers);
    for (const r of begun) await peer.chunk(r);
    if (kind === 'midway') await peer.chunk(last);
    await peer.lastChunk();
    return undefined;
  }
  if (kind === 'pause') {
    // Silent before the head and in mid-stream, until the test lets it go on.
    const all = stream[dialect](q, ANSWERS.text());
    const begun = { chat: 3, responses: 6, messages: 5 }[dialect];
    await up.gates[0].promise;
    await peer.streamHead(headers);
    for (const r of all.slice(0, begun)) await peer.chunk(r);
    await up.gates[1].promise;
    for (const r of all.slice(begun)) await peer.chunk(r);
    return peer.lastChunk();
  }
  if (!(kind in ANSWERS)) return peer.answer(404, errorBody(dialect, 404), headers);
  const answer = history(dialect, q).results.length ? DONE : ANSWERS[kind](dialect);
  if (!q.stream) return peer.answer(200, whole[dialect](q, answer), headers);
  return peer.stream(stream[dialect](q, answer), headers);
}
