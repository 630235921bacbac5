'use strict';
// What is published: the package in one file. tsc's own output in dist/modules is for project references and declarations.
const { bundlePackage, clearDist, namesOf, readable } = require('../../tools/bundle.cjs');

clearDist(__dirname);
bundlePackage({
  directory: __dirname,
  file: 'child-process',
  first: { index: namesOf(__dirname, 'index') },
  options: { external: ['@vircommand/core'], ...readable },
});
