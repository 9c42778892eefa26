// Mixed load over the three dialects against a daemon built with sanitizers, a faulty upstream behind it (plain and TLS)
// and clients that come and go. Some times on the way, and at the end, everybody rests: then every request must be in the
// access log once, and the daemon must hold no more descriptors than at its first rest.
//
// Fails on a sanitizer's report, the daemon's end, a request without an end, an answer that is wrong or not as it must be,
// an access line that is missing, doubled or false, descriptors or connections left over at rest, and an exit that is not
// clean (which looks for leaks).

import { readdirSync, readlinkSync } from 'node:fs';
import { CA, server } from '../e2e/lib/certs.mjs';
import { start } from '../e2e/lib/daemon.mjs';
import { Upstream } from '../e2e/lib/upstream.mjs';
import { now, sleep, until } from '../e2e/lib/util.mjs';
import { Asker } from './asking.mjs';
import { faulty } from './faulty.mjs';
import { Random } from './random.mjs';

const seconds = Number(process.env.SOAK_SECONDS ?? 900);
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 1000000);
const width = Number(process.env.SOAK_CLIENTS ?? 24);
const restEvery = Math.max(5, Math.min(60, seconds / 4));
const REPORT = /AddressSanitizer|LeakSanitizer|runtime error:|Assertion|out of memory/;

const PREFIX = { chat: 'cc', responses: 'rr', messages: 'mm' };

const openFiles = (pid) =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`)
    .join(', ');

class Soak {
  random = new Random(seed);
  asked = new Map();
  counts = {};
  failures = [];
  logged = 0;
  rests = 0;

  count(group, what) {
    const g = (this.counts[group] ??= {});
    g[what] = (g[what] ?? 0) + 1;
  }

  fail(why) {
    this.failures.push(why);
    if (this.failures.length <= 20) console.error(`FAILED ${why}`);
  }

  async begin() {
    const handler = faulty((id) => this.asked.get(id)?.fault, this.random);
    this.plain = await Upstream.listen(handler);
    this.tls = await Upstream.listen(handler, { tls: server('valid-ec') });
    const upstreams = [];
    const models = [];
    for (const [dialect, prefix] of Object.entries(PREFIX)) {
      upstreams.push({ name: dialect, url: this.plain.url, dialect, key: 'sk-up' });
      upstreams.push({ name: `${dialect}-tls`, url: this.tls.url, dialect, key: 'sk-up', ca_file: CA });
      models.push({ name: `${prefix}-*`, upstream: dialect }, { name: `${prefix}tls-*`, upstream: `${dialect}-tls` });
    }
    this.daemon = await start({
      workers: 2,
      heartbeat_seconds: 0.3,
      write_timeout_seconds: 5,
      timeouts: {
        head_seconds: 5, body_idle_seconds: 5, keep_alive_seconds: 5, connect_seconds: 5, tls_seconds: 10, first_byte_seconds: 4,
        idle_seconds: 3, total_seconds: 30, pool_idle_seconds: 1,
      },
      limits: { event_bytes: '1MiB', response_bytes: '1MiB' },
      upstreams,
      models,
    });
  }

  // What the daemon has said since the last look.
  listen() {
    const d = this.daemon;
    if (REPORT.test(d.stderr)) {
      this.fail('the daemon reports a fault');
      this.over = true;
      return;
    }
    for (const l of d.lines.splice(0)) {
      if (l.name !== 'request') continue;
      this.logged++;
      this.count('log', l.cancel_by === '-' ? l.rc : `left: ${l.cancel_by}`);
      if (l.status === 200 && l.rc !== 'ok' && l.cancel_by === '-') this.fail(`an answer given, and an error in the log: ${l.raw}`);
      const ask = this.asked.get(l.id);
      if (!ask) continue; // a request whose head was never whole has an id of the daemon's
      ask.lines = (ask.lines ?? 0) + 1;
    }
    d.stderr = d.stderr.slice(-20000);
    if (d.exit && !this.over) {
      this.fail(`the daemon ended: ${d.exit.code ?? d.exit.signal}`);
      this.over = true;
    }
    for (const up of [this.plain, this.tls]) {
      up.peers = up.peers.filter((p) => p.goneAt === undefined);
      up.forget();
      up.tlsFaults.length = 0;
      for (const [port, raw] of up.rawSockets) if (raw.destroyed) up.rawSockets.delete(port);
    }
  }

  // Everybody rests: what is left over?
  async rest() {
    const d = this.daemon;
    const quiet = () => {
      this.listen();
      if (this.over) return true;
      return this.plain.peers.length + this.tls.peers.length === 0 && (this.idleFds === undefined || d.fds() <= this.idleFds);
    };
    await until(quiet, 'rest', 20000, 50).catch(() => {});
    if (this.over) return;
    await sleep(200);
    this.listen();
    const open = this.plain.peers.length + this.tls.peers.length;
    if (open) this.fail(`${open} connections to the upstreams at rest`);
    this.idleFds ??= d.fds();
    if (d.fds() > this.idleFds) this.fail(`${d.fds()} descriptors at rest, ${this.idleFds} before: ${openFiles(d.pid)}`);
    for (const [id, ask] of this.asked) {
      if ((ask.lines ?? 0) > 1 || (ask.answered && ask.lines !== 1)) this.fail(`${id}: ${ask.lines ?? 0} access lines`);
    }
    this.asked.clear();
    this.rests++;
    this.say(`at rest: ${d.fds()} descriptors, ${(d.rss() / 1048576).toFixed(0)} MiB resident`);
  }

  say(what) {
    const sum = (g) => Object.values(this.counts[g] ?? {}).reduce((a, b) => a + b, 0);
    console.log(`${((now() - this.began) / 1000).toFixed(0).padStart(5)} s  ${sum('asked')} asked, ${this.logged} logged, ${this.failures.length} failed; ${what}`);
  }

  async load(ms) {
    const end = now() + ms;
    const lanes = Array.from({ length: width }, async (_, i) => {
      const asker = new Asker(this, `${this.rests}-${i}`);
      while (now() < end && !this.over) {
        await asker.once().catch((e) => this.fail(`client ${i}: ${e.stack}`));
        if (this.random.chance(30)) await sleep(this.random.below(60));
      }
      asker.close();
    });
    let loading = true;
    const ticks = (async () => {
      for (let next = 0; loading; next++) {
        await sleep(500);
        this.listen();
        if (next % 40 === 20 && !this.over) this.daemon.kill('SIGHUP'); // read the same configuration again
      }
    })();
    await Promise.all(lanes);
    loading = false;
    await ticks;
  }

  async run() {
    this.began = now();
    console.log(`soak: ${seconds} s, seed ${seed}, ${width} clients, a rest every ${restEvery} s`);
    await this.begin();
    this.daemon.kill('SIGHUP');
    await this.load(2000); // with that, everything is open that is opened once
    await this.rest();
    while (!this.over && now() - this.began < seconds * 1000) {
      await this.load(Math.min(restEvery * 1000, this.began + seconds * 1000 - now()));
      await this.rest();
    }
  }

  async end() {
    const d = this.daemon;
    const how = await d?.stop('SIGTERM', 30000).catch((e) => ({ code: e.message }));
    if (how && how.code !== 0) this.fail(`the daemon ended with ${how.code ?? how.signal}: ${d.stderr.slice(-6000)}`);
    else if (d && REPORT.test(d.stderr)) this.fail(`the daemon reports: ${d.stderr.slice(-6000)}`);
    for (const l of d?.lines ?? []) if (l.name === 'worker_ended' && l.log_lines_lost > 0) this.fail(`${l.log_lines_lost} log lines lost`);
    for (const up of [this.plain, this.tls]) await up?.close().catch((e) => this.fail(`upstream: ${e.message}`));
    for (const up of [this.plain, this.tls]) for (const c of new Set(up?.complaints ?? [])) this.fail(`a request that the upstream's dialect does not allow: ${c}`);
  }
}

const soak = new Soak();
try {
  await soak.run();
} catch (e) {
  soak.fail(e.stack);
}
await soak.end();
for (const [group, of] of Object.entries(soak.counts)) {
  const rows = Object.entries(of).sort((a, b) => b[1] - a[1]);
  console.log(`${group.padEnd(9)} ${rows.map(([what, n]) => `${what} ${n}`).join(', ')}`);
}
if (soak.failures.length > 20) console.error(`... and ${soak.failures.length - 20} failures more`);
const asked = Object.values(soak.counts.asked ?? {}).reduce((a, b) => a + b, 0);
console.log(`${Math.max(0, asked - soak.failures.length)} passed, ${soak.failures.length} failed`);
process.exit(soak.failures.length || asked === 0 ? 1 : 0);
