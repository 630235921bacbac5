/** What execa, zx and `child_process` have and this has not, and what to use here. */
const stream = "runAsync() of Command, with 'pipe'";
const withoutShell = "run('sh', ['-c', text]), with text of your own only";
const local = 'the path node_modules/.bin/NAME, or npx';
const node = 'run(process.execPath, [file, ...args])';
const ipc = 'fork() of child_process, or runAsync() with pipes and a protocol of your own';
const log = "NODE_DEBUG=vircommand, or the channels 'vircommand:start' and so on of node:diagnostics_channel";

/** Options by their names there. */
export const OPTIONS: Readonly<Record<string, string>> = {
  shell: withoutShell,
  preferLocal: local,
  localDir: local,
  node,
  nodePath: node,
  nodeOptions: node,
  execPath: node,
  execArgv: node,
  ipc,
  ipcInput: ipc,
  serialization: ipc,
  gracefulCancel: 'cancelSignal, with forceKillAfterDelay as the grace period',
  buffer: `leave it out; for output as it comes: ${stream}, or runLines()`,
  verbose: log,
  quiet: 'leave it out, since nothing is printed',
  prefix: withoutShell,
  postfix: withoutShell,
  nothrow: 'reject: false',
  signal: 'cancelSignal',
  timeoutSignal: 'killSignal',
  detached: 'setSession() of Command, or daemonize() for what outlives this process',
  killDescendants: 'leave it out: what came from the program is always ended with it',
  windowsHide: 'leave it out: no window is opened',
  windowsVerbatimArguments: withoutShell,
};

/** Members of what the calls return there. */
export const MEMBERS: Readonly<Record<string, string>> = {
  stdin: `{ input }, or ${stream}`,
  stdout: stream,
  stderr: stream,
  all: `${stream} and setErrorFd('stdout')`,
  stdio: stream,
  pipe: "{ input: first.stdout }, or runAsync() of both with 'pipe' and stream.pipeline()",
  iterable: 'runLines() or $.lines`...`',
  readable: stream,
  writable: stream,
  duplex: stream,
  on: 'await, and runAsync() for what happens before the end',
  once: 'await, and runAsync() for what happens before the end',
  send: ipc,
  connected: ipc,
  exitCode: '(await $`...`).exitCode, with { reject: false } if it may fail',
  text: '(await $`...`).stdout',
  json: 'JSON.parse((await $`...`).stdout)',
  lines: 'runLines() or $.lines`...`, or { lines: true }',
  buffer: "(await $({ encoding: 'buffer' })`...`).stdout",
  blob: "new Blob([(await $({ encoding: 'buffer' })`...`).stdout])",
  nothrow: '$({ reject: false })',
  quiet: 'leave it out, since nothing is printed',
  verbose: log,
  timeout: '$({ timeout })',
  abort: 'kill()',
};
