'use strict';
// What is published: all of the command line in one minified file, because reading a file for each idea would take longer
// than what most of them do. tsc's own output in dist/modules is for project references and declarations.
const { buildSync } = require('esbuild');
const path = require('node:path');

buildSync({
  entryPoints: [path.join(__dirname, 'src', 'index.ts')],
  outfile: path.join(__dirname, 'dist', 'index.js'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
});
