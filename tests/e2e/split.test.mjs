// Where an upstream's bytes are cut must not matter: every stream fixture, split at every position of its raw HTTP
// bytes (status line, headers, chunk framing, event data), gives the client the same bytes.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { start } from './lib/daemon.mjs';
import { callChunks, chunkOf, delta, record, textChunks, TEXT, USAGE } from './lib/model.mjs';
import { Client, contentOf, dataOf, request, sse } from './lib/raw.mjs';
import { Upstream, chunked } from './lib/upstream.mjs';
import { mapLimit, sleep } from './lib/util.mjs';

const DONE = record('[DONE]');
const short = (text, more) => [delta('m', { role: 'assistant', content: '' }), delta('m', { content: text }), { ...delta('m', {}, 'stop'), ...more }];
const text = (chunks) => chunks.map(record).join('');
const SHORT = text(short('h\u00e9 😀')) + DONE;
const ERROR = record({ error: { message: 'the model broke', type: 'server_error', param: null, code: 'boom' } });

// The body as one chunk a record (or as given), a proper end, or none.
const inChunks = (s) => Buffer.concat([...s.split(/(?<=\n\n|\r\r|\r\n\r\n)/).map((r) => chunked(r)), Buffer.from('0\r\n\r\n')]);
const head = (extra = 'transfer-encoding: chunked\r\n') => Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n${extra}\r\n`);

// want: what the client must see (text), or a check of it. close: the upstream closes behind its bytes.
const fixtures = {
  content: { bytes: [head(), inChunks(text(textChunks('m', { text: 'Grüße 😀' })) + DONE)], want: text(textChunks('m', { text: 'Grüße 😀' })) + DONE },
  'tool calls': {
    bytes: [head(), inChunks(text(callChunks('m', [{ id: 'a', name: 'f', arguments: '{"x":"é"}' }, { id: 'b', name: 'g', arguments: '{}' }])) + DONE)],
    want: text(callChunks('m', [{ id: 'a', name: 'f', arguments: '{"x":"é"}' }, { id: 'b', name: 'g', arguments: '{}' }])) + DONE,
  },
  'all in one chunk': { bytes: [head(), chunked(SHORT), '0\r\n\r\n'], want: SHORT },
  'chunks that cut records': { bytes: [head(), ...SHORT.match(/[^]{1,37}/gu).map((s) => chunked(s)), '0\r\n\r\n'], want: SHORT },
  CRLF: { bytes: [head(), inChunks(SHORT.replace(/\n/g, '\r\n'))], same: SHORT },
  CR: { bytes: [head(), inChunks(SHORT.replace(/\n/g, '\r'))], same: SHORT },
  comments: { bytes: [head(), inChunks(`: start\n\n:\n${SHORT.replace(/\n\n/g, '\n\n: OPENROUTER PROCESSING\n\n')}`)], same: SHORT },
  'id and retry fields': { bytes: [head(), inChunks(SHORT.replace(/data:/g, 'id: 7\nretry: 10\ndata:'))], same: SHORT },
  'byte order mark': { bytes: [head(), inChunks('\ufeff' + SHORT)], same: SHORT },
  'no space behind the colon': { bytes: [head(), inChunks(SHORT.replace(/data: /g, 'data:'))], want: SHORT.replace(/data: /g, 'data:') },
  'no [DONE]': { bytes: [head(), inChunks(SHORT.slice(0, -DONE.length))], want: SHORT },
  'no end to the last record': { bytes: [head(), inChunks(SHORT.slice(0, -1))], same: SHORT },
  'usage chunk, not asked for': { bytes: [head(), inChunks(text([...short('a'), chunkOf('m', [], { usage: USAGE })]) + DONE)], want: text(short('a')) + DONE },
  'sized body': { bytes: [head(`content-length: ${Buffer.byteLength(SHORT)}\r\n`), SHORT], want: SHORT },
  'delimited by close': { bytes: [head('connection: close\r\n'), SHORT], close: true, want: SHORT },
  'trailers and chunk extensions': { bytes: [head(), chunked(SHORT).toString().replace('\r\n', ';x="y"\r\n'), '0\r\nx-t: 1\r\n\r\n'], want: SHORT },
  '100 and 103 before': { bytes: ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n', head(), inChunks(SHORT)], want: SHORT },
  'error in mid-stream': {
    bytes: [head(), inChunks(text(short('a').slice(0, 2)) + ERROR)], broken: true,
    check: (s) => assert.equal(s, text(short('a').slice(0, 2)) + ERROR),
  },
  'error first': { bytes: [head(), inChunks(ERROR)], status: 502, anyStatus: true, check: (s) => assert.equal(JSON.parse(s).error.code, 'boom') },
  'early end': {
    bytes: [head(), inChunks(text(short('a').slice(0, 2))).subarray(0, -5)], close: true, broken: true,
    check: (s) => {
      assert.ok(s.startsWith(text(short('a').slice(0, 2))));
      const data = dataOf(sse(s));
      assert.ok(JSON.parse(data.at(-1)).error.code, 'an error record');
      assert.ok(!s.includes('[DONE]'));
    },
  },
};
for (const f of Object.values(fixtures)) f.raw = Buffer.concat(f.bytes.map((b) => Buffer.from(b)));

let up;
let daemon;
before(async () => {
  up = await Upstream.listen(async (req, peer) => {
    const [, index, cuts] = req.json.model.match(/^mock-(\d+)-(.*)$/);
    const f = Object.values(fixtures)[Number(index)];
    let from = 0;
    for (const cut of [...(cuts === 'none' ? [] : cuts.split('_').map(Number)), f.raw.length]) {
      if (from) await sleep(1);
      await peer.write(f.raw.subarray(from, cut));
      from = cut;
    }
    if (f.close) peer.end();
    return f.close ? 'hold' : undefined;
  });
  daemon = await start({ upstreams: [{ name: 'up', url: up.url, dialect: 'chat' }], models: [{ name: 'mock-*', upstream: 'up' }] });
});
after(async () => {
  await daemon?.finish();
  await up?.close();
});

// One connection a lane, reused while the daemon keeps it open.
class Lane {
  async ask(model) {
    if (!this.client || this.client.ended || this.client.socket.destroyed) this.client = await Client.connect(daemon);
    const r = await this.client.send(request('POST', '/v1/chat/completions', {}, { model, messages: [], stream: true }), 'POST').end;
    if (!r.complete || /close/.test(r.headers?.connection ?? '')) {
      await this.client.closed;
      this.client = null;
    }
    return { status: r.status, text: r.text, complete: r.complete, type: r.headers?.['content-type'] };
  }
}

const WIDTH = 24;

Object.entries(fixtures).forEach(([name, f], index) => {
  it(`${name}: ${f.raw.length} bytes (pitfalls H7)`, async () => {
    const whole = await new Lane().ask(`mock-${index}-none`);
    if (!f.anyStatus) assert.equal(whole.status, f.status ?? 200, whole.text);
    else assert.ok(whole.status >= 400, `${whole.status}`);
    assert.equal(whole.complete, !f.broken);
    if (f.want !== undefined) assert.equal(whole.text, f.want);
    if (f.same !== undefined) {
      assert.deepEqual(dataOf(sse(whole.text)), dataOf(sse(f.same)));
      assert.ok(!/\r|\ufeff|^(id|retry)/m.test(whole.text), 'one plain form');
    }
    f.check?.(whole.text);

    const lanes = Array.from({ length: WIDTH }, () => new Lane());
    const cuts = Array.from({ length: f.raw.length - 1 }, (_, i) => `${i + 1}`);
    // Some with many cuts: every 7 bytes, and around each CR and LF.
    cuts.push(Array.from({ length: Math.floor((f.raw.length - 1) / 7) }, (_, i) => (i + 1) * 7).join('_'));
    const free = [...lanes];
    await mapLimit(cuts, WIDTH, async (cut) => {
      const lane = free.pop();
      const got = await lane.ask(`mock-${index}-${cut}`);
      free.push(lane);
      assert.deepEqual(got, whole, `cut at ${cut}`);
    });
    for (const l of lanes) l.client?.close();
  });
});

it('the text survives (pitfalls H6)', () => assert.equal(contentOf(sse(text(textChunks('m')))), TEXT));
