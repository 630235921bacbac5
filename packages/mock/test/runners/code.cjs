// The code under test: it knows nothing of mocks.
const { Command } = require('@vircommand/child-process');

async function greeting(name) {
  const { stdout } = await new Command('greet', ['--polite', name], { stdout: 'text' }).run({ timeout: 5000 });
  return stdout.trim();
}

module.exports = { greeting };
