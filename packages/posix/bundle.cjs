'use strict';
// What is published: the package in one file; the launcher and the spawner thread in one each, since each file that they must
// find and read costs their start a part of a millisecond. Tests on the sources use these two, so `.mocharc.cjs` has them made
// anew when a source is newer. tsc's own output in dist/modules is for project references and declarations.
const { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { buildSync } = require('esbuild');
const { always, bundlePackage, clearDist, namesOf, readable } = require('../../tools/bundle.cjs');

const programs = [
  ['launcher.js', path.join('launcher', 'main.ts')],
  ['spawner-thread.js', path.join('spawner', 'worker.ts')],
].map(([name, source]) => ({ file: path.join(__dirname, 'dist', name), source: path.join(__dirname, 'src', source) }));
const sources = [path.join(__dirname, 'src'), path.join(__dirname, '..', 'core', 'src')];

function isStale({ file }) {
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = (source) => statSync(source).mtimeMs > made;
  return [
    __filename,
    ...sources.flatMap((directory) =>
      readdirSync(directory, { recursive: true }).map((name) => path.join(directory, name)),
    ),
  ].some(newer);
}

function bundleProgram({ file, source }) {
  const options = { conditions: ['@vircommand/source'], minify: true, write: false };
  const { outputFiles } = buildSync({ ...always, ...options, entryPoints: [source] });
  mkdirSync(path.dirname(file), { recursive: true });
  // Several tasks may do this at once, and a launcher may be starting.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, outputFiles[0].text);
  renameSync(temporary, file);
}

if (require.main === module) {
  clearDist(__dirname);
  bundlePackage({
    directory: __dirname,
    file: 'posix',
    first: { index: namesOf(__dirname, 'index') },
    later: { 'pidfile/index': namesOf(__dirname, 'pidfile/index') },
    options: { external: ['@vircommand/core'], ...readable },
  });
}
programs.filter(isStale).forEach(bundleProgram);
