'use strict';
// The shape of commit messages: `area: what is different now`. For a range (`node tools/commits.cjs main..HEAD`), and as the
// hook of git that looks at one message (`--file`), which `git config core.hooksPath .githooks` switches on.
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');

/** What is wrong with a message, and how it is known. */
const rules = [
  [
    'begins with the area: "posix: ...", "core and mock: ...", "docs: ..."',
    ([subject]) => /^[\p{L}][\p{L}\d ,.@/_-]{0,39}: \S/u.test(subject),
  ],
  ['says what is different now in no more than 160 characters', ([subject]) => subject.length <= 160],
  ['has no full stop at the end of the first line', ([subject]) => !subject.endsWith('.')],
  ['has an empty line behind the first', ([, second = '']) => second === ''],
];
/** Git's own messages. */
const ofGit = /^(?:Merge |Revert "|fixup! |squash! )/;

/** The rules that a message breaks. */
function brokenRules(message) {
  const lines = message
    .replace(/^#.*\n?/gm, '')
    .trim()
    .split('\n');
  if (ofGit.test(lines[0])) return [];
  return rules.filter(([, holds]) => !holds(lines)).map(([rule]) => rule);
}

function messages([first, file]) {
  if (first === '--file') return [readFileSync(file, 'utf8')];
  const log = execFileSync('git', ['log', '--no-merges', '--format=%B%x00', first], { encoding: 'utf8' });
  return log
    .split('\0')
    .map((message) => message.trim())
    .filter((message) => message !== '');
}

module.exports = { brokenRules };

if (require.main === module) {
  if (process.argv.length < 3) {
    console.error('usage: node tools/commits.cjs RANGE | --file FILE');
    process.exit(2);
  }
  const wrong = messages(process.argv.slice(2)).flatMap((message) =>
    brokenRules(message).map((rule) => `${message.split('\n', 1)[0]}\n  a message ${rule}`),
  );
  if (wrong.length > 0) console.error(wrong.join('\n'));
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
