// The same tests for every runner; each gives its own `test()`.
const assert = require('node:assert/strict');
const path = require('node:path');
const { createMock, createDryRun, openRecording } = require('@vircommand/mock');
const { greeting } = require('./code.cjs');

exports.register = (test) => {
  test('scripted: the code under test gets the answer', async () => {
    const mock = createMock();
    mock.on('greet', ['--polite', 'Ada']).reply({ stdout: 'Good day, Ada\n' });
    const installed = mock.install();
    try {
      assert.equal(await greeting('Ada'), 'Good day, Ada');
      mock.expectDone();
    } finally {
      installed[Symbol.dispose]();
    }
  });

  test('scripted: ten seconds and a deadline take no time', async () => {
    const mock = createMock();
    mock.on('greet').reply({ after: 10_000 });
    const installed = mock.install();
    try {
      const begun = process.hrtime.bigint();
      await assert.rejects(greeting('Ada'), { name: 'CommandTimeoutError' });
      assert.ok(process.hrtime.bigint() - begun < 4_000_000_000n);
    } finally {
      installed[Symbol.dispose]();
    }
  });

  test('dry run: the text of the command', async () => {
    const dry = createDryRun();
    const installed = dry.install();
    try {
      await greeting('Ada Lovelace');
      assert.equal(dry.text, "greet --polite 'Ada Lovelace'\n");
    } finally {
      installed[Symbol.dispose]();
    }
  });

  test('recorded: the program is not there, and answers', async () => {
    const recording = await openRecording({ file: path.join(__dirname, 'recordings', 'greet.json') });
    recording.install();
    try {
      assert.equal(await greeting('Grace'), 'Good day, Grace');
      await recording.finish();
    } finally {
      recording.discard();
    }
  });

  test('recorded: what was not recorded fails', async () => {
    const recording = await openRecording({ file: path.join(__dirname, 'recordings', 'greet.json') });
    recording.install();
    try {
      await assert.rejects(greeting(process.env.BROKEN === undefined ? 'nobody' : 'Grace'), {
        name: 'CommandStartError',
        code: 'ERR_RECORDING_UNKNOWN_CALL',
      });
    } finally {
      recording.discard();
    }
  });
};

/** With the runner's own fake timers in force, a mock runs all the same. */
exports.registerWithFakeTimers = (test, use, restore) => {
  test('scripted: under fake timers', async () => {
    use();
    try {
      const mock = createMock();
      mock.on('greet').reply({ stdout: 'hi', after: 1000 });
      const { stdout } = await new mock.Command('greet', [], { stdout: 'text' }).run({ timeout: 2000 });
      assert.equal(stdout, 'hi');
    } finally {
      restore();
    }
  });
};
