'use strict';
// What is published: the package in one file; the launcher and the spawner thread in one each, since each file that they must
// find and read costs their start a part of a millisecond. Tests on the sources use these two, so `.mocharc.cjs` has them made
// anew when a source is newer. tsc's own output in dist/modules is for project references and declarations.
const { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { buildSync } = require('esbuild');
const { bundlePackage, clearDist, namesOf, posixPrograms, posixVersion, readable } = require('../../tools/bundle.cjs');

const programs = posixPrograms(path.join(__dirname, 'dist'));
const sources = [path.join(__dirname, 'src'), path.join(__dirname, '..', 'core', 'src')];

function isStale({ outfile }) {
  const made = statSync(outfile, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = (source) => statSync(source).mtimeMs > made;
  return [
    __filename,
    path.join(__dirname, 'package.json'),
    ...sources.flatMap((directory) =>
      readdirSync(directory, { recursive: true }).map((name) => path.join(directory, name)),
    ),
  ].some(newer);
}

function bundleProgram(options) {
  const { outfile } = options;
  const { outputFiles } = buildSync({ ...options, write: false });
  mkdirSync(path.dirname(outfile), { recursive: true });
  // Several tasks may do this at once, and a launcher may be starting.
  const temporary = `${outfile}.${process.pid}`;
  writeFileSync(temporary, outputFiles[0].text);
  renameSync(temporary, outfile);
}

if (require.main === module) {
  clearDist(__dirname);
  bundlePackage({
    directory: __dirname,
    file: 'posix',
    first: { index: namesOf(__dirname, 'index') },
    later: { 'pidfile/index': namesOf(__dirname, 'pidfile/index') },
    options: { external: ['@vircommand/core'], define: posixVersion, ...readable },
  });
}
programs.filter(isStale).forEach(bundleProgram);
