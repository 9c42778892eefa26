// The certificates that tests/certs/make-certs makes below build/: good ones, and one of each bad kind.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const dir = join(root, 'build/certs');

// Every suite that runs next to another finds them made: `run` does this once before.
if (!existsSync(join(dir, 'made'))) execFileSync(join(root, 'tests/certs/make-certs'), [dir], { stdio: 'pipe' });

// What is trusted, and an authority that signed none of the good ones.
export const CA = join(dir, 'ca.crt');
export const OTHER_CA = join(dir, 'unknown.crt');

// Options of a TLS server that shows this certificate. Node would not show weak ones by itself.
export function server(name = 'valid-ec') {
  const read = (kind) => readFileSync(join(dir, `${name}.${kind}`));
  const more = existsSync(join(dir, `${name}.more`)) ? read('more') : Buffer.alloc(0);
  return { key: read('key'), cert: Buffer.concat([read('crt'), more]), ciphers: 'DEFAULT:@SECLEVEL=0' };
}
