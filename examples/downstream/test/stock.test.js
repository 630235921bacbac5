'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { backend } = require('@vircommand/child-process');
const { openRecording } = require('@vircommand/mock');
const { add, count, watch } = require('../src/stock');

describe('the stock', () => {
  let recording;

  before(async () => {
    recording = await openRecording({ file: path.join(__dirname, 'recordings', 'stock.json'), live: backend });
    recording.install();
  });

  after(async function () {
    // What a failed test has left is not worth saving, and its own error is the one to look at.
    if (this.test.parent.tests.some(({ state }) => state === 'failed')) recording.discard();
    else await recording.finish();
  });

  it('counts articles', async () => {
    assert.equal(await count('bolts'), 1200);
    assert.equal(await count('nuts'), 7);
  });

  it('knows what it does not know', async () => {
    assert.equal(await count('unicorns'), undefined);
  });

  it('imports', async () => {
    assert.equal(await add(['washers', 'hinges', 'screws']), 'imported 3 articles');
  });

  it('watches until it is told to stop', async () => {
    assert.equal(await watch(() => Promise.resolve()), 'watching\nstopped\n');
  });
});
