// TLS to upstreams: which certificates are accepted, what is said about the others, and that a cut is never taken for
// an end. `triglot check-upstream` must come to the same verdict as a request.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CA, OTHER_CA, server } from './lib/certs.mjs';
import { run, start } from './lib/daemon.mjs';
import { delta, record } from './lib/model.mjs';
import { chat, dataOf } from './lib/raw.mjs';
import { Upstream, chunked } from './lib/upstream.mjs';
import { sleep } from './lib/util.mjs';

const WHOLE = JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [] });
const FIRST = record(delta('m', { role: 'assistant', content: '' }));
const REST = record(delta('m', {}, 'stop')) + record('[DONE]');

const good = ['valid', 'valid-ec', 'valid-ec384', 'chain'];
const bad = {
  expired: /expired/i,
  'not-yet': /not (yet )?valid|not yet/i,
  'wrong-name': /name/i,
  'cn-only': /name/i,
  'nul-name': /name/i,
  'unknown-ca': /trust|unknown|anchor|authority/i,
  'impostor-ca': /signature|trust|signed/i,
  'self-signed': /self-signed|trust|unknown/i,
  'weak-key': /weak|1024|key/i,
  sha1: /SHA-?1|signature|hash/i,
  'no-inter': /trust|chain|unknown|intermediate|missing/i,
  'not-ca': /CA|authority/,
  'name-constraint': /constraint|critical|extension/i,
};
const protocols = {
  'TLS 1.3 only': [{ minVersion: 'TLSv1.3' }, /1\.3/],
  'TLS 1.1 at most': [{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }, /version|1\.2|protocol/i],
  'no AEAD suite': [{ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0' }, /suite|handshake/i],
  'no forward secrecy': [{ ...server('valid'), maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:@SECLEVEL=0' }, /suite|handshake/i],
};

const ups = {};
let daemon;
let script = (req, peer) => peer.answer(200, WHOLE);
before(async () => {
  for (const name of [...good, ...Object.keys(bad)]) ups[name] = await Upstream.listen((req, peer) => script(req, peer), { tls: server(name) });
  for (const [name, [options]] of Object.entries(protocols)) ups[name] = await Upstream.listen((req, peer) => script(req, peer), { tls: { ...server(), ...options } });
  daemon = await start({
    timeouts: { first_byte_seconds: 2, idle_seconds: 2 },
    upstreams: [
      ...Object.entries(ups).map(([name, up]) => ({ name, url: up.url, dialect: 'chat', ca_file: CA })),
      { name: 'other-ca', url: ups.valid.url, dialect: 'chat', ca_file: OTHER_CA },
      { name: 'system', url: ups.valid.url, dialect: 'chat' },
      { name: 'renamed', url: ups.valid.url, dialect: 'chat', ca_file: CA, server_name: 'API.test' },
      { name: 'misnamed', url: ups.valid.url, dialect: 'chat', ca_file: CA, server_name: 'nobody.test' },
      { name: 'wild', url: ups.valid.url, dialect: 'chat', ca_file: CA, server_name: 'a.wild.test' },
      { name: 'too-wild', url: ups.valid.url, dialect: 'chat', ca_file: CA, server_name: 'a.b.wild.test' },
    ],
    models: [...Object.keys(ups), 'other-ca', 'system', 'renamed', 'misnamed', 'wild', 'too-wild'].map((name) => ({ name, upstream: name })),
  });
});
after(async () => {
  await daemon?.finish();
  for (const up of Object.values(ups)) await up.close();
});

const ask = (model, stream = false) => chat(daemon, { model, messages: [], stream });
const check = (name) => run(['check-upstream', '--ca-file', CA, ups[name].url]);

function refused(r, code, why) {
  assert.equal(r.status, 502, r.text);
  assert.match(r.json.error.code, code, r.text);
  assert.match(r.json.error.message, why);
}

describe('accepted', () => {
  for (const name of good)
    it(name, async () => {
      assert.equal((await ask(name)).text, WHOLE);
      const r = await check(name);
      assert.equal(r.code, 0, r.stderr);
      assert.match(r.stdout, /TLS ?v?1\.2/);
      assert.match(r.stdout, /ECDHE/);
      assert.match(r.stdout, /verdict: usable/);
    });
  for (const name of ['renamed', 'wild']) it(`server_name: ${name}`, async () => void assert.equal((await ask(name)).status, 200));
});

describe('refused', () => {
  for (const [name, why] of Object.entries(bad))
    it(name, async () => {
      refused(await ask(name), /tls|certificate/, why);
      assert.equal(ups[name].requests.length, 0, 'nothing was sent');
      const r = await check(name);
      assert.equal(r.code, 1, r.stdout);
      assert.match(r.stderr, why);
    });
  for (const [name, why] of [['other-ca', /trust|unknown|anchor|authority|certificate/i], ['system', /trust|unknown|anchor|authority|certificate/i], ['misnamed', /name/i], ['too-wild', /name/i]])
    it(name, async () => refused(await ask(name), /tls|certificate/, why));
  for (const [name, [, why]] of Object.entries(protocols))
    it(name, async () => {
      refused(await ask(name), /tls/, why);
      const r = await check(name);
      assert.equal(r.code, 1);
      assert.match(r.stderr, why);
    });
});

describe('the end of a connection', () => {
  const head = (extra) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${extra}\r\n`;
  const SSE = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  const up = () => ups.valid;
  const cut = (...pieces) => async (req, peer) => {
    for (const p of pieces) await peer.write(p);
    await sleep(30);
    up().cut(peer);
    return 'hold';
  };
  const bye = (...pieces) => async (req, peer) => {
    for (const p of pieces) await peer.write(p);
    peer.end();
    return 'hold';
  };

  it('with close_notify ends a body that is delimited by it', async () => {
    script = bye(head('connection: close\r\n'), WHOLE);
    assert.equal((await ask('valid')).text, WHOLE);
  });
  it('without close_notify is a truncation there', async () => {
    script = cut(head('connection: close\r\n'), WHOLE);
    refused(await ask('valid'), /truncated|closed|tls/, /./);
  });
  it('without close_notify does not matter behind a sized body', async () => {
    script = cut(head(`content-length: ${WHOLE.length}\r\n`), WHOLE);
    assert.equal((await ask('valid')).text, WHOLE);
    script = (req, peer) => peer.answer(200, WHOLE);
    assert.equal((await ask('valid')).text, WHOLE, 'and the dead connection is not used again');
  });
  it('in a sized body is a 502', async () => {
    for (const how of [cut, bye]) {
      script = how(head(`content-length: ${WHOLE.length}\r\n`), WHOLE.slice(0, 20));
      refused(await ask('valid'), /./, /./);
    }
  });
  it('in mid-stream is an error record', async () => {
    for (const how of [cut, bye]) {
      script = how(SSE, chunked(FIRST));
      const r = await ask('valid', true);
      assert.equal(r.complete, false);
      assert.ok(r.text.startsWith(FIRST));
      assert.ok(JSON.parse(dataOf(r.events).at(-1)).error.code);
      assert.ok(!r.text.includes('[DONE]'));
    }
  });
});

it('connections are kept, and sessions resumed when they were not', async () => {
  const up = ups['valid-ec'];
  script = (req, peer) => peer.answer(200, WHOLE);
  await ask('valid-ec');
  const n = up.peers.length;
  await ask('valid-ec');
  await ask('valid-ec');
  assert.equal(up.peers.length, n, 'one connection for all');
  assert.equal(up.peers[0].servername, 'localhost');
  let resumed;
  script = (req, peer) => {
    resumed = peer.socket.isSessionReused();
    return peer.answer(200, WHOLE, { connection: 'close' }).then(() => peer.end());
  };
  await ask('valid-ec');
  await ask('valid-ec');
  assert.equal(up.peers.length, n + 1);
  assert.ok(resumed);
});

it('a stream in single bytes, each a record of its own', async () => {
  script = async (req, peer) => {
    await peer.streamHead();
    for (const b of Buffer.from(FIRST + REST)) await peer.chunk(Buffer.from([b]));
    await peer.lastChunk();
  };
  const r = await ask('chain', true);
  assert.equal(r.text, FIRST + REST);
  assert.ok(r.complete);
});

it('a large answer and a large request', async () => {
  const big = JSON.stringify({ ...JSON.parse(WHOLE), pad: 'é'.repeat(1 << 20) });
  script = (req, peer) => peer.answer(200, big);
  const body = JSON.stringify({ model: 'valid', messages: [{ role: 'user', content: 'ü'.repeat(1 << 20) }] });
  const r = await chat(daemon, body);
  assert.ok(r.text === big);
  assert.equal(ups.valid.last.body.toString(), body);
});

it('twenty handshakes at once do not hold up anything else', async () => {
  script = (req, peer) => peer.answer(200, WHOLE, { connection: 'close' }).then(() => peer.end());
  const all = await Promise.all(Array.from({ length: 20 }, () => ask('valid')));
  assert.ok(all.every((r) => r.text === WHOLE));
});
