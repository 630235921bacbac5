'use strict';
// What is published: files without imports of each other's insides, since each one that must be found and read costs a start
// a part of a millisecond. `vircommand run` loads the first one, and the engine of the backend posix if it is not to become
// the program itself; everything else is in a third one. Packages that are loaded only when they are asked for stay packages.
// tsc's own output in dist/modules is for project references and declarations.
const path = require('node:path');
const { build } = require('esbuild');
const { always, clearDist, posixPrograms, posixVersion } = require('../../tools/bundle.cjs');

const [, , elsewhere] = process.argv;
if (elsewhere === undefined) clearDist(__dirname);
const target = elsewhere ?? path.join(__dirname, 'dist');
const posix = path.join(__dirname, '..', 'posix', 'src');

/** Published names, and their sources. */
const entries = {
  index: path.join(__dirname, 'src', 'index.ts'),
  engine: path.join(posix, 'engine.ts'),
  between: path.join(__dirname, 'src', 'between.ts'),
  dispatch: path.join(__dirname, 'src', 'dispatch.ts'),
};

/**
 * What the backend posix loads later, except for its engine, is here from the start: a module inside a bundle that is loaded
 * later puts a wrapper around all that it shares with others, which takes longer than what is saved.
 */
const fromTheStart = {
  name: 'from the start',
  setup(build) {
    build.onLoad({ filter: /[\\/]posix[\\/]src[\\/]later\.ts$/ }, ({ path: file }) => ({
      resolveDir: path.dirname(file),
      contents: `
        import * as binding from './binding';
        import * as become from './become/become';
        export const loadBinding = () => binding;
        export const loadBecome = () => become;
        export const loadSpawner = () => require('./spawner/client');
        export const loadEngine = () => require('./engine');`,
    }));
  },
};

const bundles = Object.entries(entries).map(([name, source]) =>
  build({
    ...always,
    entryPoints: [source],
    outfile: path.join(target, `${name}.js`),
    conditions: ['@vircommand/source'],
    define: posixVersion,
    external: ['@vircommand/child-process', '@vircommand/mock', ...Object.keys(entries).map((entry) => `./${entry}`)],
    minify: true,
    plugins: [fromTheStart],
  }),
);
Promise.all([...bundles, ...posixPrograms(target).map((options) => build(options))]).catch(() => {
  process.exitCode = 1;
});
