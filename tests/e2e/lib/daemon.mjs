// Starts the daemon under test, watches its log, and ends it.
//
// The configuration is a plain object, written out as YAML into a temporary folder. The daemon listens on a
// free port and says in its log which one. Log lines are JSON, one a line, in `lines`.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd, deferred, now, sleep, tempDir, until, within } from './util.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const TRIGLOT = resolve(process.env.TRIGLOT || join(root, 'build/release/triglot'));

if (!existsSync(TRIGLOT)) {
  console.error(`no ${TRIGLOT}: build it first, or say where it is in TRIGLOT`);
  process.exit(2);
}

// Block style YAML of objects, arrays and scalars; strings are always quoted.
export function yaml(value, indent = '') {
  const scalar = (v) => (typeof v === 'string' ? JSON.stringify(v) : String(v));
  const nested = (v) => v !== null && typeof v === 'object';
  if (Array.isArray(value)) {
    return value
      .map((v) => (nested(v) ? `${indent}- ${yaml(v, indent + '  ').trimStart()}` : `${indent}- ${scalar(v)}\n`))
      .join('');
  }
  return Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => {
      if (!nested(v)) return `${indent}${k}: ${scalar(v)}\n`;
      if (Object.keys(v).length === 0) return `${indent}${k}: ${Array.isArray(v) ? '[]' : '{}'}\n`;
      return `${indent}${k}:\n${yaml(v, indent + '  ')}`;
    })
    .join('');
}

// Nothing of the caller's environment that could change what the daemon does, but what sanitizers read.
export function cleanEnv(extra = {}) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8' };
  for (const k of Object.keys(process.env)) if (/^(ASAN|UBSAN|TSAN|LSAN)_OPTIONS$/.test(k)) env[k] = process.env[k];
  return { ...env, ...extra };
}

const defaults = {
  listen: '127.0.0.1:0',
  workers: 1,
  drain: { delay: 0, timeout: 10 },
};

export function writeConfig(dir, config, name = 'triglot.yaml') {
  const file = join(dir, name);
  writeFileSync(file, typeof config === 'string' ? config : yaml({ ...defaults, ...config }));
  return file;
}

export class Daemon {
  lines = [];
  stderr = '';
  stdout = '';
  #rest = '';
  #exit = deferred();

  constructor(child, file) {
    this.child = child;
    this.file = file;
    this.pid = child.pid;
    const forget = atEnd(() => {
      try {
        process.kill(this.pid, 'SIGKILL');
      } catch {
        // gone already
      }
    });
    child.stderr.setEncoding('utf8').on('data', (s) => this.#log(s));
    child.stdout.setEncoding('utf8').on('data', (s) => (this.stdout += s));
    child.on('close', (code, signal) => {
      forget();
      this.exit = { code, signal };
      this.#exit.resolve(this.exit);
    });
  }

  #log(text) {
    this.stderr += text;
    this.#rest += text;
    const whole = this.#rest.split('\n');
    this.#rest = whole.pop();
    for (const text of whole) {
      let line;
      try {
        line = JSON.parse(text);
      } catch {
        line = { text };
      }
      line.name = line.event ?? line.msg;
      line.raw = text;
      line.seen = now();
      this.lines.push(line);
    }
  }

  get exited() {
    return this.#exit.promise;
  }

  get url() {
    return `http://${this.host}:${this.port}`;
  }

  // The first log line that fits, also one that has come already.
  line(fits, what = 'a log line', ms = 5000) {
    const find = () => this.lines.find(fits);
    return until(() => find() || (this.exit ? Promise.reject(new Error(`daemon ended: ${this.tail()}`)) : null), what, ms)
      .catch((e) => {
        throw new Error(`${e.message}; the log ends: ${this.tail()}`);
      });
  }

  // The access line of a request by its id.
  access(id, ms = 3000) {
    return this.line((l) => l.name === 'request' && l.id === id, `the access line of ${id}`, ms);
  }

  requests() {
    return this.lines.filter((l) => l.name === 'request');
  }

  tail(n = 1500) {
    return this.stderr.slice(-n) || '(nothing)';
  }

  #status(key) {
    const m = readFileSync(`/proc/${this.pid}/status`, 'latin1').match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm'));
    return Number(m[1]) * 1024;
  }

  rss() {
    return this.#status('VmRSS');
  }

  // Built with a sanitizer? Then memory says nothing about the daemon.
  get sanitized() {
    return /lib[at]san|__[at]san/.test(readFileSync(`/proc/${this.pid}/maps`, 'latin1'));
  }

  // Asserts that memory grew by less than this since `before`.
  grewLess(bytes, before) {
    const grown = this.rss() - before;
    if (grown >= bytes && !this.sanitized) throw new Error(`RSS grew by ${grown >> 10} KiB, expected less than ${bytes >> 10} KiB`);
    return grown;
  }

  rssPeak() {
    return this.#status('VmHWM');
  }

  fds() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  // CPU time so far in milliseconds.
  cpu() {
    const f = readFileSync(`/proc/${this.pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ');
    return (Number(f[11]) + Number(f[12])) * 10;
  }

  kill(signal) {
    process.kill(this.pid, signal);
  }

  // Ends it and says how it ended; a daemon that does not end in time is killed, and that is an error.
  async stop(signal = 'SIGTERM', ms = 15000) {
    if (!this.exit) {
      this.kill(signal);
      try {
        await within(ms, this.exited, `the daemon's end after ${signal}`);
      } catch (e) {
        this.kill('SIGKILL');
        await this.exited;
        throw new Error(`${e.message}; the log ends: ${this.tail()}`);
      }
    }
    return this.exit;
  }

  // For after(): every suite ends its daemon this way, so a crash or an unclean exit fails the suite.
  async finish() {
    for (let i = 0; i < 2 && !this.exit; i++) {
      this.kill('SIGTERM');
      await Promise.race([this.exited, sleep(500)]);
    }
    const how = await this.stop();
    if (how.code !== 0) throw new Error(`the daemon ended with ${how.code ?? how.signal}: ${this.tail(4000)}`);
  }
}

export function spawnDaemon(args, { env = {}, files, cwd } = {}) {
  const command = files ? ['sh', '-c', `ulimit -n ${files} && exec "$0" "$@"`, TRIGLOT, ...args] : [TRIGLOT, ...args];
  return spawn(command[0], command.slice(1), { env: cleanEnv(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

function readyz(d) {
  return new Promise((resolve) => {
    const req = http.get({ host: d.host, port: d.port, path: '/readyz', agent: false, timeout: 1000 }, (res) => {
      res.resume();
      resolve(res.statusCode === 200);
    });
    req.on('error', () => resolve(false));
    req.on('timeout', () => req.destroy());
  });
}

// Starts with a configuration (object or YAML text; null: none is named) and returns when it is ready.
export async function start(config = {}, options = {}) {
  const dir = tempDir();
  const file = config === null ? undefined : writeConfig(dir, config);
  const d = new Daemon(spawnDaemon([...(file ? ['-c', file] : []), ...(options.args ?? [])], options), file);
  d.dir = dir;
  try {
    const line = await d.line((l) => l.name === 'listening', 'the line "listening"', 10000);
    const at = line.address.lastIndexOf(':');
    d.host = line.address.slice(0, at).replace(/^\[|\]$/g, '');
    d.port = Number(line.address.slice(at + 1));
    await until(() => readyz(d), 'readyz', 10000, 10);
    return d;
  } catch (e) {
    if (!d.exit) d.kill('SIGKILL');
    throw e;
  }
}

// A daemon for the time of fn, ended whatever fn does.
export async function withDaemon(config, fn, options) {
  const d = await start(config, options);
  try {
    await fn(d);
  } catch (e) {
    await d.stop('SIGKILL');
    throw e;
  }
  await d.finish();
}

// Runs the binary to its end.
export function run(args, options = {}) {
  const child = spawnDaemon(args, options);
  const d = new Daemon(child);
  return within(options.ms ?? 10000, d.exited, `the end of triglot ${args.join(' ')}`)
    .catch((e) => {
      d.kill('SIGKILL');
      throw e;
    })
    .then(({ code, signal }) => ({ code, signal, stdout: d.stdout, stderr: d.stderr }));
}
