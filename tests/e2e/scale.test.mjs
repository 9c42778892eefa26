// 5,000 streams of the simulated model at once through one worker: all whole, memory bounded.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { start } from './lib/daemon.mjs';
import { Client, dataOf, request } from './lib/raw.mjs';
import { now, until } from './lib/util.mjs';

const STREAMS = 5000;
const TOKENS = 10;
const MIB = 1 << 20;

const hard = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
const files = hard === 'unlimited' ? 1 << 20 : Number(hard);
const skip = files < STREAMS + 500 ? `only ${files} descriptors are allowed here` : false;

it(`${STREAMS} streams on one worker`, { skip }, async (t) => {
  const d = await start({ limits: { connections: STREAMS + 100 } }, { files: Math.min(files, STREAMS + 2000) });
  try {
    const body = { model: 'sim', messages: [{ role: 'user', content: 'x' }], stream: true };
    const bytes = request('POST', '/v1/chat/completions', { 'x-triglot-sim': `tokens_per_second=2,tokens=${TOKENS},first_token_ms=2000` }, body);
    const idle = d.rss();
    const begin = now();
    const all = [];
    for (let i = 0; i < STREAMS; i += 250) {
      const some = await Promise.all(Array.from({ length: 250 }, () => Client.connect(d)));
      for (const client of some) all.push({ client, response: client.send(bytes, 'POST') });
    }
    const sent = now() - begin;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, all.filter((s) => s.response.status && !s.response.endAt).length)), 500);
    await until(() => all.every((s) => s.response.endAt), 'the end of all streams', 60000, 100);
    clearInterval(watch);
    const peak = d.rssPeak();
    const cpu = d.cpu();
    const bad = all.filter(({ response: r }) => !r.complete || r.status !== 200 || dataOf(r.events).at(-1) !== '[DONE]' || dataOf(r.events).length !== TOKENS + 3);
    t.diagnostic(`${STREAMS} streams in ${((now() - begin) / 1000).toFixed(1)} s (sent in ${(sent / 1000).toFixed(1)} s), at most ${most} open at once as seen here`);
    t.diagnostic(`RSS: ${(idle / MIB).toFixed(1)} MiB idle, ${(peak / MIB).toFixed(1)} MiB peak, ${((peak - idle) / STREAMS / 1024).toFixed(1)} KiB a stream; CPU ${(cpu / 1000).toFixed(1)} s`);
    assert.equal(bad.length, 0, `${bad.length} streams were not whole: ${JSON.stringify(bad[0]?.response.text?.slice(-300))}`);
    assert.ok(most > STREAMS / 2, `only ${most} were open at once`);
    assert.ok((peak - idle) / STREAMS < 64 * 1024 || d.sanitized, 'less than 64 KiB a stream');
    for (const s of all) s.client.close();
    await until(() => d.fds() < 50, 'all connections to be closed', 10000, 50);
  } finally {
    await d.finish();
  }
  // The log may drop lines when its reader is slow, but it counts them.
  const lost = d.lines.find((l) => l.name === 'worker_ended').log_lines_lost;
  const logged = d.requests().filter((l) => l.route === '/v1/chat/completions');
  assert.ok(logged.every((l) => l.status === 200 && l.tokens_out === TOKENS && l.cancel_by === '-'));
  assert.ok(logged.length + lost >= STREAMS, `${logged.length} access lines, ${lost} lost`);
  assert.deepEqual(d.lines.filter((l) => l.level === 'error' || l.level === 'warn'), []);
});
