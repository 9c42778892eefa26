// The tests' own tools, against each other and without the daemon: a check that cannot fail checks nothing.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { yaml } from './lib/daemon.mjs';
import { server } from './lib/certs.mjs';
import { Client, chat, parseHead, request, sse } from './lib/raw.mjs';
import { Upstream, blackhole } from './lib/upstream.mjs';
import { now, sleep, until, within } from './lib/util.mjs';
import net from 'node:net';
import tls from 'node:tls';

const at = (up) => ({ host: '127.0.0.1', port: up.port });

it('event streams: the whole grammar', () => {
  const text = ':c\n\ndata: a\ndata:b\n\nevent: e\nid: 1\ndata\n\ndata: x';
  for (const end of ['\n', '\r', '\r\n']) {
    const got = sse('\ufeff' + text.replace(/\n/g, end));
    assert.deepEqual([...got], [{ comment: 'c' }, { event: 'message', data: 'a\nb' }, { event: 'e', data: '' }]);
    assert.equal(got.rest, 'data: x');
  }
  assert.equal(sse('data: x\n').rest, 'unfinished event');
});

it('responses: pipelined, interim, sized, chunked, without a body, cut at every byte', async () => {
  const bytes =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nc\r\n2\r\nde\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\ncontent-length: 9\r\n\r\n';
  for (let cut = 1; cut < bytes.length; cut += 3) {
    const up = await Upstream.raw(async (peer) => {
      await peer.write(bytes.slice(0, cut));
      await sleep(1);
      await peer.write(bytes.slice(cut));
      peer.end();
    });
    const c = await Client.connect(at(up));
    const all = ['GET', 'POST', 'GET', 'HEAD'].map((m) => c.expect(m));
    for (const r of all) await r.end;
    assert.deepEqual(all.map((r) => [r.status, r.text, r.complete]), [[200, 'ab', true], [200, 'cde', true], [204, '', true], [200, '', true]]);
    assert.deepEqual(all[0].informational, [100]);
    assert.equal(all[3].headers.a, '1, 2');
    await up.close();
  }
});

it('responses that end early or are malformed are not complete', async () => {
  for (const [bytes, status] of [
    ['', undefined], ['HTTP/1.1 200', undefined], ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', 200],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n', 200], ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc', 200],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n', 200],
  ]) {
    const up = await Upstream.raw(async (peer) => (await peer.write(bytes), peer.end()));
    const c = await Client.connect(at(up));
    const r = await c.expect('GET').end;
    assert.equal(r.complete, false, bytes);
    assert.equal(r.status, status, bytes);
    await up.close();
  }
  assert.throws(() => parseHead('HTTP/1.1 OK'));
  assert.throws(() => parseHead('HTTP/1.1 200 OK\r\na : b'));
});

it('the scripted upstream records exact bytes, over TCP and TLS, and when its client left', async () => {
  for (const options of [{}, { tls: server() }]) {
    const up = await Upstream.listen((req, peer) => peer.answer(200, { ok: true }), options);
    const socket = options.tls
      ? tls.connect({ host: '127.0.0.1', port: up.port, servername: 'localhost', rejectUnauthorized: false })
      : net.connect(up.port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    await new Promise((resolve) => socket.once(options.tls ? 'secureConnect' : 'connect', resolve));
    const bytes = request('POST', '/x', { 'X-Odd': 'a' }, '{"a": 1}');
    for (const b of bytes) socket.write(Buffer.from([b]));
    const req = await up.next();
    assert.deepEqual(Buffer.concat([req.rawHead, req.body]), bytes);
    assert.equal(req.headers['x-odd'], 'a');
    await sleep(20);
    assert.equal(req.peer.goneAt, undefined);
    const left = now();
    socket.destroy();
    await within(1000, req.peer.gone, 'the end');
    assert.ok(req.peer.goneAt >= left);
    await up.close();
  }
});

it('a handler that fails fails the suite', async () => {
  const up = await Upstream.listen(() => assert.fail('on purpose'));
  await assert.rejects(chat(at(up), {}));
  await assert.rejects(up.close(), /on purpose/);
});

it('connecting to the black hole does not end', async () => {
  const hole = await blackhole();
  const s = net.connect(hole.port, '127.0.0.1').on('error', () => {});
  await sleep(150);
  assert.ok(s.connecting);
  s.destroy();
  await hole.close();
});

it('YAML', () => {
  const text = yaml({ a: 1, list: ['x', { b: '#"', c: [] }], s: { t: true, u: undefined } });
  assert.equal(text, 'a: 1\nlist:\n  - "x"\n  - b: "#\\""\n    c: []\ns:\n  t: true\n');
});

it('what is waited for and does not come is an error', async () => {
  await assert.rejects(within(10, new Promise(() => {}), 'nothing'), /waited 10 ms for nothing/);
  await assert.rejects(until(() => false, 'nothing', 20), /nothing/);
});
