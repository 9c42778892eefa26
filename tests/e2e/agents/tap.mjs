// Two listeners on loopback that stand around an agent: one records what it says to the daemon, the other is where its
// proxy settings lead, so that whatever else it wants to reach is written down and refused.

import net from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const listen = (onConnection) =>
  new Promise((resolve) => {
    const server = net.createServer(onConnection);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

// Forwards every connection to the daemon; both directions are kept as exact bytes and written to files at the end.
export class Tap {
  #sockets = new Set();
  #talks = [];

  static async open(daemon) {
    const tap = new Tap();
    tap.server = await listen((client) => tap.#forward(client, daemon));
    return tap;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  #forward(client, daemon) {
    const server = net.connect(daemon.port, daemon.host);
    const talk = { sent: [], got: [] };
    this.#talks.push(talk);
    const pass = (from, to, kept) => {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (b) => {
        kept.push(b);
        to.write(b);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    };
    pass(client, server, talk.sent);
    pass(server, client, talk.got);
  }

  get texts() {
    return this.#talks.map((t) => ({ sent: Buffer.concat(t.sent).toString(), got: Buffer.concat(t.got).toString() }));
  }

  write(dir) {
    this.#talks.forEach((t, i) => {
      for (const side of ['sent', 'got']) writeFileSync(join(dir, `connection-${i + 1}.${side}`), Buffer.concat(t[side]));
    });
  }

  close() {
    for (const s of this.#sockets) s.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

// A proxy that reaches nothing. `wanted` has the first line of each request, once.
export class DeadProxy {
  wanted = new Set();
  #sockets = new Set();

  static async open() {
    const proxy = new DeadProxy();
    proxy.server = await listen((socket) => {
      proxy.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => proxy.#sockets.delete(socket));
      socket.once('data', (b) => {
        proxy.wanted.add(b.toString('latin1').split('\r\n')[0]);
        socket.destroy();
      });
    });
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    for (const s of this.#sockets) s.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
