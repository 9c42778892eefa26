// The same conversation through all nine pairs to one real model server, which speaks the three dialects itself: with
// temperature 0 the text must be the same whatever the pair, streamed or not, in both turns.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clients, collect } from '../lib/clients.mjs';
import { start } from '../lib/daemon.mjs';
import { startModel } from './model.mjs';

const UPSTREAMS = ['chat', 'responses', 'messages'];

let model;
let daemon;
const seen = { first: new Map(), second: new Map() };

before(async () => {
  model = await startModel();
  daemon = await start({
    upstreams: UPSTREAMS.map((dialect) => ({ name: dialect, url: `http://127.0.0.1:${model.server.port}/v1`, dialect, server: 'llama.cpp' })),
    models: UPSTREAMS.map((dialect) => ({ name: `tiny-${dialect}`, upstream: dialect, model: 'tiny' })),
  });
});
after(async () => {
  model?.stop();
  await daemon?.finish();
});

const sampling = { temperature: 0 };
const extra = { chat: { ...sampling, seed: 7 }, responses: sampling, messages: sampling };

// Relayed bytes are the server's own. Its Responses streams number nothing, its usage leaves fields out, in Messages too:
// what is compared is read without asking for more.
const texts = (content) => content.map((b) => b.text ?? '').join('');
const usage = {};
const relayed = (client, mode) => ({
  responses: async (model, r) => {
    const body = client.body(model, r);
    if (mode === 'whole') {
      const { output } = await client.api.responses.create(body);
      return { text: texts(output.flatMap((i) => i.content ?? [])), turn: output, usage };
    }
    const events = await collect(await client.api.responses.create({ ...body, stream: true }));
    const text = events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
    return { text, turn: events.at(-1).response.output, usage };
  },
  messages: async (model, r) => {
    const body = client.body(model, r);
    const m = mode === 'whole' ? await client.api.messages.create(body) : await client.api.messages.stream(body).finalMessage();
    return { text: texts(m.content), turn: [{ role: 'assistant', content: m.content }], usage };
  },
});

for (const entry of clients.filter((c) => /openai 7|anthropic 1/.test(c.name)))
  describe(entry.name, { skip: entry.skip }, () => {
    for (const upstream of UPSTREAMS)
      for (const mode of ['whole', 'stream'])
        it(`to ${upstream}, ${mode}`, async () => {
          const client = entry.open(daemon.url);
          const own = entry.dialect === upstream;
          const loose = own ? relayed(client, mode)[upstream] : undefined;
          const ask = loose ?? ((...args) => client.ask(...args, mode));
          const request = { system: 'Be brief.', user: 'Grüße 😀, what is the time?', max: 24, extra };
          const first = await ask(`tiny-${upstream}`, request);
          assert.ok(first.text.length > 0);
          if (!own) assert.ok(first.usage.input > 0 && first.usage.output > 0, JSON.stringify(first.usage));
          seen.first.set(`${entry.name} to ${upstream}, ${mode}`, first.text);
          const again = { ...request, history: [...first.turn, { role: 'user', content: 'And now?' }] };
          const second = await ask(`tiny-${upstream}`, again);
          if (!own) assert.ok(second.usage.input > first.usage.input);
          seen.second.set(`${entry.name} to ${upstream}, ${mode}`, second.text);
        });
  });

it('all of them heard the same', () => {
  for (const turn of Object.values(seen)) {
    assert.equal(turn.size, 18);
    assert.equal(new Set(turn.values()).size, 1, JSON.stringify([...turn], null, 1));
  }
});
