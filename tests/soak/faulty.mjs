// An upstream of all three dialects that misbehaves as it was told to for each request.
//
// Which fault a request meets is chosen by whoever asks, and found here by the request's id. The provider of the
// end-to-end tests makes the answer; what it writes goes through a hand that slows it, cuts it, or spoils it.

import { ANSWERS, provider } from '../e2e/lib/provider.mjs';
import { sleep } from '../e2e/lib/util.mjs';

// How often each, of a hundred. `none` and `slow` still give the right answer.
export const FAULTS = {
  none: 52, slow: 12, end: 6, reset: 6, garbage: 5, silence: 2, status: 6, early: 3, head: 3, flood: 2, bye: 3,
};
export const rightAnyway = (fault) => fault === 'none' || fault === 'slow' || fault === 'bye';

const STATUS = [400, 401, 404, 429, 500, 503];
const HEADS = [
  'BANANA 12\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ',
  'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>',
  'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":',
];

// The peer as the provider sees it. `left` bytes go through before something happens.
function hand(peer, up, fault, random) {
  const h = Object.create(peer);
  let left = rightAnyway(fault) ? Infinity : random.below(4000);
  h.over = false;
  const happen = async () => {
    h.over = true;
    if (fault === 'reset') {
      if (up.tls) up.cut(peer);
      else peer.reset();
    } else if (fault === 'garbage') {
      await peer.write(random.bytes(random.between(1, 3000)));
      peer.end();
    } else if (fault === 'silence') {
      await peer.gone;
    } else if (fault === 'flood') {
      while (await peer.write(Buffer.alloc(65536, 0x78))) await sleep(1);
    } else if (up.tls && random.chance(50)) {
      up.cut(peer); // an end that TLS does not know of
    } else {
      peer.end();
    }
    return false;
  };
  h.write = async (bytes) => {
    const b = Buffer.from(bytes);
    if (h.over) return false;
    if (fault === 'slow') {
      for (let at = 0; at < b.length; ) {
        const n = random.between(1, 400);
        if (!(await peer.write(b.subarray(at, at + n)))) return false;
        at += n;
        if (random.chance(20)) await sleep(random.below(12));
      }
      return true;
    }
    if (b.length <= left) {
      left -= b.length;
      return peer.write(b);
    }
    if (left > 0) await peer.write(b.subarray(0, left));
    return happen();
  };
  // The answer is out: an end comes behind it. The next request on the connection is nobody's who was told of a fault,
  // so that nothing else may.
  h.rest = () => (['end', 'reset'].includes(fault) && !h.over ? happen() : true);
  return h;
}

// faultOf(id) says what to do with a request.
export function faulty(faultOf, random) {
  return async (req, peer, up) => {
    const fault = faultOf(req.headers['x-request-id']) ?? 'none';
    if (fault === 'early') {
      peer.reset();
      return 'hold';
    }
    if (fault === 'head') {
      await peer.write(random.of(HEADS));
      peer.end();
      return 'hold';
    }
    if (fault === 'status') req.json.model = `${req.json.model.split('-')[0]}-error-${random.of(STATUS)}`;
    const h = hand(peer, up, fault === 'status' ? 'none' : fault, random);
    await provider(req, h, up);
    await h.rest();
    if (fault === 'bye') peer.end();
    return h.over || fault === 'bye' ? 'hold' : undefined;
  };
}

export const KINDS = Object.keys(ANSWERS).filter((k) => k !== 'hidden');
