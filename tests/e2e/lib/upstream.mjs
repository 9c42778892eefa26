// A scripted upstream: plain or TLS, its behaviour on every connection is a function.
//
// `Upstream.listen(handler)` calls handler(request, peer) for every request; the handler writes bytes as and when it
// likes. `Upstream.raw(handler)` hands over the connection before anything was read. Everything received is kept
// as exact bytes, and each peer knows when its other side closed.

import net from 'node:net';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { atEnd, deferred, now, until, within } from './util.mjs';

export class Peer {
  #buf = Buffer.alloc(0);
  #wake = deferred();
  #gone = deferred();
  requests = [];
  received = 0;

  constructor(socket, { read = true } = {}) {
    this.socket = socket;
    this.openedAt = now();
    this.servername = socket.servername; // of a TLS client
    socket.on('error', (e) => {
      this.error = e;
      this.#leave('error');
    });
    socket.on('end', () => this.#leave('end'));
    socket.on('close', () => this.#leave('close'));
    if (read) this.read();
  }

  read() {
    this.socket.on('data', (b) => {
      this.received += b.length;
      this.#buf = this.#buf.length ? Buffer.concat([this.#buf, b]) : b;
      this.#wake.resolve();
    });
  }

  #leave(how) {
    if (this.goneAt === undefined) {
      this.goneAt = now();
      this.goneBy = how;
      this.#gone.resolve(this);
    }
    this.#wake.resolve();
  }

  // Resolves when the other side has closed.
  get gone() {
    return this.#gone.promise;
  }

  async #more() {
    if (this.goneAt !== undefined) return false;
    this.#wake = deferred();
    await this.#wake.promise;
    return true;
  }

  // The next whole request, or null at the end of the connection. onHead sees the head before the body is there.
  async request(onHead) {
    let i;
    while ((i = this.#buf.indexOf('\r\n\r\n')) < 0) if (!(await this.#more())) return null;
    const rawHead = this.#buf.subarray(0, i + 4);
    const [line, ...rest] = rawHead.toString('latin1', 0, i).split('\r\n');
    const [method, path, version] = line.split(' ');
    const headers = {};
    const list = [];
    for (const h of rest) {
      const at = h.indexOf(':');
      const k = h.slice(0, at).toLowerCase();
      const v = h.slice(at + 1).trim();
      list.push([k, v]);
      headers[k] = k in headers ? `${headers[k]}, ${v}` : v;
    }
    const req = { method, path, version, headers, list, rawHead: Buffer.from(rawHead), peer: this, at: now() };
    this.#buf = this.#buf.subarray(i + 4);
    if (onHead) await onHead(req, this);
    if (headers['transfer-encoding']) throw new Error('the gateway sent a chunked body; sized ones are expected');
    const n = Number(headers['content-length'] ?? 0);
    while (this.#buf.length < n) if (!(await this.#more())) return null;
    req.body = Buffer.from(this.#buf.subarray(0, n));
    this.#buf = this.#buf.subarray(n);
    try {
      req.json = JSON.parse(req.body.toString());
    } catch {
      req.json = undefined;
    }
    this.requests.push(req);
    return req;
  }

  // Resolves true when the kernel has taken the bytes, false when the other side is gone.
  write(bytes) {
    if (this.socket.destroyed || this.socket.writableEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, (e) => resolve(!e));
      this.gone.then(() => resolve(false));
    });
  }

  // Bytes the kernel has taken so far.
  get accepted() {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  end() {
    this.socket.end();
  }

  close() {
    this.socket.destroy();
  }

  reset() {
    if (this.socket.resetAndDestroy && !(this.socket instanceof tls.TLSSocket)) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  // --- answers -----------------------------------------------------------------------------------

  head(status, headers = {}) {
    const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
    return `HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`;
  }

  answer(status, body, headers = {}) {
    const bytes = Buffer.from(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    const head = this.head(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
    return this.write(Buffer.concat([Buffer.from(head), bytes]));
  }

  fail(status, error, headers) {
    return this.answer(status, { error: { message: 'scripted', type: 'server_error', param: null, code: null, ...error } }, headers);
  }

  streamHead(headers = {}) {
    return this.write(this.head(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked', ...headers }));
  }

  chunk(bytes) {
    return this.write(chunked(bytes));
  }

  data(object) {
    return this.chunk(`data: ${typeof object === 'string' ? object : JSON.stringify(object)}\n\n`);
  }

  lastChunk() {
    return this.write('0\r\n\r\n');
  }

  // A whole stream: head, one chunk a piece, the end.
  async stream(pieces, headers) {
    await this.streamHead(headers);
    for (const p of pieces) await this.chunk(p);
    return this.lastChunk();
  }
}

export function chunked(bytes) {
  const b = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${b.length.toString(16)}\r\n`), b, Buffer.from('\r\n')]);
}

export class Upstream {
  peers = [];
  requests = [];
  faults = [];
  tlsFaults = [];
  rawSockets = new Map();
  #queue = [];
  #waiting = [];

  static listen(handler, options = {}) {
    return new Upstream().#listen(options, async (peer, up) => {
      for (;;) {
        const req = await peer.request();
        if (!req) return;
        up.#arrived(req);
        if ((await handler(req, peer, up)) === 'hold') return;
      }
    });
  }

  static raw(handler, options = {}) {
    return new Upstream().#listen(options, handler);
  }

  // Requests are handed to next() and answered by the test itself.
  static manual(options = {}) {
    return Upstream.listen((req) => until(() => req.answered || req.peer.goneAt !== undefined, 'the test', 60000, 2), options);
  }

  #listen(options, onConnection) {
    const accept = (socket) => {
      socket.setNoDelay(true);
      const peer = new Peer(socket, options);
      this.peers.push(peer);
      this.onPeer?.(peer);
      Promise.resolve(onConnection(peer, this)).catch((e) => {
        if (peer.goneAt === undefined) this.faults.push(e);
        peer.close();
      });
    };
    this.tls = Boolean(options.tls);
    // Half open, so that bytes to a client that has sent FIN are our decision, and 'end' tells us first.
    this.server = options.tls
      ? tls.createServer({ ...options.tls, allowHalfOpen: false }, accept)
      : net.createServer({ allowHalfOpen: false }, accept);
    // Below TLS, for those that break off without its goodbye.
    this.server.on('connection', (raw) => this.rawSockets.set(raw.remotePort, raw));
    // Node leaves sessions by id, the only kind that clients without tickets can resume, to its user.
    const sessions = new Map();
    this.server.on('newSession', (id, data, done) => (sessions.set(id.toString('hex'), data), done()));
    this.server.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) ?? null));
    this.server.on('tlsClientError', (e) => this.tlsFaults.push(e));
    return new Promise((resolve) => this.server.listen(options.port ?? 0, '127.0.0.1', () => resolve(this)));
  }

  get port() {
    return this.server.address().port;
  }

  get url() {
    return this.tls ? `https://localhost:${this.port}/v1` : `http://127.0.0.1:${this.port}/v1`;
  }

  #arrived(req) {
    this.requests.push(req);
    const w = this.#waiting.shift();
    if (w) w.resolve(req);
    else this.#queue.push(req);
  }

  // The next request not yet taken.
  next(ms = 5000) {
    const ready = this.#queue.shift();
    if (ready) return Promise.resolve(ready);
    const d = deferred();
    this.#waiting.push(d);
    return within(ms, d.promise, 'a request at the upstream');
  }

  get last() {
    return this.requests[this.requests.length - 1];
  }

  forget() {
    this.requests.length = 0;
    this.#queue.length = 0;
    this.#waiting.length = 0;
  }

  // Ends the TCP connection of a TLS peer without a close_notify.
  cut(peer) {
    this.rawSockets.get(peer.socket.remotePort)?.destroy();
  }

  // Closes everything; a handler that failed fails the suite.
  async close() {
    for (const p of this.peers) p.close();
    for (const raw of this.rawSockets.values()) raw.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    if (this.faults.length) throw this.faults[0];
  }
}

// A port where connecting never ends: somebody listens, nobody accepts, and the queue is full.
export async function blackhole() {
  const code = `
    const net = require('node:net');
    const { parentPort, workerData } = require('node:worker_threads');
    const s = net.createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(s.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
    });`;
  const flag = new SharedArrayBuffer(4);
  const worker = new Worker(code, { eval: true, workerData: flag });
  const port = await new Promise((resolve) => worker.once('message', resolve));
  const fill = Array.from({ length: 6 }, () => net.connect({ host: '127.0.0.1', port }).on('error', () => {}));
  const forget = atEnd(() => Atomics.notify(new Int32Array(flag), 0));
  await until(() => fill.filter((s) => !s.connecting).length >= 1, 'a full queue');
  await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    port,
    url: `http://127.0.0.1:${port}/v1`,
    async close() {
      forget();
      for (const s of fill) s.destroy();
      Atomics.store(new Int32Array(flag), 0, 1);
      Atomics.notify(new Int32Array(flag), 0);
      await worker.terminate();
    },
  };
}
