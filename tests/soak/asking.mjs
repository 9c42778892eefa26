// One client of the soak: asks, behaves as chance will have it, and judges what it was told.

import { ANSWERS } from '../e2e/lib/provider.mjs';
import { Client, dataOf, request } from '../e2e/lib/raw.mjs';
import { sleep, within } from '../e2e/lib/util.mjs';
import { FAULTS, KINDS, rightAnyway } from './faulty.mjs';

const PREFIX = { chat: 'cc', responses: 'rr', messages: 'mm' };
const PATH = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' };
const DIALECTS = Object.keys(PATH);
// How clients behave. Those that do not stay may see anything or nothing.
const MANNERS = { stay: 58, trickle: 8, lag: 8, close: 8, reset: 8, half: 4, abandon: 4, nonsense: 2 };
const LATEST_MS = 50000;

function body(dialect, model, stream) {
  const q = { model, stream };
  if (dialect === 'responses') return { ...q, input: 'Say something.' };
  const messages = [{ role: 'user', content: 'Say something.' }];
  return dialect === 'messages' ? { ...q, messages, max_tokens: 1000 } : { ...q, messages };
}

// The words in a stream, and how it ended: 'end', 'error' or nothing.
const READ = {
  chat(data) {
    let words = '';
    let ended;
    for (const d of data) {
      if (d === '[DONE]') ended ??= 'end';
      else {
        const o = JSON.parse(d);
        if (o.error) ended ??= 'error';
        words += o.choices?.[0]?.delta?.content ?? '';
      }
    }
    return { words, ended };
  },
  responses(data) {
    let words = '';
    let ended;
    for (const o of data.filter((d) => d !== '[DONE]').map((d) => JSON.parse(d))) {
      if (/^response\.(completed|incomplete)$/.test(o.type)) ended ??= 'end';
      if (o.type === 'response.failed' || o.type === 'error') ended ??= 'error';
      if (o.type === 'response.output_text.delta') words += o.delta;
    }
    return { words, ended };
  },
  messages(data) {
    let words = '';
    let ended;
    for (const o of data.map((d) => JSON.parse(d))) {
      if (o.type === 'message_stop') ended ??= 'end';
      if (o.type === 'error') ended ??= 'error';
      if (o.type === 'content_block_delta') words += o.delta.text ?? '';
    }
    return { words, ended };
  },
};

// What is wrong with an answer, or nothing. `must`: it has to be the right one.
function complaint(ask, r, must) {
  if (r.status === undefined) return must ? 'no answer' : undefined;
  if (r.status !== 200) {
    if (must) return `status ${r.status}`;
    if (r.complete && !/"error"/.test(r.text)) return `status ${r.status} without an error`;
    return undefined;
  }
  if (!/^text\/event-stream/.test(r.headers['content-type'])) return r.complete ? (JSON.parse(r.text), undefined) : must ? 'cut short' : undefined;
  const { words, ended } = READ[ask.dialect](dataOf(r.events));
  if (must && (!r.complete || ended !== 'end')) return `the stream ended with ${ended ?? 'nothing'}${r.complete ? '' : ', cut short'}`;
  if (r.complete && !ended) return 'complete without an end';
  if (ask.words !== undefined && !ask.words.startsWith(words)) return `other words: ${words.slice(-60)}`;
  if (ask.words !== undefined && ended === 'end' && words !== ask.words) return 'a false end';
  return undefined;
}

export class Asker {
  #client = null;

  // soak: {daemon, random, asked (Map by id), count(what)}.
  constructor(soak, name) {
    this.soak = soak;
    this.name = name;
    this.n = 0;
  }

  #choose() {
    const { random } = this.soak;
    const dialect = random.of(DIALECTS);
    const to = random.chance(12) ? 'sim' : random.of(DIALECTS);
    const kind = random.of(KINDS);
    const ask = { id: `soak-${this.name}-${++this.n}`, dialect, to, stream: random.chance(65), manner: random.weighted(MANNERS), fault: 'none' };
    if (to === 'sim') {
      ask.model = 'sim';
      ask.sim = `tokens=${random.below(300)},tokens_per_second=${random.of([0, 0, 200, 1000])},first_token_ms=${random.below(300)}`;
    } else {
      ask.model = `${PREFIX[to]}${random.chance(35) ? 'tls' : ''}-${kind}`;
      ask.fault = random.weighted(FAULTS);
      if (kind === 'text') [{ text: ask.words }] = ANSWERS.text().parts;
    }
    return ask;
  }

  async #connection() {
    const fresh = this.soak.random.chance(20);
    if (this.#client && (fresh || this.#client.ended || this.#client.socket.destroyed)) this.close();
    this.#client ??= await Client.connect(this.soak.daemon);
    return this.#client;
  }

  close() {
    this.#client?.close();
    this.#client = null;
  }

  async #send(c, ask) {
    const { random } = this.soak;
    const bytes = request('POST', PATH[ask.dialect], { 'x-request-id': ask.id, 'x-triglot-sim': ask.sim ?? null }, body(ask.dialect, ask.model, ask.stream));
    if (ask.manner === 'nonsense') return c.send(Buffer.concat([random.bytes(random.between(1, 200)), Buffer.from('\r\n\r\n')]), 'POST');
    if (ask.manner === 'abandon') {
      c.write(bytes.subarray(0, random.below(bytes.length)));
      await sleep(random.below(50));
      this.close();
      return null;
    }
    if (ask.manner !== 'trickle') return c.send(bytes, 'POST');
    const r = c.expect('POST');
    for (let at = 0; at < bytes.length; ) {
      const n = random.between(1, 120);
      c.write(bytes.subarray(at, at + n));
      at += n;
      await sleep(random.below(6));
    }
    return r;
  }

  // Does what the client has in mind while the answer comes.
  async #behave(c, r, ask) {
    const { random } = this.soak;
    if (ask.manner === 'lag') {
      for (let i = random.between(1, 6); i > 0; i--) {
        c.socket.pause();
        await sleep(random.below(250));
        c.socket.resume();
        await sleep(random.below(30));
      }
    } else if (['close', 'reset', 'half'].includes(ask.manner)) {
      await Promise.race([sleep(random.below(random.of([5, 100, 1500]))), r.end]);
      if (ask.manner === 'reset') c.reset();
      else if (ask.manner === 'half') c.socket.end();
      else c.close();
    }
  }

  async once() {
    const { soak } = this;
    const ask = this.#choose();
    let c;
    try {
      c = await this.#connection();
    } catch (e) {
      soak.fail(`${ask.id}: no connection: ${e.message}`);
      return;
    }
    soak.asked.set(ask.id, ask);
    soak.count('asked', ask.stream ? 'streams' : 'whole');
    soak.count('upstream', ask.fault);
    soak.count('client', ask.manner);
    const r = await this.#send(c, ask);
    if (!r) return;
    let late;
    const end = within(LATEST_MS, r.end, 'an end').catch(() => (late = true));
    await Promise.all([this.#behave(c, r, ask), end]);
    if (late) soak.fail(`${ask.id}: no end after ${LATEST_MS / 1000} s: ${JSON.stringify(ask)}`);
    else this.#judge(c, r, ask);
    const stays = r.complete && r.headers.connection !== 'close' && ['stay', 'trickle', 'lag'].includes(ask.manner);
    if (!stays) this.close();
  }

  #judge(c, r, ask) {
    const { soak } = this;
    const left = ['close', 'reset', 'half', 'nonsense'].includes(ask.manner);
    let why;
    try {
      // A request that was sent on a kept connection just as the gateway let it go is nobody's fault.
      const raced = r.status === undefined && c.requests > 0;
      why = c.broken?.message ?? (raced ? undefined : complaint(ask, r, !left && rightAnyway(ask.fault)));
    } catch (e) {
      why = e.message;
    }
    c.requests = (c.requests ?? 0) + 1;
    ask.answered = r.status !== undefined && ask.manner !== 'nonsense'; // which says no id
    if (!left || r.status === undefined) soak.count('answers', r.status === undefined ? 'none' : r.complete ? String(r.status) : `${r.status}, cut`);
    else soak.count('answers', 'left');
    if (why) soak.fail(`${ask.id}: ${why}: ${JSON.stringify(ask)}: ${r.status} ${r.text.slice(-300)}`);
  }
}
