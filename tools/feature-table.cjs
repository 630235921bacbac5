'use strict';
// Writes the table of features and backends into README.md, from what the built backends declare; --check only compares.
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const load = (name) => require(path.join(root, 'packages', name, 'dist'));
const { FEATURES, FEATURE_INFO } = require(path.join(root, 'packages', 'core', 'dist', 'backend.js'));
const backends = [load('posix').backend, load('child-process').backend, load('mock').createMock()];

const row = (cells) => `| ${cells.join(' | ')} |`;
const lines = [
  row(['feature', '', ...backends.map(({ name }) => name)]),
  row(['---', '---', ...backends.map(() => ':-:')]),
  ...FEATURES.map((feature) =>
    row([
      `\`${feature}\``,
      FEATURE_INFO[feature].summary,
      ...backends.map(({ features }) => (features.includes(feature) ? '●' : '○')),
    ]),
  ),
];

const file = path.join(root, 'README.md');
const before = readFileSync(file, 'utf8');
const after = before.replace(
  /<!-- features -->[\s\S]*<!-- \/features -->/,
  `<!-- features -->\n\n${lines.join('\n')}\n\n<!-- /features -->`,
);
if (process.argv.includes('--check')) {
  if (before !== after) {
    console.error('The table of features in README.md is out of date: node tools/feature-table.cjs');
    process.exit(1);
  }
} else writeFileSync(file, after);
