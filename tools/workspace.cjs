'use strict';
// What `npm start` and `npm test` do on a machine that has only Node and npm: fetch the pinned pnpm through npx, install
// with the frozen lock file (only if it changed), and run the tasks. A second run is quick: nx caches what did not change.
const { spawnSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const pnpm = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).packageManager;
const windows = process.platform === 'win32';

function run(command, args) {
  // npx puts the pnpm that it fetched on the PATH of everything below it, which is where nx looks for it.
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: windows,
    env: { ...process.env, npm_config_loglevel: 'error', NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
  });
  if (error) throw error;
  if (status !== 0) {
    console.error(`\n${command} ${args.join(' ')}: ${signal ?? `exit code ${status}`}`);
    process.exit(status ?? 1);
  }
}

const pnpmRun = (...args) => run('npx', ['--yes', pnpm, ...args]);
const nx = (...args) => pnpmRun('exec', 'nx', ...args);

function install() {
  const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
  const installed = read(path.join(root, 'node_modules', '.pnpm', 'lock.yaml'));
  if (installed !== undefined && installed === read(path.join(root, 'pnpm-lock.yaml'))) return;
  console.error('Installing dependencies (first run, or the lock file changed) ...');
  pnpmRun('install', '--frozen-lockfile', '--reporter=silent');
}

const style = ['--output-style=stream-without-prefixes', '--parallel=2'];
const rest = process.argv.slice(3);

/** What each npm script does. */
const tasks = {
  start() {
    nx('run-many', '-t', 'build', '--output-style=static', '--parallel=2', '--verbose=false');
    run(process.execPath, [path.join(root, 'examples', 'dist', 'host-report.js'), ...rest]);
  },
  build: () => nx('run-many', '-t', 'build', ...style, ...rest),
  test() {
    nx('run-many', '-t', 'build', 'lint', 'typecheck', 'test', 'test:dist', 'check:package', ...style, ...rest);
  },
  bench() {
    nx('run-many', '-t', 'build', '--output-style=static', '--parallel=2');
    pnpmRun('--filter', '@vircommand/bench', 'run', '--silent', 'bench', ...rest);
  },
};

const task = tasks[process.argv[2]];
if (task === undefined) {
  console.error(`usage: node tools/workspace.cjs ${Object.keys(tasks).join('|')}`);
  process.exit(2);
}
install();
task();
