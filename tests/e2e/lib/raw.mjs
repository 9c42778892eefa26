// An HTTP/1.1 client of exact bytes: sends what it is given, parses answers strictly, hides nothing.
//
// Answers are matched with `expect()` calls in order, which makes pipelining natural. A body arrives as pieces
// with times; `complete` says whether its framing ended properly.

import net from 'node:net';
import { deferred, now, within } from './util.mjs';

const CRLF2 = Buffer.from('\r\n\r\n');

export class Response {
  #head = deferred();
  #end = deferred();
  informational = [];
  pieces = [];
  complete = false;

  constructor(method) {
    this.method = method;
  }

  // Resolves with this response once its head is there; rejects when the connection ends before.
  get head() {
    return within(20000, this.#head.promise, 'a response head');
  }

  // Resolves with this response when it is over, complete or not.
  get end() {
    return within(60000, this.#end.promise, 'the end of a response');
  }

  get bytes() {
    return Buffer.concat(this.pieces.map((p) => p.bytes));
  }

  get text() {
    return this.bytes.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }

  get events() {
    return sse(this.text);
  }

  // Resolves when the body so far satisfies the test.
  async until(fits, what = 'bytes of the body', ms = 10000) {
    await this.head;
    const d = deferred();
    const look = () => fits(this) && d.resolve(this);
    this.onPiece = look;
    look();
    this.#end.promise.then(() => (fits(this) ? d.resolve(this) : d.reject(new Error(`the response ended, no ${what}`))));
    return within(ms, d.promise, what).finally(() => (this.onPiece = null));
  }

  began(head) {
    Object.assign(this, head);
    this.headAt = now();
    this.#head.resolve(this);
  }

  piece(bytes) {
    if (bytes.length) this.pieces.push({ at: now(), bytes: Buffer.from(bytes) });
    this.onPiece?.();
  }

  over(complete, why) {
    this.complete = complete;
    this.endAt = now();
    if (this.status === undefined) this.#head.reject(new Error(why ?? 'the connection ended before a response'));
    this.failed = this.status === undefined;
    this.#end.resolve(this);
  }
}

export function parseHead(text) {
  const [first, ...rest] = text.split('\r\n');
  const m = first.match(/^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/);
  if (!m) throw new Error(`bad status line: ${JSON.stringify(first)}`);
  const headers = {};
  for (const line of rest) {
    const h = line.match(/^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/);
    if (!h) throw new Error(`bad header line: ${JSON.stringify(line)}`);
    const k = h[1].toLowerCase();
    headers[k] = k in headers ? `${headers[k]}, ${h[2]}` : h[2];
  }
  return { minor: Number(m[1]), status: Number(m[2]), reason: m[3] ?? '', headers, rawHead: text };
}

export class Client {
  #buf = Buffer.alloc(0);
  #queue = [];
  #body = null; // null: at a head; else {kind, left}
  #closed = deferred();
  received = 0;

  static connect({ host, port }, { allowHalfOpen = false, paused = false } = {}) {
    const c = new Client();
    c.socket = net.connect({ host, port, allowHalfOpen, noDelay: true });
    const up = deferred();
    c.socket.on('connect', () => up.resolve(c));
    if (!paused) c.listen();
    c.socket.on('error', (e) => {
      c.error = e;
      up.reject(e);
    });
    c.socket.on('close', () => c.#over());
    return within(10000, up.promise, `a connection to ${host}:${port}`);
  }

  // Starts reading; a paused client reads nothing until this is called.
  listen() {
    this.socket.on('data', (b) => this.#data(b));
    this.socket.on('end', () => {
      this.ended = true;
      this.endedAt = now();
      this.#eof();
    });
  }

  get closed() {
    return within(20000, this.#closed.promise, "the server's close");
  }

  // Sends bytes; the answer to them is expected if methods are named.
  write(bytes) {
    if (!this.socket.destroyed) this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  expect(method = 'GET') {
    const r = new Response(method);
    this.#queue.push(r);
    queueMicrotask(() => this.#parse());
    return r;
  }

  // One request with its answer to come.
  send(bytes, method) {
    const r = this.expect(method ?? String(bytes).match(/^\S*/)[0]);
    this.write(bytes);
    return r;
  }

  close() {
    this.socket.destroy();
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  get leftover() {
    return this.#buf;
  }

  #data(b) {
    this.received += b.length;
    this.#buf = this.#buf.length ? Buffer.concat([this.#buf, b]) : b;
    this.#parse();
  }

  #parse() {
    try {
      while (this.#queue.length && this.#step());
    } catch (e) {
      this.broken = e;
      for (const r of this.#queue.splice(0)) r.over(false, e.message);
      this.socket.destroy();
    }
  }

  #take(n) {
    const b = this.#buf.subarray(0, n);
    this.#buf = this.#buf.subarray(n);
    return b;
  }

  #line() {
    const i = this.#buf.indexOf('\r\n');
    if (i < 0) return null;
    const s = this.#buf.toString('latin1', 0, i);
    this.#take(i + 2);
    return s;
  }

  #done() {
    this.#body = null;
    this.#queue.shift().over(true);
    return true;
  }

  // One step of the parser; false when more bytes are needed.
  #step() {
    const r = this.#queue[0];
    if (!this.#body) {
      const i = this.#buf.indexOf(CRLF2);
      if (i < 0) return false;
      const head = parseHead(this.#take(i + 4).toString('latin1', 0, i));
      if (head.status >= 100 && head.status < 200) {
        r.informational.push(head.status);
        return true;
      }
      r.began(head);
      const te = head.headers['transfer-encoding'];
      const cl = head.headers['content-length'];
      if (te !== undefined && (te !== 'chunked' || cl !== undefined)) throw new Error(`ambiguous framing: ${te}, ${cl}`);
      if (r.method === 'HEAD' || head.status === 204 || head.status === 304) return this.#done();
      if (te) this.#body = { kind: 'size' };
      else if (cl !== undefined) {
        if (!/^\d+$/.test(cl)) throw new Error(`bad content-length ${cl}`);
        this.#body = { kind: 'sized', left: Number(cl) };
      } else this.#body = { kind: 'close' };
    }
    const b = this.#body;
    switch (b.kind) {
      case 'sized':
      case 'chunk': {
        if (b.left > 0) {
          if (!this.#buf.length) return false;
          const part = this.#take(Math.min(b.left, this.#buf.length));
          b.left -= part.length;
          r.piece(part);
          if (b.left > 0) return false;
        }
        if (b.kind === 'sized') return this.#done();
        if (this.#buf.length < 2) return false;
        if (this.#take(2).toString('latin1') !== '\r\n') throw new Error('no CRLF behind a chunk');
        b.kind = 'size';
        return true;
      }
      case 'size': {
        const line = this.#line();
        if (line === null) return false;
        if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`bad chunk size ${JSON.stringify(line)}`);
        b.left = parseInt(line, 16);
        b.kind = b.left ? 'chunk' : 'trailer';
        return true;
      }
      case 'trailer': {
        const line = this.#line();
        if (line === null) return false;
        return line === '' ? this.#done() : true;
      }
      default:
        r.piece(this.#take(this.#buf.length));
        return false;
    }
  }

  #eof() {
    this.#parse();
    const r = this.#queue[0];
    if (r && this.#body?.kind === 'close') this.#done();
  }

  #over() {
    this.#eof();
    const why = this.error ? `connection ${this.error.code}` : 'the connection ended before a response';
    for (const r of this.#queue.splice(0)) r.over(false, why);
    this.closedAt = now();
    this.#closed.resolve(this);
  }
}

// Bytes of a request. body: string, Buffer or object (sent as JSON).
export function request(method, path, headers = {}, body) {
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) body = JSON.stringify(body);
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const all = { host: 'gw.test', ...headers };
  if (body !== undefined) {
    all['content-type'] ??= 'application/json';
    if (!('transfer-encoding' in all)) all['content-length'] ??= bytes.length;
  }
  const lines = Object.entries(all)
    .filter(([, v]) => v !== null)
    .map(([k, v]) => `${k}: ${v}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), bytes]);
}

// One exchange on a connection of its own, to its end.
export async function exchange(to, method, path, headers, body) {
  const c = await Client.connect(to);
  const r = c.send(request(method, path, headers, body), method);
  await r.end;
  c.close();
  if (r.failed) throw new Error(`no response to ${method} ${path}: ${c.error?.code ?? c.broken?.message ?? 'closed'}`);
  return r;
}

export const get = (to, path, headers) => exchange(to, 'GET', path, headers);
export const chat = (to, body, headers) => exchange(to, 'POST', '/v1/chat/completions', headers, body);

// A chat request under way: {client, response}.
export async function open(to, body, headers) {
  const client = await Client.connect(to);
  const response = client.send(request('POST', '/v1/chat/completions', headers, body), 'POST');
  return { client, response };
}

// The whole WHATWG grammar of event streams: {comment} or {event, data} in order; `rest` is an unfinished tail.
export function sse(text) {
  const out = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  out.rest = lines.pop();
  let event = '';
  let data = null;
  for (const line of lines) {
    if (line === '') {
      if (data !== null) out.push({ event: event || 'message', data: data.join('\n') });
      event = '';
      data = null;
    } else if (line[0] === ':') {
      out.push({ comment: line.slice(1).trim() });
    } else {
      const [, field, value] = line.match(/^([^:]*)(?:: ?(.*))?$/s);
      if (field === 'event') event = value ?? '';
      else if (field === 'data') (data ??= []).push(value ?? '');
    }
  }
  if (data !== null) out.rest = 'unfinished event';
  return out;
}

export const dataOf = (events) => events.filter((e) => e.data !== undefined).map((e) => e.data);
export const commentsOf = (events) => events.filter((e) => e.comment !== undefined);
// The model's text in a chat stream.
export const contentOf = (events) =>
  dataOf(events)
    .filter((d) => d !== '[DONE]')
    .map((d) => JSON.parse(d).choices?.[0]?.delta?.content ?? '')
    .join('');
