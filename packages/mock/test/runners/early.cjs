// The timers are fakes before the mock is loaded: those of node:test, or of the module that is named.
const [fakes] = process.argv.slice(2);
if (fakes === undefined) require('node:test').mock.timers.enable();
else require(fakes).install({ toNotFake: ['nextTick', 'queueMicrotask'] });

const { readFile } = require('node:fs/promises');
const { createMock } = require('@vircommand/mock');

const mock = createMock();
mock.on('greet').reply({ stdout: 'hi', after: 1000 });
const greeting = new mock.Command('greet', [], { stdout: 'text' }).run({ timeout: 2000 });
// Virtual time waits for files, in real time.
void Promise.all([greeting, readFile(process.execPath)]).then(([{ stdout, durationMs }, { length }]) => {
  console.log(stdout, durationMs, length > 0);
});
