'use strict';
// What `npm start` and `npm test` do on a machine that has only Node and npm: fetch the pinned pnpm through npx, install
// with the frozen lock file (only if it changed), and run the tasks. A second run is quick: nx caches what did not change.
const { spawnSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const pnpm = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).packageManager;
const windows = process.platform === 'win32';
const terminal = process.stdout.isTTY === true;

// What is in the environment already wins. npm would try for minutes to reach a registry that is not there; nx would
// colour what no terminal shows.
const env = {
  npm_config_fetch_retries: '1',
  npm_config_fetch_retry_mintimeout: '2000',
  ...(terminal ? {} : { FORCE_COLOR: '0' }),
  ...process.env,
  npm_config_loglevel: 'error',
  npm_config_update_notifier: 'false',
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
};

/** Ends this process if the command fails. What a `quiet` one says is shown only then. */
function run(command, args, { quiet = false, advice = '' } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  // npx is a batch file on Windows, and those run in a shell only, which takes one line.
  const shell = windows && command === 'npx';
  const [file, list] = shell ? [[command, ...args].join(' '), []] : [command, args];
  const options = { cwd: root, stdio, shell, env, maxBuffer: Infinity };
  const { status, signal, error, stdout, stderr } = spawnSync(file, list, options);
  if (status === 0) return;
  if (quiet) process.stderr.write(Buffer.concat([stdout ?? Buffer.alloc(0), stderr ?? Buffer.alloc(0)]));
  console.error(`\n${command} ${args.join(' ')}: ${error?.message ?? signal ?? `exit code ${status}`}${advice}`);
  process.exit(status ?? 1);
}

// npx puts the pnpm that it fetched on the PATH of everything below it, which is where nx looks for it.
const pnpmRun = (args, options) => run('npx', ['--yes', pnpm, ...args], options);
const nx = (args, options) => pnpmRun(['exec', 'nx', ...args], options);

const advice = `

The packages that this needs come from the npm registry, the first time and when the lock file has changed.
If it cannot be reached from here: HTTPS_PROXY names a proxy, npm_config_registry a mirror.`;

function install() {
  const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
  const installed = read(path.join(root, 'node_modules', '.pnpm', 'lock.yaml'));
  if (installed !== undefined && installed === read(path.join(root, 'pnpm-lock.yaml'))) return;
  console.error('Installing dependencies (first run, or the lock file changed) ...');
  pnpmRun(['install', '--frozen-lockfile', ...(terminal ? [] : ['--reporter=silent'])], { advice });
}

/** Builds what a task needs, without a word if it succeeds. */
function buildFor(project) {
  console.error('Building ...');
  nx(['run', `${project}:build`, '--output-style=stream'], { quiet: true });
}

const style = ['--output-style=stream-without-prefixes', '--parallel=2'];
const rest = process.argv.slice(3);

/** What each npm script does. */
const tasks = {
  start() {
    buildFor('@vircommand/examples');
    run(process.execPath, [path.join(root, 'examples', 'dist', 'host-report.js'), ...rest]);
  },
  build: () => nx(['run-many', '-t', 'build', ...style, ...rest]),
  test() {
    // A failing package must not hide the others.
    const targets = ['build', 'lint', 'typecheck', 'test', 'test:dist', 'check:package'];
    nx(['run-many', '-t', ...targets, '--nxBail=false', ...style, ...rest]);
  },
  'format:check': () => pnpmRun(['exec', 'prettier', '--check', '.']),
  /** Writes a change file: `npm run change -- minor --message 'posix: ...'`. */
  change: () => nx(['release', 'plan', '--only-touched=false', ...rest]),
  bench() {
    buildFor('@vircommand/bench');
    pnpmRun(['--filter', '@vircommand/bench', 'run', '--silent', 'bench', ...rest]);
  },
  soak() {
    buildFor('@vircommand/examples');
    pnpmRun(['--filter', '@vircommand/soak', 'run', '--silent', 'soak', ...rest]);
  },
};

const task = tasks[process.argv[2]];
if (task === undefined) {
  console.error(`usage: node tools/workspace.cjs ${Object.keys(tasks).join('|')}`);
  process.exit(2);
}
install();
task();
