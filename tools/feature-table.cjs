'use strict';
// Writes the table of features and backends into docs/backends.md. `--check` only compares. That the table in core is what the
// backends declare is tested in packages/vircommand.
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const file = path.resolve(__dirname, '..', 'docs', 'backends.md');
const backends = ['posix', 'child-process', 'mock'];
const row = (cells) => `| ${cells.join(' | ')} |`;

/** The table of what core knows, as Markdown. */
function featureTable({ FEATURES, FEATURE_INFO }) {
  const lines = FEATURES.map((feature) => {
    const { summary, availableIn } = FEATURE_INFO[feature];
    return row([`\`${feature}\``, summary, ...backends.map((name) => (availableIn.includes(name) ? '●' : '○'))]);
  });
  return [row(['feature', '', ...backends]), row(['---', '---', ...backends.map(() => ':-:')]), ...lines].join('\n');
}

/** docs/backends.md as it is, and as it should be. */
function document(core) {
  const before = readFileSync(file, 'utf8');
  const block = `<!-- features -->\n\n${featureTable(core)}\n\n<!-- /features -->`;
  return { before, after: before.replace(/<!-- features -->[\s\S]*<!-- \/features -->/, () => block) };
}

module.exports = { document };

if (require.main === module) {
  const { before, after } = document(require('../packages/core/dist/backend.js'));
  if (!process.argv.includes('--check')) writeFileSync(file, after);
  else if (before !== after) {
    console.error('The table of features in docs/backends.md is out of date: node tools/feature-table.cjs');
    process.exitCode = 1;
  }
}
