// readme-region.js -- the parts of README.md that a program writes, each between <!-- NAME: begin --> and <!-- NAME: end -->.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const readme = join(__dirname, '..', 'README.md');

// Puts text into the region, or with `dry` only looks. Ends the program with 1 when there is no such region, or when it
// would change and nothing may be changed.
function fill(name, text, { dry = false, because = '' } = {}) {
  const begin = `<!-- ${name}: begin -->\n`;
  const end = `<!-- ${name}: end -->`;
  const all = readFileSync(readme, 'utf8');
  const from = all.indexOf(begin);
  const to = all.indexOf(end);
  if (from < 0 || to < from) {
    console.error(`README.md has no ${begin.trim()} ... ${end}`);
    process.exit(1);
  }
  const changed = `${all.slice(0, from)}${begin}\n${text.trim()}\n\n${all.slice(to)}`;
  if (changed === all) return;
  if (dry) {
    console.error(because);
    process.exit(1);
  }
  writeFileSync(readme, changed);
}

module.exports = { fill };
