// A real model server on a free port of loopback, fetched on its first run.

import { spawn } from 'node:child_process';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { get } from '../lib/raw.mjs';
import { atEnd, until } from '../lib/util.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dir = process.env.TRIGLOT_REAL_DIR || join(here, '../../../build/real');

const freePort = () =>
  new Promise((resolve) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });

export async function startModel() {
  const server = { host: '127.0.0.1', port: await freePort() };
  const model = spawn(join(here, 'serve'), [dir, String(server.port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(() => model.kill('SIGKILL'));
  let log = '';
  for (const s of [model.stdout, model.stderr]) s.setEncoding('utf8').on('data', (t) => (log = (log + t).slice(-4000)));
  await until(
    async () => {
      if (model.exitCode !== null) throw new Error(`the model server ended: ${log}`);
      return (await get(server, '/health').catch(() => ({}))).status === 200;
    },
    'the model server',
    600000,
    200,
  );
  return { server, stop: () => model.kill('SIGTERM') };
}
