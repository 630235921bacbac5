'use strict';
const { Command, CommandExitError } = require('@vircommand/child-process');

/** How many there are of an article; `undefined` if nobody knows it. */
async function count(article) {
  try {
    const command = new Command('inventory', ['count', article], { stdout: 'text' });
    return JSON.parse((await command.run({ timeout: 5000 })).stdout).count;
  } catch (error) {
    if (error instanceof CommandExitError && error.exitCode === 3) return undefined;
    throw error;
  }
}

/** Adds articles; what the program says. */
async function add(articles) {
  const input = articles.map((article) => `${article}\n`).join('');
  const { stdout } = await new Command('inventory', ['import'], { stdin: { input }, stdout: 'text' }).run();
  return stdout.trim();
}

/** Watches until `done` resolves; all that was said. */
async function watch(done) {
  const running = await new Command('inventory', ['watch'], { stdout: 'pipe' }).runAsync();
  let text = '';
  const begun = new Promise((resolve) => {
    running.stdout.on('data', (chunk) => {
      text += chunk;
      resolve();
    });
  });
  await begun;
  await done();
  running.kill('SIGTERM');
  await running.wait();
  return text;
}

module.exports = { add, count, watch };
