// A model that plays a script, for the scripted upstream, in any of the three dialects: it asks for tools step by step
// and, when it has seen all their results, says a last word. What it sees and says is that of lib/provider.mjs.
//
// A script is a list of steps and a last word. A step is a list of calls, { tool, args } or, of a tool that takes free
// text, { tool, input }; step and last word may be functions of what the results so far say. A tool of a namespace is
// called SPACE__NAME, and comes back the way it was offered.

import { complaint, errorBody, history, stream, whole } from '../lib/provider.mjs';

const DIALECTS = { '/v1/chat/completions': 'chat', '/v1/responses': 'responses', '/v1/messages': 'messages' };
export const TITLE = 'A word from a file';
export const THOUGHT = 'First the file,\nthen — 😀 — the other.';

// The tools of a request by name: how they were declared, and the property that holds the text of a free one.
function offered(dialect, q) {
  const tools = new Map();
  const add = (name, more, schema) => {
    const properties = Object.keys(schema?.properties ?? {});
    tools.set(name, { ...more, wrap: properties.length === 1 ? properties[0] : undefined });
  };
  const ofResponses = (list, space) => {
    for (const t of list ?? []) {
      if (t.type === 'namespace') ofResponses(t.tools, t.name);
      else if (t.name) add(space ? `${space}__${t.name}` : t.name, { space, name: t.name, free: t.type === 'custom' }, t.parameters);
    }
  };
  if (dialect === 'responses') {
    ofResponses(q.tools);
    for (const i of Array.isArray(q.input) ? q.input : []) if (i.type === 'additional_tools') ofResponses(i.tools);
  }
  if (dialect === 'chat')
    for (const t of q.tools ?? []) {
      const f = t.function ?? t.custom;
      add(f.name, { name: f.name, free: t.type === 'custom' }, f.parameters);
    }
  if (dialect === 'messages') for (const t of q.tools ?? []) if (!t.type) add(t.name, { name: t.name }, t.input_schema);
  return tools;
}

// The results that a request carries, those of free tools too.
function resultsOf(dialect, q) {
  if (dialect !== 'responses' || !Array.isArray(q.input)) return history(dialect, q).results;
  const renamed = q.input.map((i) => (i.type === 'custom_tool_call_output' ? { ...i, type: 'function_call_output' } : i));
  return history(dialect, { ...q, input: renamed }).results;
}

// A call of the script as a part of the provider's answer.
function part(tools, call, n) {
  const tool = tools.get(call.tool);
  if (!tool) throw new Error(`the model was not offered ${call.tool}, only ${[...tools.keys()].join(' ')}`);
  let args = call.input;
  if (call.args) args = JSON.stringify(call.args);
  else if (!tool.free) {
    if (!tool.wrap) throw new Error(`no property takes the text of ${call.tool}`);
    args = JSON.stringify({ [tool.wrap]: call.input });
  }
  return { kind: 'call', n, name: call.tool, args };
}

// Ids are different in every turn.
const renumber = (json, turn) => json.replace(/"(resp_|msg_|rs_|fc_|chatcmpl-)up(\d)"/g, (_, kind, n) => `"${kind}up${turn}${n}"`);

// The provider knows calls of functions only: those of free tools and namespaces are put into their form here.
function adapt(dialect, records, tools, turn) {
  const free = new Set();
  const call = (item) => {
    const tool = item.type === 'function_call' && tools.get(item.name);
    if (!tool) return item;
    const { arguments: text, ...rest } = item;
    const more = { name: tool.name, ...(tool.space ? { namespace: tool.space } : {}) };
    if (!tool.free) return { ...item, ...more };
    free.add(item.id);
    return { ...rest, ...more, type: 'custom_tool_call', input: text };
  };
  const event = (e) => {
    if (e.item) e.item = call(e.item);
    if (e.response) e.response.output = e.response.output.map(call);
    const kind = e.type?.match(/^response\.function_call_arguments\.(delta|done)$/);
    if (kind && free.has(e.item_id)) {
      e.type = `response.custom_tool_call_input.${kind[1]}`;
      if (kind[1] === 'done') {
        e.input = e.arguments;
        delete e.arguments;
        delete e.name;
      }
    }
    for (const c of e.choices ?? [])
      c.delta.tool_calls = c.delta.tool_calls?.map((t) => {
        if (t.function.name && tools.get(t.function.name)?.free) free.add(t.index);
        if (!free.has(t.index)) return t;
        const { function: f, ...rest } = t;
        return { ...rest, ...(t.type ? { type: 'custom' } : {}), custom: { name: f.name, input: f.arguments } };
      });
    return e;
  };
  return records.map((r) => {
    const data = r.match(/^data: (\{.*\})$/m);
    if (!data) return r;
    const e = event(JSON.parse(data[1]));
    return `${e.type ? `event: ${e.type}\n` : ''}data: ${renumber(JSON.stringify(e), turn)}\n\n`;
  });
}

// What goes wrong on the way, each once: the first step is refused at first, the second comes after silence, the third is cut
// off in the middle at first, and the last word has silence in the middle.
const MISHAPS = ['refused', 'silent', 'cut', 'pause'];

// A handler for Upstream.listen. `own` says whether the request is the agent's as it wrote it: only what the daemon wrote
// has to please the strict provider; `cut` whether a stream is cut. up.silence() is how long silence is; up.complaints says
// what was wrong.
export function scripted({ steps, last }, { own, cut = true }) {
  let turns = 0;
  const done = new Set();
  return async (req, peer, up) => {
    up.complaints ??= [];
    const dialect = DIALECTS[req.path.split('?')[0]];
    if (!dialect) return peer.answer(404, errorBody('chat', 404));
    req.dialect = dialect;
    const q = req.json;
    let parts;
    let tools;
    let step = 0;
    try {
      const why = own ? (q ? null : 'no JSON') : complaint(dialect, req);
      if (why) throw new Error(why);
      tools = offered(dialect, q);
      const results = resultsOf(dialect, q);
      const said = results.map((r) => r.text).join('\n');
      let answered = 0;
      const at = (i) => (typeof steps[i] === 'function' ? steps[i](said) : steps[i]);
      while (step < steps.length && results.length >= answered + at(step).length) answered += at(step++).length;
      // A request without tools is for a title or the like.
      if (tools.size === 0) parts = [{ kind: 'text', text: TITLE }];
      else if (step === steps.length) parts = [{ kind: 'text', text: last(said) }];
      else parts = [...(step ? [] : [{ kind: 'think', text: THOUGHT }, { kind: 'text', text: 'Let me look.' }]), ...at(step).map((c, i) => part(tools, c, answered + i + 1))];
    } catch (e) {
      up.complaints.push(e.message);
      const body = errorBody(dialect, 400);
      body.error.message = e.message;
      return peer.answer(400, body);
    }
    const wrong = tools.size && !done.has(step) ? MISHAPS[step] : null;
    if (tools.size) done.add(step);
    if (wrong === 'refused') return peer.answer(503, errorBody(dialect, 503), { 'retry-after': '1' });
    if (wrong === 'silent') await up.silence();
    const answer = { parts, finish: parts.at(-1).kind === 'call' ? 'calls' : undefined };
    turns++;
    if (!q.stream) return peer.answer(200, renumber(whole[dialect](q, answer), turns));
    const records = adapt(dialect, stream[dialect](q, answer), tools, turns);
    const half = records.length >> 1;
    await peer.streamHead();
    for (const r of records.slice(0, half)) await peer.chunk(r);
    if (wrong === 'cut' && cut) return peer.reset();
    if (wrong === 'pause') await up.silence(true);
    for (const r of records.slice(half)) await peer.chunk(r);
    return peer.lastChunk();
  };
}
