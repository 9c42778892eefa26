// A client that leaves frees its upstream within 100 ms, in each of twelve phases; whether it closes or resets.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { start, withDaemon } from './lib/daemon.mjs';
import { delta, record } from './lib/model.mjs';
import { Client, get, request } from './lib/raw.mjs';
import { Upstream, blackhole } from './lib/upstream.mjs';
import { now, sleep, threeTries, until, within } from './lib/util.mjs';

const BOUND_MS = 100;
const FIRST = record(delta('m', { role: 'assistant', content: '' }));
const CHAT = '/v1/chat/completions';

let up;
let mute; // accepts, says nothing, not even a handshake
let hole;
let daemon;
let script;
let ids = 0;

before(async () => {
  up = await Upstream.listen((req, peer) => script(peer, req));
  mute = await Upstream.raw((peer) => peer.gone);
  hole = await blackhole();
  daemon = await start({
    heartbeat_seconds: 0.15,
    timeouts: { connect_seconds: 30, tls_seconds: 30 },
    upstreams: [
      { name: 'up', url: up.url, dialect: 'chat' },
      { name: 'hole', url: hole.url, dialect: 'chat' },
      { name: 'mute', url: `https://localhost:${mute.port}/v1`, dialect: 'chat' },
      { name: 'one', url: up.url, dialect: 'chat', connections_max: 1 },
    ],
    models: [{ name: 'up', upstream: 'up' }, { name: 'hole', upstream: 'hole' }, { name: 'mute', upstream: 'mute' }, { name: 'one', upstream: 'one' }],
  });
});
after(async () => {
  await daemon?.finish();
  await up?.close();
  await mute?.close();
  await hole?.close();
});

// Sockets of this machine connected or connecting to a port: /proc/net/tcp, state 02 is SYN_SENT.
function connecting(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'latin1').split('\n').filter((l) => new RegExp(`^ *\\d+: \\S+ 0100007F:${hex} 02 `).test(l)).length;
}

const hang = async (peer) => (await peer.gone, 'hold');
const busy = (bytes) => async (peer) => {
  await peer.streamHead();
  while (await peer.chunk(FIRST.repeat(Math.ceil(bytes / FIRST.length)))) await sleep(0);
  return 'hold';
};

// Sends a request that should reach the upstream; {client, peer, id, response}.
async function ask(model, stream, options = {}) {
  const id = `gone-${++ids}`;
  const client = await Client.connect(daemon, options);
  const response = client.send(request('POST', CHAT, { 'x-request-id': id }, { model, messages: [], stream }), 'POST');
  return { client, id, response };
}
async function atUpstream(model, stream, options) {
  up.forget();
  const x = await ask(model, stream, options);
  x.peer = (await up.next()).peer;
  return x;
}
const freed = (x) => within(5000, x.peer.gone, "the upstream connection's end").then(() => x.peer.goneAt);

// Each returns {client, id} and `freed`, a function that resolves with the time when the upstream was freed.
const phases = {
  'before the head ends': async () => {
    const client = await Client.connect(daemon);
    client.write(`POST ${CHAT} HTTP/1.1\r\nhost: a\r\ncontent-le`);
    await sleep(30);
    const fds = daemon.fds();
    return { client, freed: () => until(() => daemon.fds() < fds && now(), 'the connection to be closed', 5000, 1) };
  },
  'in the request body': async () => {
    const id = `gone-${++ids}`;
    const client = await Client.connect(daemon);
    client.write(request('POST', CHAT, { 'x-request-id': id, 'content-length': 1000 }));
    client.write('{"model":"up","messages":[');
    await sleep(30);
    const fds = daemon.fds();
    return { client, id, freed: () => until(() => daemon.fds() < fds && now(), 'the connection to be closed', 5000, 1) };
  },
  'connecting to an upstream that does not accept': async () => {
    const x = await ask('hole', true);
    const others = connecting(hole.port);
    await until(() => connecting(hole.port) > 0, 'a connection attempt', 5000, 2);
    await sleep(40);
    const mine = connecting(hole.port);
    assert.ok(mine >= others);
    return { ...x, freed: () => until(() => connecting(hole.port) < mine && now(), 'the attempt to be given up', 5000, 1) };
  },
  'in the TLS handshake': async () => {
    const before = mute.peers.length;
    const x = await ask('mute', true);
    x.peer = await until(() => mute.peers[before], 'a connection');
    await until(() => x.peer.received > 0, 'a ClientHello');
    return { ...x, freed: () => freed(x) };
  },
  "waiting for the upstream's head, stream": async () => {
    script = hang;
    const x = await atUpstream('up', true);
    return { ...x, freed: () => freed(x) };
  },
  'after the head, before the first record': async () => {
    script = async (peer) => (await peer.streamHead(), hang(peer));
    const x = await atUpstream('up', true);
    await sleep(30);
    return { ...x, freed: () => freed(x) };
  },
  'in a stream that pauses': async () => {
    script = async (peer) => (await peer.streamHead(), await peer.chunk(FIRST), hang(peer));
    const x = await atUpstream('up', true);
    await x.response.until((r) => r.text.includes(FIRST));
    return { ...x, freed: () => freed(x) };
  },
  'in a busy stream': async () => {
    script = busy(1);
    const x = await atUpstream('up', true);
    await x.response.until((r) => r.bytes.length > 10000);
    return { ...x, freed: () => freed(x) };
  },
  "waiting for the upstream's head, whole answer": async () => {
    script = hang;
    const x = await atUpstream('up', false);
    await sleep(20);
    return { ...x, freed: () => freed(x) };
  },
  "in the upstream's body, whole answer": async () => {
    script = async (peer) => {
      await peer.write(peer.head(200, { 'content-type': 'application/json', 'content-length': 100000 }));
      await peer.write('{"id":"x","choices":[');
      return hang(peer);
    };
    const x = await atUpstream('up', false);
    await sleep(40);
    return { ...x, freed: () => freed(x) };
  },
  'between heartbeats': async () => {
    script = hang;
    const x = await atUpstream('up', true);
    await x.response.until((r) => (r.text.match(/^:/gm) ?? []).length >= 2, 'two heartbeats');
    return { ...x, freed: () => freed(x) };
  },
  'while stalled by back-pressure': async () => {
    script = busy(50000);
    const x = await atUpstream('up', true, { paused: true });
    let last = -1;
    await until(() => {
      const v = x.peer.accepted;
      const still = v === last && v > 0;
      last = v;
      return still;
    }, 'the flow to stop', 15000, 250);
    return { ...x, freed: () => freed(x) };
  },
};

let slowest = { took: 0 };
for (const how of ['close', 'reset'])
  describe(`the client's ${how} (pitfalls G4)`, () => {
    for (const [name, phase] of Object.entries(phases))
      it(name, async (t) => {
        await threeTries(t, async () => {
          const x = await phase();
          const waiting = x.freed();
          const at = now();
          x.client[how]();
          const took = (await waiting) - at;
          if (x.id) {
            const line = await daemon.access(x.id);
            assert.equal(line.cancel_by, 'client');
          }
          if (took > slowest.took) slowest = { took, name };
          assert.ok(took < BOUND_MS, `freed after ${took.toFixed(1)} ms`);
        });
      });
  });

it('queued for a connection: leaves the queue (pitfalls G5)', async () => {
  script = hang;
  const first = await atUpstream('one', true);
  const second = await ask('one', true);
  await sleep(50);
  second.client.close();
  assert.equal((await daemon.access(second.id)).cancel_by, 'client');
  first.client.close();
  await freed(first);
  script = (peer) => peer.answer(200, { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [] });
  const third = await ask('one', false);
  assert.equal((await third.response.end).status, 200);
  third.client.close();
});

it('a pipelined client that leaves takes its waiting requests along', async () => {
  script = hang;
  up.forget();
  const client = await Client.connect(daemon);
  const one = request('POST', CHAT, {}, { model: 'up', messages: [], stream: true });
  client.write(Buffer.concat([one, one, one]));
  const { peer } = await up.next();
  await sleep(30);
  client.close();
  await within(2000, peer.gone, "the upstream connection's end");
  await sleep(100);
  assert.equal(up.requests.length, 1, 'nobody waits for the others');
});

it('fin_is_gone: false lets a client close its sending half, and hear all', async () => {
  await withDaemon({ fin_is_gone: false, upstreams: [{ name: 'up', url: up.url, dialect: 'chat' }], models: [{ name: 'up', upstream: 'up' }] }, async (d) => {
    script = async (peer) => {
      await sleep(50);
      await peer.stream([FIRST, FIRST, record(delta('m', {}, 'stop')), record('[DONE]')]);
    };
    for (let i = 0; i < 10; i++) {
      const client = await Client.connect(d, { allowHalfOpen: true });
      const response = client.send(request('POST', CHAT, {}, { model: 'up', messages: [], stream: true }), 'POST');
      client.socket.end();
      await response.end;
      assert.ok(response.complete && response.text.endsWith('data: [DONE]\n\n'), `only ${JSON.stringify(response.text?.slice(-100))} came`);
      client.close();
    }
  });
});

it('afterwards nothing is left open', async (t) => {
  t.diagnostic(`slowest: ${slowest.took.toFixed(1)} ms, ${slowest.name}`);
  for (const p of up.peers) p.close();
  await until(() => daemon.fds() < 30, 'descriptors to be closed', 3000).catch(() => assert.fail(`${daemon.fds()} descriptors are open`));
  assert.equal((await get(daemon, '/readyz')).status, 200);
});
