'use strict';
// As somebody who uses CommonJS: everything that is exported can be had by require() and by import, name for name.
const assert = require('node:assert/strict');

async function main() {
  for (const subpath of Object.keys(require('vircommand/package.json').exports)) {
    const name = `vircommand${subpath.slice(1)}`;
    if (name.endsWith('.json')) continue;
    const required = require(name);
    const imported = await import(name);
    for (const key of Object.keys(required)) assert.equal(imported[key], required[key], `${name}: ${key}`);
  }
  const { chooseBackend, Command } = require('vircommand');
  assert.equal(chooseBackend().name, 'posix');
  // The backend does this in a process that runs a file of its own.
  const { stdout } = await new Command('/bin/sh', ['-c', 'umask'], { umask: 0o27, stdout: 'text' }).run();
  assert.equal(stdout, '0027\n');
  console.log('all');
}
void main();
