// The program under test, in Node: it does what its arguments say, one after another, and reports what it sees. The
// instructions are described in ../instructions.ts; report.sh does most of them faster, with a shell.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');

const say = (text) => write(1, Buffer.from(text));

/** Everything, also where the descriptor does not block and is full. */
function write(fd, data) {
  for (let rest = data; rest.length > 0;) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest));
    } catch (error) {
      if (error.code === 'EPIPE') process.exit(141);
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** The escapes of printf's %b. */
function unescaped(text) {
  const bytes = text.replace(/\\(0[0-7]{0,3}|.)/g, (_, escape) => {
    const named = { n: '\n', r: '\r', t: '\t', '\\': '\\' }[escape];
    return named ?? String.fromCharCode(0xf700 + parseInt(escape, 8));
  });
  // An octal escape is a byte, the rest is text.
  const pieces = bytes.split(/([\uf700-\uf7ff])/);
  return Buffer.concat(
    pieces.map((piece) =>
      /^[\uf700-\uf7ff]$/.test(piece) ? Buffer.of(piece.charCodeAt(0) & 0xff) : Buffer.from(piece),
    ),
  );
}

const input = { waiting: Buffer.alloc(0), over: false };
const more = () =>
  new Promise((resolve) => {
    const chunk = Buffer.alloc(65536);
    fs.read(0, chunk, 0, chunk.length, null, (error, length) => {
      if (error?.code === 'EAGAIN') return void setTimeout(() => more().then(resolve), 5);
      if (error !== null || length === 0) input.over = true;
      else input.waiting = Buffer.concat([input.waiting, chunk.subarray(0, length)]);
      resolve();
    });
  });

async function readLine() {
  while (!input.over && !input.waiting.includes(10)) await more();
  const end = input.waiting.indexOf(10);
  input.waiting = end < 0 ? Buffer.alloc(0) : input.waiting.subarray(end + 1);
}

async function readAll(take) {
  do {
    take(input.waiting);
    input.waiting = Buffer.alloc(0);
    await more();
  } while (!input.over);
}

const proc = (name) => fs.readFileSync(`/proc/self/${name}`);
const field = (name) => {
  const line = proc('status')
    .toString()
    .split('\n')
    .find((candidate) => candidate.startsWith(name + ':'));
  say(
    (line ?? ':')
      .slice(name.length + 1)
      .trim()
      .split(/\s+/)
      .join(' ') + '\n',
  );
};
const stat = (number) => {
  const text = proc('stat').toString();
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[number - 3];
};
const limits = {
  memLock: 'Max locked memory',
  processes: 'Max processes',
  files: 'Max open files',
  core: 'Max core file size',
  addressSpace: 'Max address space',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fileSize: 'Max file size',
  stack: 'Max stack size',
};
const linux = process.platform === 'linux';
const forever = () => new Promise(() => setTimeout(() => process.exit(0), 60_000));

/** On: a signal. What is left to do when it comes: exit:N or out:TEXT. */
function onSignal(value) {
  const [, signal, action, argument] = /^(\w+):(\w+):(.*)$/s.exec(value);
  process.on('SIG' + signal, () => {
    if (action === 'exit') process.exit(Number(argument));
    write(1, unescaped(argument));
  });
}

/** Starts a process that holds all our descriptors; `session` leaves our session, `detached` leaves our pipes too. */
function sleeper(value) {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {
    detached: value !== '',
    stdio: value === 'detached' ? 'ignore' : 'inherit',
  });
  child.unref();
  say(`${child.pid}\n`);
}

const instructions = {
  out: (value) => write(1, unescaped(value)),
  err: (value) => write(2, unescaped(value)),
  count(value) {
    const [first, last] = value.split(':').map(Number);
    let text = '';
    for (let number = first; number <= last; number++) text += `${number}\n`;
    say(text);
  },
  fill: (value) => write(1, Buffer.alloc(Number(value), '0')),
  fillerr: (value) => write(2, Buffer.alloc(Number(value), '0')),
  cat: () => readAll((chunk) => write(1, chunk)),
  read: readLine,
  eof: () => readAll(() => undefined),
  async length() {
    let length = 0;
    await readAll((chunk) => (length += chunk.length));
    say(String(length));
  },
  close: (value) => fs.closeSync({ in: 0, out: 1, err: 2 }[value]),
  argv0: () => say(linux ? proc('cmdline').toString('latin1').split('\0')[0] : process.argv0),
  env() {
    if (linux) write(1, proc('environ'));
    else for (const [name, value] of Object.entries(process.env)) say(`${name}=${value}\0`);
  },
  cwd: () => say(process.cwd() + '\n'),
  umask: () => say(process.umask().toString(8).padStart(4, '0') + '\n'),
  pid: () => say(process.pid + '\n'),
  session: () => say(`${process.pid} ${stat(5)} ${stat(6)} ${process.ppid}\n`),
  uid: () => field('Uid'),
  gid: () => field('Gid'),
  groups: () => field('Groups'),
  caps: () => ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].forEach(field),
  nnp: () => field('NoNewPrivs'),
  affinity: () => field('Cpus_allowed_list'),
  nice: () => say(stat(19) + '\n'),
  signals: () => ['SigBlk', 'SigIgn'].forEach(field),
  label: () => write(1, proc('attr/current')),
  limit(value) {
    const line = proc('limits')
      .toString()
      .split('\n')
      .find((candidate) => candidate.startsWith(limits[value] + ' '));
    say(line.slice(limits[value].length).trim().split(/\s+/).slice(0, 2).join(' ') + '\n');
  },
  fds() {
    for (const fd of fs.readdirSync('/proc/self/fd')) {
      try {
        say(` ${fd} -> ${fs.readlinkSync(`/proc/self/fd/${fd}`)}\n`);
      } catch {
        // The one that listed the others.
      }
    }
  },
  'fd-read': (value) => write(1, fs.readFileSync(Number(value))),
  'fd-write'(value) {
    const [, fd, text] = /^(\d+):(.*)$/s.exec(value);
    write(Number(fd), unescaped(text));
  },
  'write-file': (value) => fs.writeFileSync(value, ''),
  on: onSignal,
  ignore: (value) => process.on('SIG' + value, () => undefined),
  async kill(value) {
    process.kill(process.pid, 'SIG' + value);
    await forever();
  },
  sleeper,
  forever,
  exit: (value) => process.exit(Number(value)),
};

async function main(words) {
  while (words.length > 0) {
    const word = words.shift();
    const colon = word.indexOf(':');
    const name = colon < 0 ? word : word.slice(0, colon);
    if (name === 'args') return say(words.map((argument) => argument + '\0').join(''));
    if (!Object.hasOwn(instructions, name)) {
      process.stderr.write(`report.js: unknown instruction ${word}\n`);
      process.exit(99);
    }
    await instructions[name](colon < 0 ? '' : word.slice(colon + 1));
  }
  process.exit(0);
}

void main(process.argv.slice(2));
