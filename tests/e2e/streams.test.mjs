// Streams that live: heartbeats, and clients that do not read.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { start, withDaemon } from './lib/daemon.mjs';
import { delta, record } from './lib/model.mjs';
import { Client, chat, commentsOf, dataOf, get, open, request } from './lib/raw.mjs';
import { Upstream } from './lib/upstream.mjs';
import { now, sleep, until, within } from './lib/util.mjs';

const DONE = record('[DONE]');
const FIRST = record(delta('m', { role: 'assistant', content: '' }));
const REST = record(delta('m', { content: 'hi' })) + record(delta('m', {}, 'stop')) + DONE;
const STREAM = { model: 'mock', messages: [{ role: 'user', content: 'x' }], stream: true };
const KIB = 1024;
const MIB = 1024 * KIB;

let up;
let script;
before(async () => {
  up = await Upstream.listen((req, peer) => script(peer, req));
});
after(() => up?.close());

const config = (more) => ({
  upstreams: [{ name: 'up', url: up.url, dialect: 'chat' }],
  models: [{ name: 'mock', upstream: 'up' }],
  ...more,
});

describe('heartbeats every 0.2 s (pitfalls H1, H4)', () => {
  let daemon;
  before(async () => (daemon = await start(config({ heartbeat_seconds: 0.2, timeouts: { first_byte_seconds: 5, idle_seconds: 5 } }))));
  after(() => daemon?.finish());

  it("begin before the upstream's head, counted from acceptance", async () => {
    script = async (peer) => {
      await sleep(900);
      await peer.stream([FIRST, REST]);
    };
    const at = now();
    const { client, response } = await open(daemon, STREAM);
    await response.head;
    const first = response.headAt - at;
    assert.equal(response.status, 200);
    assert.match(response.headers['content-type'], /^text\/event-stream/);
    assert.ok(first > 150 && first < 450, `the first came after ${first.toFixed(0)} ms`);
    await response.end;
    const beats = commentsOf(response.events).length;
    assert.ok(beats >= 3 && beats <= 5, `${beats} heartbeats`);
    assert.deepEqual(dataOf(response.events), dataOf((await (script = (p) => p.stream([FIRST, REST]), chat(daemon, STREAM))).events));
    assert.ok(response.complete);
    const line = await daemon.access(response.headers['x-request-id']);
    assert.equal(line.heartbeats, beats);
    client.close();
  });

  it('go on in gaps, and stop with the stream', async () => {
    script = async (peer) => {
      await peer.streamHead();
      await peer.chunk(FIRST);
      await sleep(700);
      await peer.chunk(REST);
      await peer.lastChunk();
    };
    const { client, response } = await open(daemon, STREAM);
    await response.end;
    assert.ok(commentsOf(response.events).length >= 2);
    assert.ok(response.text.startsWith(FIRST));
    assert.ok(response.text.endsWith(REST));
    const body = response.bytes.length;
    await sleep(500);
    assert.equal(response.bytes.length, body);
    assert.equal(client.leftover.length, 0);
    client.close();
  });

  it('never fall inside a record', async () => {
    const big = record(delta('m', { content: 'a'.repeat(2000) }));
    script = async (peer) => {
      await peer.streamHead();
      await peer.chunk(FIRST);
      for (let i = 0; i < big.length; i += 500) {
        await peer.chunk(big.slice(i, i + 500));
        await sleep(250);
      }
      await peer.chunk(REST);
      await peer.lastChunk();
    };
    const { client, response } = await open(daemon, STREAM);
    await response.end;
    assert.ok(commentsOf(response.events).length >= 3);
    const data = dataOf(response.events);
    assert.equal(JSON.parse(data[1]).choices[0].delta.content.length, 2000);
    assert.ok(response.text.includes(big));
    client.close();
  });

  it('do not come while records do', async () => {
    script = async (peer) => {
      await peer.streamHead();
      for (let i = 0; i < 12; i++) {
        await peer.data(delta('m', { content: `${i}` }));
        await sleep(60);
      }
      await peer.chunk(REST);
      await peer.lastChunk();
    };
    const r = await chat(daemon, STREAM);
    assert.equal(commentsOf(r.events).length, 0);
  });

  it('after one, an error is a record in the stream', async () => {
    script = async (peer) => {
      await sleep(350);
      await peer.fail(429, { message: 'slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    };
    const r = await chat(daemon, STREAM);
    assert.equal(r.status, 200);
    assert.equal(r.complete, false);
    const { error } = JSON.parse(dataOf(r.events).at(-1));
    assert.equal(error.code, 'rate_limit_exceeded');
    assert.ok(!r.text.includes('[DONE]'));
  });

  it('before one, an error is a status', async () => {
    script = (peer) => peer.fail(429, { code: 'rate_limit_exceeded' });
    assert.equal((await chat(daemon, STREAM)).status, 429);
  });

  it('are not for whole answers', async () => {
    script = async (peer) => {
      await sleep(600);
      await peer.answer(200, { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [] });
    };
    const r = await chat(daemon, { ...STREAM, stream: false });
    assert.equal(r.status, 200);
    assert.equal(r.json.id, 'x');
  });

  it('come from the simulated model too', async () => {
    const r = await chat(daemon, { ...STREAM, model: 'sim' }, { 'x-triglot-sim': 'first_token_ms=700,tokens=3,tokens_per_second=0' });
    assert.ok(commentsOf(r.events).length >= 2);
    assert.equal(dataOf(r.events).at(-1), '[DONE]');
  });

  it("do not keep a silent upstream alive: its own idle time counts", async () => {
    await withDaemon(config({ heartbeat_seconds: 0.1, timeouts: { first_byte_seconds: 0.6, idle_seconds: 0.6 } }), async (d) => {
      script = async (peer) => (await peer.streamHead(), await peer.chunk(FIRST), await peer.gone, 'hold');
      const at = now();
      const r = await chat(d, STREAM);
      assert.ok(now() - at < 2500);
      assert.ok(commentsOf(r.events).length >= 3);
      assert.match(JSON.parse(dataOf(r.events).at(-1)).error.code, /timeout/);
      script = async (peer) => (await peer.gone, 'hold');
      const s = await chat(d, STREAM);
      assert.match(JSON.parse(dataOf(s.events).at(-1)).error.code, /timeout/);
    });
  });
});

it('heartbeat_seconds: 0 sends none', async () => {
  await withDaemon(config({ heartbeat_seconds: 0 }), async (d) => {
    script = async (peer) => {
      await sleep(400);
      await peer.stream([FIRST, REST]);
    };
    const r = await chat(d, STREAM);
    assert.equal(r.text, FIRST + REST);
  });
});

it('the total time ends a stream with an error record', async () => {
  await withDaemon(config({ timeouts: { total_seconds: 0.6 } }), async (d) => {
    script = async (peer) => {
      await peer.streamHead();
      while (await peer.data(delta('m', { content: 'x' }))) await sleep(50);
      return 'hold';
    };
    const r = await chat(d, STREAM);
    assert.match(JSON.parse(dataOf(r.events).at(-1)).error.code, /timeout/);
    assert.equal(r.complete, false);
  });
});

it('events that arrive together leave together, and one that arrives is not held back', async () => {
  await withDaemon(config(), async (d) => {
    const gate = [];
    script = async (peer) => {
      await peer.streamHead();
      for (let i = 0; i < 20; i++) {
        await peer.data(delta('m', { content: `${i}` }));
        gate.push(now());
        await sleep(15);
      }
      await peer.chunk(REST);
      await peer.lastChunk();
    };
    const { client, response } = await open(d, STREAM);
    await response.end;
    assert.equal(response.complete, true);
    const late = gate.map((t, i) => response.pieces[i].at - t).sort((a, b) => a - b);
    assert.ok(late[10] < 20, `median delay ${late[10].toFixed(1)} ms`);
    client.close();
  });
});

describe('clients that do not read (pitfalls H11)', () => {
  // The upstream sends `bytes` in records of about 4 KiB.
  const EVENT = record(delta('m', { content: 'a'.repeat(4000) }));
  const flood = (bytes) => async (peer) => {
    await peer.streamHead();
    for (let n = 0; n < bytes; n += EVENT.length) if (!(await peer.chunk(EVENT))) return 'hold';
    await peer.chunk(REST);
    await peer.lastChunk();
  };
  const stall = async (d, id) => {
    up.forget();
    const c = await Client.connect(d, { paused: true });
    const response = c.send(request('POST', '/v1/chat/completions', id ? { 'x-request-id': id } : {}, STREAM), 'POST');
    return { client: c, response };
  };
  // Resolves when the peer's counter has stood still for a while.
  const settled = async (read) => {
    let last = -1;
    let since = now();
    await until(() => {
      const v = read();
      if (v !== last) {
        last = v;
        since = now();
      }
      return last > 0 && now() - since > 500;
    }, 'the flow to stop', 20000, 20);
    return last;
  };

  it('pause their upstream, lose nothing, and disturb nobody', async (t) => {
    await withDaemon(config({ write_timeout_seconds: 30 }), async (d) => {
      script = flood(64 * MIB);
      const { client, response } = await stall(d);
      const { peer } = await up.next();
      const taken = await settled(() => peer.accepted);
      t.diagnostic(`${(taken / MIB).toFixed(1)} MiB were taken from the upstream for a client that reads nothing`);
      assert.ok(taken < 16 * MIB, `${taken} bytes were taken`);
      assert.equal((await get(d, '/health')).status, 200);
      script = (p) => p.stream([FIRST, REST]);
      assert.equal((await chat(d, STREAM)).text, FIRST + REST);
      client.listen();
      await response.end;
      assert.ok(response.complete);
      assert.ok(response.text.endsWith(DONE));
      assert.equal(dataOf(response.events).length, Math.ceil((64 * MIB) / EVENT.length) + 3);
    });
  });

  it('100 of them with 1 MB each hold at most their marks', async (t) => {
    await withDaemon(config({ write_timeout_seconds: 60, heartbeat_seconds: 0.2 }), async (d) => {
      script = flood(MIB);
      await chat(d, STREAM);
      const warm = await Promise.all(Array.from({ length: 100 }, () => open(d, { ...STREAM, model: 'sim' }, { 'x-triglot-sim': 'tokens=5,first_token_ms=300' })));
      await Promise.all(warm.map((w) => w.response.end));
      for (const w of warm) w.client.close();
      const before = d.rss();
      const all = await Promise.all(Array.from({ length: 100 }, () => stall(d)));
      await until(() => up.requests.length >= 100, '100 requests at the upstream', 15000);
      await settled(() => up.peers.reduce((n, p) => n + p.accepted, 0));
      t.diagnostic(`100 clients that read nothing: RSS grew by ${((d.rss() - before) / MIB).toFixed(1)} MiB`);
      d.grewLess(100 * (64 + 64 + 32) * KIB, before);
      script = (p) => p.stream([FIRST, REST]);
      const at = now();
      assert.equal((await chat(d, STREAM)).text, FIRST + REST);
      assert.ok(now() - at < 500, 'others are served at once');
      for (const { client } of all) client.listen();
      for (const { client, response } of all) {
        await response.end;
        assert.ok(response.complete && response.text.endsWith(DONE));
        client.close();
      }
    });
  });

  it('for longer than write_timeout_seconds are dropped, and counted as that', async () => {
    await withDaemon(config({ write_timeout_seconds: 0.6 }), async (d) => {
      script = flood(64 * MIB);
      const { client } = await stall(d, 'stalled-1');
      const req = await up.next();
      await within(15000, req.peer.gone, "the upstream connection's end");
      const line = await d.access('stalled-1');
      assert.equal(line.cancel_by, 'write_timeout');
      client.listen();
      await client.closed;
    });
  });

  it('a slow but steady reader is not dropped', async () => {
    await withDaemon(config({ write_timeout_seconds: 0.8 }), async (d) => {
      script = flood(12 * MIB);
      const { client, response } = await stall(d);
      client.listen();
      const pace = setInterval(() => {
        client.socket.pause();
        setTimeout(() => client.socket.resume(), 60);
      }, 70);
      await response.end;
      clearInterval(pace);
      assert.ok(response.complete && response.text.endsWith(DONE));
      client.close();
    });
  });

  it('idle timeouts of the upstream do not run while the client stalls', async () => {
    await withDaemon(config({ write_timeout_seconds: 30, timeouts: { idle_seconds: 0.4 } }), async (d) => {
      script = flood(24 * MIB);
      const { client, response } = await stall(d);
      await sleep(1500);
      client.listen();
      await response.end;
      assert.ok(response.complete && response.text.endsWith(DONE), response.text.slice(-300));
      client.close();
    });
  });
});

