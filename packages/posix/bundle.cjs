'use strict';
// The launcher and the spawner thread in one file each: each file that they must find and read costs their start a part of
// a millisecond. Tests on the sources use the same files, so `.mocharc.cjs` has it made anew when a source is newer.
const { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const bundles = [
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

function bundle({ file, source }) {
  const { outputFiles } = require('esbuild').buildSync({
    entryPoints: [source],
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    conditions: ['@vircommand/source'],
    // Drivers are packages of their own; most are not there.
    external: ['koffi', 'ffi-napi', 'ref-napi', 'node:ffi'],
    minify: true,
    legalComments: 'none',
    write: false,
  });
  mkdirSync(path.dirname(file), { recursive: true });
  // Several tasks may do this at once, and a launcher may be starting.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, outputFiles[0].text);
  renameSync(temporary, file);
}

bundles.filter(isStale).forEach(bundle);
