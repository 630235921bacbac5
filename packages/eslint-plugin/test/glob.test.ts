import { expect } from 'chai';
import * as path from 'node:path';
import { matchesFile } from '../src/glob';

const directory = path.resolve('/project');

for (const [pattern, file, expected] of [
  ['src/*.js', 'src/a.js', true],
  ['src/*.js', 'src/b/a.js', false],
  ['src/**/*.js', 'src/a.js', true],
  ['src/**/*.js', 'src/b/c/a.js', true],
  ['src/**', 'src/b/a.js', true],
  ['**/a.js', 'a.js', true],
  ['src/?.js', 'src/a.js', true],
  ['src/?.js', 'src/ab.js', false],
  ['src/a.js', 'src/aXjs', false],
  ['src/(a)+.js', 'src/(a)+.js', true],
] as const) {
  it(`${pattern} ${expected ? 'is' : 'is not'} ${file}`, () => {
    expect(matchesFile(path.join(directory, file), directory, [pattern])).to.equal(expected);
  });
}
