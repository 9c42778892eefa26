// Whatever two parsers could read differently is refused: 400, closed, nothing of it reaches an upstream. Each case is
// sent whole, and split at every position.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { start } from './lib/daemon.mjs';
import { smuggling } from './lib/smuggling.mjs';
import { Client, get } from './lib/raw.mjs';
import { Upstream } from './lib/upstream.mjs';
import { mapLimit, sleep, within } from './lib/util.mjs';

let up;
let daemon;
before(async () => {
  up = await Upstream.listen((req, peer) => peer.answer(200, {}));
  daemon = await start({ upstreams: [{ name: 'up', url: up.url, dialect: 'chat' }], models: [{ name: '*', upstream: 'up' }] });
});
after(async () => {
  await daemon?.finish();
  await up?.close();
});

// Sends the pieces, returns what the whole connection answered.
async function talk(pieces) {
  const c = await Client.connect(daemon);
  const r = c.expect('POST');
  for (const [i, p] of pieces.entries()) {
    if (i) await sleep(1);
    if (c.ended) break;
    c.write(p);
  }
  await within(10000, c.closed, 'the close of a refused connection');
  return { status: r.status, headers: r.headers, text: r.text, complete: r.complete, more: c.leftover.toString('latin1') };
}

function refused(got, what) {
  assert.equal(got.status, 400, `${what}: ${got.status} ${got.text}`);
  assert.equal(got.headers.connection, 'close', what);
  assert.ok(got.complete, what);
  assert.equal(got.more, '', `${what}: a second answer`);
  const { error } = JSON.parse(got.text);
  assert.ok(error.message, what);
  assert.equal(error.type, 'invalid_request_error', what);
}

for (const [name, text] of Object.entries(smuggling)) {
  it(name, async () => {
    const bytes = Buffer.from(text, 'latin1');
    refused(await talk([bytes]), 'whole');
    const cuts = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    await mapLimit(cuts, 24, async (cut) => refused(await talk([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`));
  });
}

it('nothing reached the upstream, and the daemon serves on', async () => {
  assert.equal(up.requests.length, 0);
  assert.equal((await get(daemon, '/readyz')).status, 200);
});
