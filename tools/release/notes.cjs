'use strict';
// What CHANGELOG.md says of a tag, for the release on GitHub. A tag that names another version than the packages have, or one
// that the changelog does not know, is an error: nothing is published then.
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const version = String(process.argv[2]).replace(/^v/, '');

function notes() {
  for (const name of readdirSync(path.join(root, 'packages'))) {
    const manifest = JSON.parse(readFileSync(path.join(root, 'packages', name, 'package.json'), 'utf8'));
    if (manifest.version !== version)
      throw new Error(`${manifest.name} has version ${manifest.version}, not ${version}`);
  }
  const sections = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8').split(/^(?=## )|^---$/m);
  const section = sections.find((text) => text.startsWith(`## ${version} - `));
  if (section === undefined) throw new Error(`CHANGELOG.md has no entry for ${version}`);
  const [title, ...lines] = section.split('\n');
  if (!/ - \d{4}-\d\d-\d\d$/.test(title)) throw new Error(`CHANGELOG.md: '${title}' has no date`);
  return `${lines.join('\n').trim()}\n`;
}

try {
  process.stdout.write(notes());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
