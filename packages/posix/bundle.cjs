'use strict';
// The launcher in one file: each file that it must find and read costs its start a part of a millisecond.
// Tests on the sources use the same file, so `.mocharc.cjs` has it made anew when a source is newer.
const { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const file = path.join(__dirname, 'dist', 'launcher.js');
const sources = [path.join(__dirname, 'src'), path.join(__dirname, '..', 'core', 'src')];

function isStale() {
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = (source) => statSync(source).mtimeMs > made;
  return [
    __filename,
    ...sources.flatMap((directory) =>
      readdirSync(directory, { recursive: true }).map((name) => path.join(directory, name)),
    ),
  ].some(newer);
}

function bundle() {
  const { outputFiles } = require('esbuild').buildSync({
    entryPoints: [path.join(__dirname, 'src', 'launcher', 'main.ts')],
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

if (isStale()) bundle();
