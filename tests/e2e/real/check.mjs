// Chat through the daemon against chat straight to the same real model server: equal, byte for byte, but for what differs
// between any two calls (ids, times, timings).

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { start } from '../lib/daemon.mjs';
import { chat, contentOf, dataOf, get, open } from '../lib/raw.mjs';
import { until } from '../lib/util.mjs';
import { startModel } from './model.mjs';

let model;
let server;
let daemon;

before(async () => {
  model = await startModel();
  ({ server } = model);
  daemon = await start({
    upstreams: [{ name: 'llama', url: `http://127.0.0.1:${server.port}/v1`, dialect: 'chat' }],
    models: [{ name: 'tiny', upstream: 'llama' }],
  });
});
after(async () => {
  model?.stop();
  await daemon?.finish();
});

// Without what differs from call to call. The server sends its timings with the usage when that is asked for, as the
// daemon always does, else with the last choice.
const plain = (text) =>
  text
    .replace(/"id":"[^"]*"/g, '"id":""')
    .replace(/"created":\d+/g, '"created":0')
    .replace(/,"timings":\{[^}]*\}/g, '')
    .replace(/"system_fingerprint":"[^"]*"/g, '"system_fingerprint":""');

const base = {
  model: 'tiny', messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Grüße 😀, what is the time?' }],
  temperature: 0, seed: 7, max_tokens: 48, cache_prompt: false,
};
const PERSON = { type: 'object', properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 99 } }, required: ['name', 'age'], additionalProperties: false };

const cases = {
  'a whole answer': {},
  'a stream': { stream: true },
  'a stream with usage': { stream: true, stream_options: { include_usage: true } },
  'a whole answer by a schema': { response_format: { type: 'json_schema', json_schema: { name: 'person', schema: PERSON } } },
  'a stream by a schema': { stream: true, response_format: { type: 'json_schema', json_schema: { name: 'person', schema: PERSON } } },
  'log probabilities': { logprobs: true, top_logprobs: 3, max_tokens: 8 },
  'a stop sequence': { stop: ['e'] },
};

for (const [name, more] of Object.entries(cases))
  it(name, async () => {
    const direct = await chat(server, { ...base, ...more });
    const through = await chat(daemon, { ...base, ...more });
    assert.equal(direct.status, 200, direct.text);
    assert.equal(through.status, 200, through.text);
    assert.ok(through.complete);
    assert.equal(plain(through.text), plain(direct.text));
    if (more.stream) {
      assert.equal(dataOf(through.events).at(-1), '[DONE]');
      assert.ok(contentOf(through.events).length > 0);
      assert.equal(contentOf(through.events), contentOf(direct.events));
    } else {
      assert.ok(through.json.choices[0].message);
    }
    const line = await daemon.access(through.headers['x-request-id']);
    if (!more.stream) assert.equal(line.tokens_out, through.json.usage.completion_tokens);
    else assert.ok(line.tokens_out > 0);
  });

it('an error of the server', async () => {
  const bad = { ...base, messages: 'none' };
  const direct = await chat(server, bad);
  const through = await chat(daemon, bad);
  assert.ok(direct.status >= 400);
  assert.equal(through.status, direct.status);
  assert.equal(plain(through.text), plain(direct.text));
});

it('a client that leaves stops the generation', async (t) => {
  const slots = (await get(server, '/slots')).json;
  if (!Array.isArray(slots)) return t.skip('this server does not show its slots');
  const busy = async () => (await get(server, '/slots')).json.filter((s) => s.is_processing).length;
  const x = await open(daemon, { ...base, stream: true, max_tokens: 6000, ignore_eos: true });
  await x.response.until((r) => contentOf(r.events).length > 0, 'the first token');
  assert.equal(await busy(), 1);
  x.client.close();
  assert.equal((await daemon.access(x.response.headers['x-request-id'])).cancel_by, 'client');
  await until(async () => (await busy()) === 0, 'a free slot', 3000, 20);
});
