'use strict';
// What tsc has built of a package has no `require` of Node's own modules afterwards: in a bundle of ES modules, which somebody
// makes of it, there is none.
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

for (const name of readdirSync('dist', { recursive: true })) {
  if (!name.endsWith('.js')) continue;
  const file = path.join('dist', name);
  const text = readFileSync(file, 'utf8');
  // Nothing that a map names is behind it on its line.
  const mended = text.replaceAll('require("node:', 'process.getBuiltinModule("node:');
  if (mended !== text) writeFileSync(file, mended);
}
