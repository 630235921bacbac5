'use strict';
// As somebody who bundles a program that takes the best backend.
const { chooseBackend, Command } = require('vircommand');

async function main() {
  const { stdout } = await new Command('/bin/echo', ['hello'], { stdout: 'text' }).run();
  process.stdout.write(`${chooseBackend().name}: ${stdout}`);
}
void main();
