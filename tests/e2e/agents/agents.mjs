// Real agents through the daemon, to a scripted model behind each of the three dialects: the agent asks, runs the tools
// that the model calls for, sends their results, and ends with the model's last word.
//
// AGENT_BINARIES has them, {"codex": "/path"}, or why there is none, {"codex": {"skip": "..."}}; LOGS a folder for what went
// over the wire: connection-N.sent and .got are the agent's side, upstream-N.json what the model was asked.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { start } from '../lib/daemon.mjs';
import { SIGNATURE } from '../lib/provider.mjs';
import { Upstream } from '../lib/upstream.mjs';
import { atEnd, tempDir, until } from '../lib/util.mjs';
import { CLIS } from './clis.mjs';
import { scripted } from './model.mjs';
import { DeadProxy, Tap } from './tap.mjs';

const LIMIT_MS = 60000;
const UPSTREAMS = ['chat', 'responses', 'messages'];
const agents = JSON.parse(process.env.AGENT_BINARIES);

const WORD = /the word is (\w+)/;
const wordIn = (said) => {
  const word = said.match(WORD)?.[1];
  if (!word) throw new Error(`the results do not have the word: ${said}`);
  return word;
};
// A red square of 16 by 16.
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mN4oKBAEmIY1TCqYfhqAADc5yAQocSb7AAAAABJRU5ErkJggg==';
// What an agent makes of it: a PNG, JPEG or WebP.
const PICTURE = /(?:base64,|"data":")(?:iVBORw0KGgo|\/9j\/|UklGR)/;
const made = (said) => `${wordIn(said)}\nGrüße 😀, "quoted" \\ and\ta tab.\n`;
const last = (said) => `The word is ${wordIn(said)} — 😀 "done".`;

// Runs an agent in a group of its own, which is ended with it whatever it leaves behind.
function run(command, args, options) {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // all gone
    }
  };
  const forget = atEnd(kill);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (s) => (out += s));
  child.stderr.setEncoding('utf8').on('data', (s) => (err += s));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(kill, LIMIT_MS);
    child.on('error', reject);
    child.on('exit', () => {
      clearTimeout(timer);
      kill();
      forget();
      // Whoever left the group may hold the pipes.
      setTimeout(() => [child.stdout, child.stderr].forEach((s) => s.destroy()), 2000).unref();
    });
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

function environment(home, proxy) {
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: join(home, 'tmp'), LANG: 'C.UTF-8', SHELL: '/bin/sh', DO_NOT_TRACK: '1' };
  for (const k of ['http_proxy', 'https_proxy', 'all_proxy']) env[k] = env[k.toUpperCase()] = proxy;
  for (const k of ['no_proxy', 'NO_PROXY']) env[k] = '127.0.0.1,localhost';
  return env;
}

// What the agent was sent to keep it waiting: comments and Messages' pings, and typed records, which are for Codex.
function heartbeats(tap) {
  const got = tap.texts.map((x) => x.got).join('');
  const count = (what) => got.match(what)?.length ?? 0;
  const typed = count(/^event: keepalive$/gm);
  return { typed, all: count(/^(:.*|event: ping)$/gm) + typed };
}

// What stands around an agent: the model, the daemon, the tap between the daemon and the agent, and the dead proxy. What was
// opened is closed by undo().
async function stage(cli, upstream, dir, undo) {
  const up = await Upstream.listen(scripted({ steps: cli.calls(dir, made), last }, { own: cli.dialect === upstream, cut: cli.cut }));
  undo.push(() => up.close());
  const daemon = await start({
    heartbeat_seconds: 0.1,
    heartbeat_event_seconds: 0.3,
    upstreams: [{ name: 'up', url: up.url, dialect: upstream }],
    models: [{ name: '*', upstream: 'up', model: 'scripted' }],
  });
  undo.push(() => daemon.finish());
  const tap = await Tap.open(daemon);
  undo.push(() => tap.close());
  const proxy = await DeadProxy.open();
  undo.push(() => proxy.close());
  // Silence is over when the agent has been sent some heartbeats, Codex in the middle of an answer one of each kind.
  up.silence = (midway) => {
    const before = heartbeats(tap);
    const both = midway && cli.agent === 'codex';
    return until(() => heartbeats(tap).all > before.all + 2 && (!both || heartbeats(tap).typed > before.typed), 'heartbeats', 10000);
  };
  return { up, daemon, tap, proxy };
}

function keep(t, logs, { up, daemon, tap, proxy }) {
  tap.write(logs);
  up.requests.forEach((r, i) => writeFileSync(join(logs, `upstream-${i + 1}.json`), `${r.rawHead}${r.json ? JSON.stringify(r.json, null, 1) : r.body}\n`));
  writeFileSync(join(logs, 'daemon.log'), daemon.stderr);
  const dropped = tap.texts.flatMap((x) => [...x.got.matchAll(/^x-triglot-dropped: *(.*)\r$/gim)]).flatMap((m) => m[1].split(', '));
  if (dropped.length) t.diagnostic(`dropped: ${[...new Set(dropped)].join(', ')}`);
  for (const w of proxy.wanted) t.diagnostic(`wanted: ${w}`);
}

async function converse(t, cli, upstream, { logs, dir, home, undo }) {
  const note = `In this file the word is quince${process.pid}.\n`;
  writeFileSync(join(dir, 'note.txt'), note);
  writeFileSync(join(dir, 'square.png'), Buffer.from(PNG, 'base64'));
  const on = await stage(cli, upstream, dir, undo);
  undo.push(() => keep(t, logs, on));
  const { up, daemon } = on;
  const { args, env, files = {} } = cli.start(on.tap.url, cli);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const ended = await run(agents[cli.agent], args, { cwd: dir, env: { ...environment(home, on.proxy.url), ...env } });
  writeFileSync(join(logs, 'agent.out'), ended.out);
  writeFileSync(join(logs, 'agent.err'), ended.err);
  const why = () => `${JSON.stringify(up.complaints ?? [])}\n${ended.out.slice(-1500)}\n${ended.err.slice(-1500)}\nsee ${logs}`;

  assert.deepEqual(up.complaints ?? [], [], why());
  assert.equal(ended.signal, null, `not done in ${LIMIT_MS / 1000} s: ${why()}`);
  assert.equal(ended.code, 0, why());
  const cuts = cli.cut === false ? 0 : 1;
  // Four turns, one of them once more, and so each that was cut. The others are for titles and the like.
  const turns = up.requests.filter((r) => r.json.tools?.length || r.json.input?.[0]?.type === 'additional_tools');
  assert.equal(turns.length, 5 + cuts, why());
  const final = turns.at(-1).body.toString();
  assert.equal(readFileSync(join(dir, 'size.txt'), 'utf8').trim(), String(Buffer.byteLength(note)), why());
  assert.equal(readFileSync(join(dir, 'made.txt'), 'utf8'), made(note), why());
  assert.match(final, PICTURE, `the picture did not arrive; ${why()}`);
  const { text, input } = cli.result(ended.out);
  assert.equal(text, last(note), why());
  assert.ok(input > 0, why());
  const posts = daemon.requests().filter((l) => l.method === 'POST');
  assert.deepEqual(posts.filter((l) => l.status !== 200).map((l) => (l.status === 529 ? 503 : l.status)), [503], why());
  assert.equal(posts.filter((l) => l.rc === 'upstream_truncated').length, cuts, why());
  // Proofs of thinking come back to who gave them, by way of any client that can hold them.
  if (upstream !== 'chat' && cli.dialect !== 'chat') assert.ok(final.includes(SIGNATURE), `no proof of thinking came back; see ${logs}`);
}

async function inScratch(t, cli, upstream) {
  const logs = join(process.env.LOGS, `${cli.name} to ${upstream}`.replaceAll(' ', '-'));
  const base = tempDir();
  const place = { logs, dir: join(base, 'work'), home: join(base, 'home'), undo: [() => rmSync(base, { recursive: true, force: true })] };
  rmSync(logs, { recursive: true, force: true });
  for (const d of [logs, place.dir, join(place.home, 'tmp')]) mkdirSync(d, { recursive: true });
  const failed = [];
  const tried = (fn) => Promise.resolve().then(fn).catch((e) => failed.push(e));
  await tried(() => converse(t, cli, upstream, place));
  for (const fn of place.undo.reverse()) await tried(fn);
  if (failed.length) throw failed[0];
}

for (const cli of CLIS) {
  const binary = agents[cli.agent];
  if (binary === undefined) continue;
  describe(cli.name, { skip: binary.skip }, () => {
    for (const upstream of UPSTREAMS) it(`to ${upstream}`, { skip: binary.skip }, (t) => inScratch(t, cli, upstream));
  });
}
