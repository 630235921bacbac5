'use strict';
// The form of an entry in CHANGELOG.md: that of https://common-changelog.org. What is in it comes from the change files. nx puts
// the entry above everything else in the file; so the entry begins with the file's title, which version-actions.cjs removes before.
const { default: Renderer } = require('nx/release/changelog-renderer');

const headings = [
  ['Changed', ({ isBreaking }) => isBreaking],
  ['Added', ({ type }) => type === 'feat'],
  ['Fixed', () => true],
];

module.exports = class CommonChangelog extends Renderer {
  static title = '# Changelog\n\n';

  async render() {
    const left = new Set(this.changes);
    const date = new Date().toISOString().slice(0, 10);
    const lines = [`## ${this.changelogEntryVersion.replace(/^v/, '')} - ${date}`];
    for (const [heading, belongs] of headings) {
      const own = Array.from(left).filter(belongs);
      if (own.length > 0) lines.push('', `### ${heading}`, '');
      for (const change of own) {
        left.delete(change);
        const [first, ...more] = [change.description, ...(change.body ? [change.body] : [])]
          .join('\n')
          .trim()
          .split('\n');
        lines.push(`- ${first}`, ...more.map((line) => (line === '' ? '' : `  ${line}`)));
      }
    }
    return CommonChangelog.title + lines.join('\n');
  }
};
