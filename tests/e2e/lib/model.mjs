// A small provider of the Chat dialect, for the scripted upstream. The model's name says what it does:
// PREFIX-text, -tools, -json, -slow, -error-STATUS, -flaky-N (500 N times, then text), -embed.

export const TEXT = 'Grüße, wörld 😀: "quoted"\n\ttab \\ done.';
export const USAGE = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, prompt_tokens_details: { cached_tokens: 2 } };
const CREATED = 1700000000;

export const chunkOf = (model, choices, extra = {}) => ({
  id: 'chatcmpl-up1', object: 'chat.completion.chunk', created: CREATED, model, choices, ...extra,
});
export const delta = (model, d, finish = null, index = 0) => chunkOf(model, [{ index, delta: d, finish_reason: finish }]);
export const record = (o) => `data: ${typeof o === 'string' ? o : JSON.stringify(o)}\n\n`;

const characters = (s) => [...s].reduce((a, c, i) => (i % 3 ? (a[a.length - 1] += c) : a.push(c), a), []);

// The records of a text answer.
export function textChunks(model, { text = TEXT, n = 1, usage = false, finish = 'stop' } = {}) {
  const nulls = usage ? { usage: null } : {};
  const out = [];
  const put = (index, d, reason = null) => out.push(chunkOf(model, [{ index, delta: d, finish_reason: reason }], nulls));
  for (let i = 0; i < n; i++) put(i, { role: 'assistant', content: '' });
  for (const part of characters(text)) for (let i = 0; i < n; i++) put(i, { content: part });
  for (let i = 0; i < n; i++) put(i, {}, finish);
  if (usage) out.push(chunkOf(model, [], { usage: USAGE }));
  return out;
}

export function callChunks(model, calls, { usage = false } = {}) {
  const nulls = usage ? { usage: null } : {};
  const out = [];
  const put = (d, reason = null) => out.push(chunkOf(model, [{ index: 0, delta: d, finish_reason: reason }], nulls));
  put({ role: 'assistant', content: null });
  calls.forEach((c, index) => {
    put({ tool_calls: [{ index, id: c.id, type: 'function', function: { name: c.name, arguments: '' } }] });
    for (const part of characters(c.arguments)) put({ tool_calls: [{ index, function: { arguments: part } }] });
  });
  put({}, 'tool_calls');
  if (usage) out.push(chunkOf(model, [], { usage: USAGE }));
  return out;
}

const whole = (model, choices) => ({
  id: 'chatcmpl-up1', object: 'chat.completion', created: CREATED, model, choices, usage: USAGE, system_fingerprint: 'fp_up',
});
const said = (content, index = 0, finish_reason = 'stop') => ({
  index, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason,
});

const floats = [0.25, -0.5, 1.5, 3.0e-5];
function embeddings(q) {
  const one = q.encoding_format === 'base64' ? Buffer.from(Float32Array.from(floats).buffer).toString('base64') : floats;
  const inputs = Array.isArray(q.input) ? q.input : [q.input];
  return {
    object: 'list', model: q.model, usage: { prompt_tokens: 3, total_tokens: 3 },
    data: inputs.map((_, index) => ({ object: 'embedding', index, embedding: one })),
  };
}

const CITIES = ['Bern', 'Oslo'];
function toolTurn(q) {
  const done = q.messages.filter((m) => m.role === 'tool').length;
  if (done < CITIES.length)
    return [{ id: `call_${done + 1}`, name: 'get_weather', arguments: JSON.stringify({ city: CITIES[done] }) }];
  return null;
}

const TYPES = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'invalid_request_error', 409: 'conflict',
  422: 'invalid_request_error', 429: 'rate_limit_error', 500: 'server_error', 503: 'service_unavailable_error',
};

// A handler for Upstream.listen. flaky counts are kept on the upstream.
export async function chatModel(req, peer, up) {
  const q = req.json;
  if (!q || typeof q.model !== 'string') return peer.fail(400, { message: 'no model', type: 'invalid_request_error' });
  const [, kind, arg] = q.model.match(/^[a-z0-9]+-([a-z]+)(?:-(\d+))?/) ?? [];
  const headers = { 'x-request-id': 'req_up_1', 'openai-processing-ms': '7' };
  if (req.path === '/v1/embeddings') return peer.answer(200, embeddings(q), headers);
  if (req.path !== '/v1/chat/completions') return peer.fail(404, { message: `no ${req.path}` });

  if (kind === 'error') {
    const status = Number(arg);
    const error = { message: `scripted ${status}`, type: TYPES[status], param: 'messages', code: `code_${status}` };
    if (status === 429) Object.assign(headers, { 'retry-after': '7', 'x-ratelimit-remaining-requests': '0' });
    return peer.fail(status, error, headers);
  }
  if (kind === 'flaky') {
    up.flaky = (up.flaky ?? 0) + 1;
    if (up.flaky <= Number(arg)) return peer.fail(500, { message: 'flaky' }, headers);
  }

  const calls = kind === 'tools' ? toolTurn(q) : null;
  let text = kind === 'json' ? '{"name":"Ada","age":36}' : TEXT;
  if (kind === 'tools') text = `It is ${q.messages.filter((m) => m.role === 'tool').map((m) => m.content).join(' and ')}.`;
  const finish = q.max_tokens !== undefined && q.max_tokens < 5 ? 'length' : 'stop';
  const n = q.n ?? 1;

  if (!q.stream) {
    if (calls) {
      const tool_calls = calls.map((c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: c.arguments } }));
      const message = { role: 'assistant', content: null, refusal: null, tool_calls };
      return peer.answer(200, whole(q.model, [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }]), headers);
    }
    return peer.answer(200, whole(q.model, Array.from({ length: n }, (_, i) => said(text, i, finish))), headers);
  }

  const usage = q.stream_options?.include_usage === true;
  const chunks = calls ? callChunks(q.model, calls, { usage }) : textChunks(q.model, { text, n, usage, finish });
  await peer.streamHead({ ...headers, 'cache-control': 'no-cache' });
  if (kind === 'slow') {
    await peer.data(chunks[0]);
    await peer.data(chunks[1]);
    await peer.gone;
    return 'hold';
  }
  for (const c of chunks) await peer.data(c);
  await peer.data('[DONE]');
  return peer.lastChunk();
}
