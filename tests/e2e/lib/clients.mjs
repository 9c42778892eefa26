// The official SDKs behind one face, so that a test is written once for all of them.
//
// A client takes an abstract request and gives an abstract result; what the SDK itself returned is in `raw`. Modes:
// 'whole', 'stream' (the events, folded here) and 'helper' (the SDK's own stream helper, with its validator).

import assert from 'node:assert/strict';

const KEY = 'sk-client-key-1';

export async function collect(stream) {
  const all = [];
  for await (const e of stream) all.push(e);
  return all;
}

const dataUrl = (f) => `data:${f.type};base64,${f.data}`;

// --- Chat ---------------------------------------------------------------------------------------

const chatPart = (p) => {
  if (p.text !== undefined) return { type: 'text', text: p.text };
  if (p.image) return { type: 'image_url', image_url: { url: p.image.url ?? dataUrl(p.image) } };
  return { type: 'file', file: { file_data: dataUrl(p.pdf), filename: p.pdf.name } };
};

function chatBody(model, r) {
  const content = typeof r.user === 'string' ? r.user : r.user.map(chatPart);
  const body = { model, messages: [...(r.system ? [{ role: 'system', content: r.system }] : []), { role: 'user', content }, ...(r.history ?? [])] };
  if (r.tools) body.tools = r.tools.map((t) => ({ type: 'function', function: t }));
  if (r.force) body.tool_choice = { type: 'function', function: { name: r.force } };
  if (r.single) body.parallel_tool_calls = false;
  if (r.effort) body.reasoning_effort = r.effort;
  if (r.max) body.max_completion_tokens = r.max;
  if (r.stop) body.stop = r.stop;
  if (r.schema) body.response_format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: r.schema } };
  return { ...body, ...r.extra?.chat };
}

function chatFold(chunks) {
  const message = { role: null, content: null, refusal: null };
  let finish_reason = null;
  let usage;
  for (const c of chunks) {
    if (c.usage) usage = c.usage;
    for (const { index, delta, finish_reason: reason } of c.choices) {
      if (index !== 0) continue;
      for (const k of ['content', 'refusal', 'reasoning_content']) if (delta[k]) message[k] = (message[k] ?? '') + delta[k];
      if (delta.role) message.role = delta.role;
      for (const t of delta.tool_calls ?? []) {
        message.tool_calls ??= [];
        const call = (message.tool_calls[t.index] ??= { id: t.id, type: t.type, function: { name: t.function.name, arguments: '' } });
        call.function.arguments += t.function?.arguments ?? '';
      }
      if (reason) {
        assert.equal(finish_reason, null, 'one finish_reason a choice');
        finish_reason = reason;
      }
    }
  }
  assert.equal(message.role, 'assistant');
  assert.equal(new Set(chunks.map((c) => `${c.id} ${c.created} ${c.model}`)).size, 1, 'id, created and model are the same in all chunks');
  return { id: chunks[0].id, model: chunks[0].model, choices: [{ index: 0, message, finish_reason }], usage };
}

function chatResult(raw, mode) {
  const [{ message: m, finish_reason }] = raw.choices;
  const u = raw.usage;
  return {
    text: m.content ?? '',
    refusal: m.refusal ?? null,
    // The helper keeps the last fragment only of a field that it does not know.
    thought: mode === 'helper' ? undefined : (m.reasoning_content ?? ''),
    calls: (m.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: c.function.arguments })),
    finish: finish_reason,
    usage: u && {
      input: u.prompt_tokens, cached: u.prompt_tokens_details?.cached_tokens ?? 0, written: u.prompt_tokens_details?.cache_write_tokens ?? 0,
      output: u.completion_tokens, reasoning: u.completion_tokens_details?.reasoning_tokens ?? 0, total: u.total_tokens,
    },
    turn: [m],
  };
}

class Chat {
  dialect = 'chat';
  constructor(sdk, baseURL, options = {}) {
    this.sdk = sdk;
    this.errors = sdk.m;
    this.api = new sdk.m.OpenAI({ apiKey: KEY, baseURL: `${baseURL}/v1`, maxRetries: 0, ...options });
  }

  body = chatBody;

  async ask(model, r, mode, headers) {
    const body = chatBody(model, r);
    const done = (raw, response) => ({ ...chatResult(raw, mode), raw, response });
    const counted = { stream_options: { include_usage: true } };
    if (mode === 'helper') return done(await this.api.chat.completions.stream({ ...body, ...counted }, { headers }).finalChatCompletion());
    if (mode === 'whole') {
      const { data, response } = await this.api.chat.completions.create(body, { headers }).withResponse();
      return done(data, response);
    }
    const { data, response } = await this.api.chat.completions.create({ ...body, ...counted, stream: true }, { headers }).withResponse();
    const chunks = await collect(data);
    return { ...done(chatFold(chunks), response), events: chunks };
  }

  events(model, r, headers) {
    return this.api.chat.completions.create({ ...chatBody(model, r), stream: true }, { headers });
  }

  results(outputs) {
    return outputs.map((o) => ({ role: 'tool', tool_call_id: o.id, content: o.text }));
  }

  async parsed(model, r) {
    const body = chatBody(model, r);
    body.response_format = this.sdk.parser.makeParseableResponseFormat(body.response_format, JSON.parse);
    return (await this.api.chat.completions.parse(body)).choices[0].message.parsed;
  }
}

// --- Responses ----------------------------------------------------------------------------------

const responsesPart = (p) => {
  if (p.text !== undefined) return { type: 'input_text', text: p.text };
  if (p.image) return { type: 'input_image', image_url: p.image.url ?? dataUrl(p.image), detail: 'auto' };
  return { type: 'input_file', file_data: dataUrl(p.pdf), filename: p.pdf.name };
};

function responsesBody(model, r) {
  const content = typeof r.user === 'string' ? r.user : r.user.map(responsesPart);
  const body = { model, input: [{ role: 'user', content }, ...(r.history ?? [])] };
  if (r.system) body.instructions = r.system;
  if (r.tools) body.tools = r.tools.map((t) => ({ type: 'function', strict: false, ...t }));
  if (r.force) body.tool_choice = { type: 'function', name: r.force };
  if (r.single) body.parallel_tool_calls = false;
  if (r.effort) body.reasoning = { effort: r.effort };
  if (r.max) body.max_output_tokens = r.max;
  if (r.schema) body.text = { format: { type: 'json_schema', name: 'person', strict: true, schema: r.schema } };
  return { ...body, ...r.extra?.responses };
}

function responsesResult(raw) {
  const parts = raw.output.filter((i) => i.type === 'message').flatMap((i) => i.content);
  const thoughts = raw.output.filter((i) => i.type === 'reasoning');
  const u = raw.usage;
  return {
    text: parts.filter((p) => p.type === 'output_text').map((p) => p.text).join(''),
    refusal: parts.find((p) => p.type === 'refusal')?.refusal ?? null,
    thought: thoughts.flatMap((i) => (i.summary?.length ? i.summary : (i.content ?? []))).map((p) => p.text).join(''),
    calls: raw.output.filter((i) => i.type === 'function_call').map((i) => ({ id: i.call_id, name: i.name, args: i.arguments })),
    finish: raw.status === 'incomplete' ? `incomplete:${raw.incomplete_details?.reason}` : raw.status,
    usage: u && {
      input: u.input_tokens, cached: u.input_tokens_details.cached_tokens, written: u.input_tokens_details.cache_write_tokens ?? 0,
      output: u.output_tokens, reasoning: u.output_tokens_details.reasoning_tokens, total: u.total_tokens,
    },
    turn: raw.output,
  };
}

class Responses {
  dialect = 'responses';
  constructor(sdk, baseURL, options = {}) {
    this.sdk = sdk;
    this.errors = sdk.m;
    this.api = new sdk.m.OpenAI({ apiKey: KEY, baseURL: `${baseURL}/v1`, maxRetries: 0, ...options });
  }

  body = responsesBody;

  async ask(model, r, mode, headers) {
    const body = responsesBody(model, r);
    const done = (raw, response) => ({ ...responsesResult(raw), raw, response });
    if (mode === 'helper') return done(await this.api.responses.stream(body, { headers }).finalResponse());
    if (mode === 'whole') {
      const { data, response } = await this.api.responses.create(body, { headers }).withResponse();
      return done(data, response);
    }
    const { data, response } = await this.api.responses.create({ ...body, stream: true }, { headers }).withResponse();
    const events = await collect(data);
    const last = events.at(-1);
    assert.match(last.type, /^response\.(completed|incomplete|failed)$/);
    assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i), 'sequence numbers are dense');
    const result = done(last.response, response);
    const said = events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
    assert.equal(said, result.text, 'the deltas are the text of the final object');
    for (const e of events.filter((e) => e.type === 'response.function_call_arguments.done'))
      assert.equal(e.arguments, last.response.output[e.output_index].arguments, 'arguments.done are those of the final object');
    return { ...result, events };
  }

  events(model, r, headers) {
    return this.api.responses.create({ ...responsesBody(model, r), stream: true }, { headers });
  }

  results(outputs) {
    return outputs.map((o) => ({ type: 'function_call_output', call_id: o.id, output: o.text }));
  }

  async parsed(model, r) {
    const body = responsesBody(model, r);
    body.text = { format: this.sdk.parser.makeParseableTextFormat(body.text.format, JSON.parse) };
    return (await this.api.responses.parse(body)).output_parsed;
  }
}

// --- Messages -----------------------------------------------------------------------------------

const messagesPart = (p) => {
  if (p.text !== undefined) return { type: 'text', text: p.text };
  if (p.image) {
    const { url, type, data } = p.image;
    return { type: 'image', source: url ? { type: 'url', url } : { type: 'base64', media_type: type, data } };
  }
  return { type: 'document', source: { type: 'base64', media_type: p.pdf.type, data: p.pdf.data }, title: p.pdf.name };
};

function messagesBody(model, r) {
  const content = typeof r.user === 'string' ? r.user : r.user.map(messagesPart);
  const body = { model, max_tokens: r.max ?? 1024, messages: [{ role: 'user', content }, ...(r.history ?? [])] };
  if (r.system) body.system = r.system;
  if (r.tools) body.tools = r.tools.map(({ parameters, ...t }) => ({ ...t, input_schema: parameters }));
  if (r.force || r.single) body.tool_choice = { ...(r.force ? { type: 'tool', name: r.force } : { type: 'auto' }), ...(r.single ? { disable_parallel_tool_use: true } : {}) };
  if (r.effort) Object.assign(body, { thinking: { type: 'adaptive' }, output_config: { effort: r.effort } });
  if (r.stop) body.stop_sequences = r.stop;
  if (r.schema) body.output_config = { format: { type: 'json_schema', schema: r.schema } };
  return { ...body, ...r.extra?.messages };
}

function messagesFold(events) {
  let message;
  const open = new Set();
  const json = [];
  for (const e of events) {
    if (e.type === 'message_start') message = structuredClone(e.message);
    else if (e.type === 'content_block_start') {
      assert.equal(e.index, message.content.length, 'block indices are dense');
      assert.equal(open.size, 0, 'blocks come one after the other');
      open.add(e.index);
      message.content.push(structuredClone(e.content_block));
    } else if (e.type === 'content_block_delta') {
      assert.ok(open.has(e.index), 'a delta of an open block');
      const b = message.content[e.index];
      if (e.delta.type === 'text_delta') b.text += e.delta.text;
      if (e.delta.type === 'thinking_delta') b.thinking += e.delta.thinking;
      if (e.delta.type === 'signature_delta') b.signature = e.delta.signature;
      if (e.delta.type === 'input_json_delta') json[e.index] = (json[e.index] ?? '') + e.delta.partial_json;
    } else if (e.type === 'content_block_stop') {
      assert.ok(open.delete(e.index), 'the end of an open block');
      if (json[e.index]) message.content[e.index].input = JSON.parse(json[e.index]);
    } else if (e.type === 'message_delta') {
      Object.assign(message, e.delta);
      for (const [k, v] of Object.entries(e.usage)) if (v !== null) message.usage[k] = v;
    }
  }
  assert.equal(events.at(-1).type, 'message_stop');
  assert.equal(open.size, 0, 'all blocks are closed');
  return { message, json: json.filter((j) => j !== undefined) };
}

function messagesResult(raw) {
  const of = (type) => raw.content.filter((b) => b.type === type);
  const u = raw.usage;
  const input = u.input_tokens + u.cache_read_input_tokens + u.cache_creation_input_tokens;
  return {
    text: of('text').map((b) => b.text).join(''),
    refusal: null,
    thought: of('thinking').map((b) => b.thinking).join(''),
    calls: of('tool_use').map((b) => ({ id: b.id, name: b.name, input: b.input })),
    finish: raw.stop_reason,
    usage: {
      input, cached: u.cache_read_input_tokens, written: u.cache_creation_input_tokens, output: u.output_tokens,
      reasoning: u.output_tokens_details?.thinking_tokens ?? 0, total: input + u.output_tokens,
    },
    turn: [{ role: 'assistant', content: raw.content }],
  };
}

class Messages {
  dialect = 'messages';
  constructor(sdk, baseURL, options = {}) {
    this.sdk = sdk;
    this.errors = sdk.m;
    this.api = new sdk.m.Anthropic({ apiKey: KEY, baseURL, maxRetries: 0, ...options });
  }

  body = messagesBody;

  async ask(model, r, mode, headers) {
    const body = messagesBody(model, r);
    const done = (raw, response) => ({ ...messagesResult(raw), raw, response });
    if (mode === 'helper') return done(await this.api.messages.stream(body, { headers }).finalMessage());
    if (mode === 'whole') {
      const { data, response } = await this.api.messages.create(body, { headers }).withResponse();
      return done(data, response);
    }
    const { data, response } = await this.api.messages.create({ ...body, stream: true }, { headers }).withResponse();
    const events = await collect(data);
    const { message, json } = messagesFold(events);
    return { ...done(message, response), events, json };
  }

  events(model, r, headers) {
    return this.api.messages.create({ ...messagesBody(model, r), stream: true }, { headers });
  }

  results(outputs) {
    return [{ role: 'user', content: outputs.map((o) => ({ type: 'tool_result', tool_use_id: o.id, content: o.text })) }];
  }

  async parsed(model, r) {
    const body = messagesBody(model, r);
    body.output_config.format = this.sdk.jsonSchemaOutputFormat(r.schema);
    return (await this.api.messages.parse(body)).parsed_output;
  }
}

// The request of the next turn: what the client was told, and the results of the calls.
export const follow = (client, r, result, outputs) => ({ ...r, history: [...(r.history ?? []), ...result.turn, ...client.results(outputs)] });

// Every SDK that runs here; one that does not says why in `skip`.
export const clients = [];
for (const [name, module, kinds] of [
  ['openai 6', 'openai', [Chat, Responses]],
  ['openai 7', 'openai7', [Chat, Responses]],
  ['anthropic 1', '@anthropic-ai/sdk', [Messages]],
  ['anthropic 0', 'anthropic0', [Messages]],
]) {
  let sdk;
  let skip;
  try {
    sdk = { m: await import(module) };
    if (kinds[0] === Chat) sdk.parser = await import(`${module}/lib/parser`);
    else sdk.jsonSchemaOutputFormat = (await import(`${module}/helpers/json-schema`)).jsonSchemaOutputFormat;
  } catch (e) {
    skip = `not on Node ${process.versions.node}: ${e.message.split('\n')[0]}`;
  }
  for (const Kind of kinds) {
    const dialect = Kind.name.toLowerCase();
    clients.push({ name: `${name} ${dialect}`, dialect, skip, open: (url, options) => new Kind(sdk, url, options) });
  }
}
