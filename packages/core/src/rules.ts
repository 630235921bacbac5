/** What cannot go together, whatever the backend: known only when a command is run, in a certain way. */
import type { Mode, RunSettings } from './run-options';
import { fdNumber, gone, isGone, type Draft, type StreamChoice } from './spec';

/** A rule that a command breaks in this way of running, and the call that is to blame. */
export interface BrokenRule {
  /** `undefined`: the call that runs it. */
  readonly call: string | undefined;
  readonly reason: string;
}

const isBuffer = (choice: StreamChoice | undefined): boolean => choice?.kind === 'input' || choice?.kind === 'capture';
const buffers = ({ stdin, stdout, stderr }: Draft): boolean => isBuffer(stdin) || isBuffer(stdout) || isBuffer(stderr);
const isPipe = (choice: StreamChoice | undefined): boolean => choice?.kind === 'pipe';
const pipes = ({ stdin, stdout, stderr }: Draft): boolean => isPipe(stdin) || isPipe(stdout) || isPipe(stderr);

/** What cannot go together, in the order of virCommand's checks; first what no other way to run would mend. */
const rules: readonly (BrokenRule & { broken(draft: Draft, mode: Mode, settings: RunSettings): boolean })[] = [
  {
    call: 'daemonize()',
    reason: 'cannot keep the output of a daemon, whose end is never known; use a file, or a pipe and runAsync()',
    broken: ({ daemon, stdout, stderr }) => daemon && (stdout?.kind === 'capture' || stderr?.kind === 'capture'),
  },
  {
    call: 'daemonize()',
    reason: 'a daemon has no end for such a loop; use a pipe, runAsync(), and lines() of what it resolves with',
    broken: ({ daemon }, mode) => daemon && mode === 'lines',
  },
  {
    call: undefined,
    reason: 'cannot mix buffers with an asynchronous run; call doAsyncIo(), use pipes, or use run()',
    broken: (draft, mode) => mode === 'runAsync' && buffers(draft) && !draft.asyncIo,
  },
  {
    call: undefined,
    reason: 'cannot mix a pipe to the caller with this way to run, since nobody could use it; use runAsync()',
    broken: (draft, mode) => mode !== 'runAsync' && pipes(draft),
  },
  {
    call: undefined,
    reason: 'cannot mix buffers with exec(), since nobody is left to feed or to read them; use files or descriptors',
    broken: (draft, mode) => mode === 'exec' && (buffers(draft) || draft.sendBuffers.length > 0),
  },
  {
    call: 'daemonize()',
    reason: 'a daemon is another process, and exec() starts none; use run()',
    broken: (draft, mode) => mode === 'exec' && draft.daemon,
  },
  {
    call: 'setPreExecHook()',
    reason: 'exec() has no process that a hook could be called in but this one; call the function before it',
    broken: (draft, mode) => mode === 'exec' && draft.preExecHook !== undefined,
  },
  {
    call: 'daemonize()',
    reason: 'runSync() cannot send to a daemon, since it would block until that has read; use run() or runAsync()',
    broken: (draft, mode) => draft.daemon && mode === 'runSync' && (buffers(draft) || draft.sendBuffers.length > 0),
  },
  {
    call: 'setWorkingDirectory()',
    reason: 'a daemonized command cannot set its working directory; it is /',
    broken: (draft) => draft.daemon && draft.cwd !== undefined,
  },
  {
    call: 'setPidFile()',
    reason: 'creation of a pid file requires daemonize()',
    broken: (draft) => draft.pidFile !== undefined && !draft.daemon,
  },
  {
    call: 'requireHandshake()',
    reason: 'a handshake needs runAsync(): run() would wait for a program that waits for handshakeNotify()',
    broken: (draft, mode) => draft.handshake && mode !== 'runAsync',
  },
  {
    call: 'setProcessGroup()',
    reason: 'a session has a process group of its own; false cannot be had with setSession() or daemonize()',
    broken: (draft) => draft.processGroup === false && (draft.session || draft.daemon),
  },
  {
    call: 'daemonize()',
    reason: 'a daemon outlives its parent; killOnParentExit cannot be had with it',
    broken: (draft, _mode, settings) => draft.daemon && settings.killOnParentExit !== false,
  },
];

/** The first rule that is broken, or `undefined`. */
export function brokenRule(draft: Draft, mode: Mode, settings: RunSettings): BrokenRule | undefined {
  for (const rule of rules) if (rule.broken(draft, mode, settings)) return rule;
  if (mode === 'lines' && draft[settings.from] !== undefined) {
    return { call: undefined, reason: `reads ${settings.from} itself, which is set already` };
  }
  return undefined;
}

const streamSetters = [
  ['stdin', 'setInputFd()'],
  ['stdout', 'setOutputFd()'],
  ['stderr', 'setErrorFd()'],
] as const;

/** Descriptors that clash or are closed, and data that is gone, known only now that the run begins. */
export function brokenNow(draft: Draft): BrokenRule | undefined {
  if (draft.stdin?.kind === 'input' && isGone(draft.stdin)) return { call: 'setInputBuffer()', reason: gone };
  for (const [key, call] of streamSetters) {
    const choice = draft[key];
    if (choice?.kind === 'fd' && fdNumber(choice.fd) < 0) return { call, reason: 'the descriptor is closed' };
  }
  if (draft.passFds.length === 0 && draft.sendBuffers.length === 0) return undefined;
  const taken = new Set<number>();
  for (const input of draft.sendBuffers) {
    const { fd } = input;
    if (isGone(input)) return { call: 'setSendBuffer()', reason: gone };
    if (taken.has(fd)) return { call: 'setSendBuffer()', reason: `descriptor ${fd} of the program is used twice` };
    taken.add(fd);
  }
  for (const { fd, as } of draft.passFds) {
    const number = fdNumber(fd);
    const target = as ?? number;
    if (number < 0) return { call: 'passFd()', reason: 'the descriptor is closed' };
    if (target < 3) return { call: 'passFd()', reason: `${target} is stdin, stdout or stderr` };
    if (taken.has(target)) return { call: 'passFd()', reason: `descriptor ${target} of the program is used twice` };
    taken.add(target);
  }
  return undefined;
}
