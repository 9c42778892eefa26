// What worked between which dialects, kept while the tests run and written down for README's table.
//
// A cell is a feature and a pair of client and upstream dialect; many tests count for one cell (SDK versions, streaming and
// not). A test may return a word, such as '400', that says how the feature is answered when that is as it should be.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export class Matrix {
  features = new Map();

  #cell(feature, pair) {
    if (!this.features.has(feature)) this.features.set(feature, {});
    return (this.features.get(feature)[pair] ??= { passed: 0, failed: 0, words: [] });
  }

  // fn, counted. A feature that the client's dialect lacks is not counted: its cell stays empty.
  counts(feature, from, to, fn) {
    return async (...args) => {
      const cell = this.#cell(feature, `${from} ${to}`);
      try {
        const word = await fn(...args);
        cell.passed++;
        if (typeof word === 'string' && !cell.words.includes(word)) cell.words.push(word);
        return undefined;
      } catch (e) {
        cell.failed++;
        throw e;
      }
    };
  }

  write(file) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(Object.fromEntries(this.features), null, 1) + '\n');
  }
}
