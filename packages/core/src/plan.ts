/** From what a command says to what a backend needs: the plan, the features it requires, and the use of each stream. */
import type { Value } from './bytes';
import type { LaunchPlan, PlanStream, PlanString } from './contract';
import type { Feature } from './features';
import { hide, withoutPrototype } from './plain';
import { commandText } from './quote';
import type { Mode, RunSettings } from './run-options';
import { MASK } from './secret';
import { fdNumber, type Draft, type Input, type StreamChoice } from './spec';

/** What core does with an output stream. */
export type StreamUse = 'text' | 'bytes' | 'pipe' | 'tail' | 'lines' | 'none';

/** One run, ready to go: later setters do not reach it. */
export interface Launch {
  readonly plan: LaunchPlan;
  readonly stdout: StreamUse;
  readonly stderr: StreamUse;
  /** What core writes to stdin. */
  readonly input: Input | undefined;
  /** In the order of the plan's `sendBuffers`. */
  readonly sendBuffers: readonly Input[];
  readonly rawStatus: boolean;
  /** stderr goes where stdout goes. */
  readonly merged: boolean;
}

const nullStream: PlanStream = Object.freeze({ type: 'null' });
const pipeStream: PlanStream = Object.freeze({ type: 'pipe' });
const mergedStream: PlanStream = Object.freeze({ type: 'same-as-stdout' });

function planStream(choice: StreamChoice | undefined, key: 'stdin' | 'stdout' | 'stderr'): PlanStream {
  switch (choice?.kind) {
    case undefined:
    case 'null':
      return nullStream;
    case 'pipe':
    case 'input':
    case 'capture':
      return pipeStream;
    case 'same-as-stdout':
      return mergedStream;
    case 'fd':
      return Object.freeze({ type: 'fd', fd: fdNumber(choice.fd) });
    case 'file': {
      const mode = key === 'stdin' ? 'read' : choice.append ? 'append' : 'write';
      return Object.freeze({ type: 'file', path: choice.path, mode });
    }
  }
}

function streamUse(
  choice: StreamChoice | undefined,
  key: 'stdout' | 'stderr',
  mode: Mode,
  settings: RunSettings,
): StreamUse {
  if (mode === 'lines' && key === settings.from) return 'lines';
  if (choice === undefined) return key === 'stderr' && mode !== 'runAsync' ? 'tail' : 'none';
  if (choice.kind === 'pipe') return 'pipe';
  if (choice.kind !== 'capture') return 'none';
  return settings.encoding === 'buffer' ? 'bytes' : choice.as;
}

const isSameFile = (one: PlanStream, other: PlanStream): boolean =>
  one.type === 'file' && other.type === 'file' && one.path === other.path && one.mode === other.mode;

const noStrings: readonly never[] = Object.freeze([]);
const notPrivileged: LaunchPlan['privileged'] = Object.freeze(withoutPrototype({}));
const noSecrets: LaunchPlan['secret'] = Object.freeze({ argv: noStrings, env: noStrings });

/** Which feature each privileged field requires. */
const privilegedFeatures: Readonly<Record<keyof LaunchPlan['privileged'], Feature>> = {
  uid: 'uid-gid',
  gid: 'uid-gid',
  groups: 'groups',
  umask: 'umask',
  capabilities: 'capabilities',
  noNewPrivs: 'no-new-privs',
  limits: 'limits',
  nice: 'nice',
  affinity: 'affinity',
  coreScheduling: 'core-scheduling',
  selinuxLabel: 'selinux',
  appArmorProfile: 'apparmor',
};

/** The fields that are asked for, and no others: what is left out must not be found in a polluted prototype. */
function privileged(draft: Draft): LaunchPlan['privileged'] {
  const { clearCaps, allowCaps, limits, groups, affinity } = draft;
  const asked: { -readonly [K in keyof LaunchPlan['privileged']]: LaunchPlan['privileged'][K] } = {
    uid: draft.uid,
    gid: draft.gid,
    groups: groups && Object.freeze(groups.slice()),
    umask: draft.umask,
    capabilities:
      clearCaps || allowCaps.length > 0
        ? Object.freeze({ clear: clearCaps, allow: Object.freeze(allowCaps.slice()) })
        : undefined,
    noNewPrivs: draft.noNewPrivs ? true : undefined,
    limits: Object.keys(limits).length > 0 ? Object.freeze(withoutPrototype(limits)) : undefined,
    nice: draft.nice,
    affinity: affinity && Object.freeze(affinity.slice()),
    coreScheduling: draft.coreScheduling,
    selinuxLabel: draft.selinuxLabel,
    appArmorProfile: draft.appArmorProfile,
  };
  let any = false;
  for (const name of privilegedFields) {
    if (asked[name] !== undefined) any = true;
  }
  if (!any) return notPrivileged;
  for (const name of privilegedFields) if (asked[name] === undefined) Reflect.deleteProperty(asked, name);
  return Object.freeze(withoutPrototype(asked));
}
const privilegedFields = Object.keys(privilegedFeatures) as (keyof LaunchPlan['privileged'])[];

/** Which features the rest of a plan requires. Not a table of functions: it is asked for every start. */
function required(plan: LaunchPlan, draft: Draft): Feature[] {
  const { program, argv, env, stdin, stdout, stderr, group, daemon } = plan;
  const requires: Feature[] = [];
  if (argv[0] !== program) requires.push('argv0');
  if (plan.cwd !== undefined) requires.push('cwd');
  if (isRaw(program) || argv.some(isRaw) || (env !== 'inherit' && hasRaw(env))) requires.push('raw-bytes');
  if (isFdChoice(draft.stdin) || isFdChoice(draft.stdout) || isFdChoice(draft.stderr)) requires.push('fd-stdio');
  if (stdin.type === 'file' || stdout.type === 'file' || stderr.type === 'file') requires.push('file-stdio');
  if (plan.passFds.length > 0) requires.push('pass-fd');
  if (stderr.type === 'same-as-stdout' && stdout.type === 'pipe') requires.push('merged-output');
  if (plan.sendBuffers.length > 0) requires.push('send-buffer');
  if (group === 'session' && !daemon) requires.push('session');
  if (group === 'group' || group === 'none') requires.push('process-group');
  if (plan.killOnParentExit === 'best-effort') requires.push('kill-on-parent-exit');
  if (plan.killOnParentExit === 'guaranteed') requires.push('parent-death-signal');
  if (plan.preExecHook !== undefined) requires.push('hook');
  if (plan.handshake) requires.push('handshake');
  if (plan.pidFile !== undefined) requires.push('pid-file');
  if (daemon) requires.push('daemon');
  if (plan.privileged === notPrivileged) return requires;
  for (const name of Object.keys(plan.privileged) as (keyof LaunchPlan['privileged'])[]) {
    if (!requires.includes(privilegedFeatures[name])) requires.push(privilegedFeatures[name]);
  }
  return requires;
}
const isFdChoice = (choice: StreamChoice | undefined): boolean => choice?.kind === 'fd';
const isRaw = (text: PlanString): boolean => typeof text !== 'string';
const hasRaw = (env: Exclude<LaunchPlan['env'], 'inherit'>): boolean => env.some(([, value]) => isRaw(value));

type Streams = Pick<Draft, 'stdin' | 'stdout' | 'stderr'>;

/** With `exec()` this process becomes the program, and keeps its streams unless the command sets them. */
const withOwnStreams = ({ stdin, stdout, stderr }: Draft): Streams => ({
  stdin: stdin ?? { kind: 'fd', fd: 0 },
  stdout: stdout ?? { kind: 'fd', fd: 1 },
  stderr: stderr ?? { kind: 'fd', fd: 2 },
});

/** Makes the plan of one run. The rules are checked already. */
export function makeLaunch(draft: Draft, mode: Mode, settings: RunSettings): Launch {
  const said: Streams = mode === 'exec' ? withOwnStreams(draft) : draft;
  const stdout = streamUse(said.stdout, 'stdout', mode, settings);
  const noTail = draft.daemon && said.stderr === undefined;
  const stderr = noTail ? 'none' : streamUse(said.stderr, 'stderr', mode, settings);
  const stdoutStream = stdout === 'lines' ? pipeStream : planStream(said.stdout, 'stdout');
  let stderrStream = stderr === 'lines' || stderr === 'tail' ? pipeStream : planStream(said.stderr, 'stderr');
  if (stderrStream.type === 'same-as-stdout' && stdoutStream.type === 'null') stderrStream = nullStream;
  // Opened twice, each would write over what the other wrote.
  if (isSameFile(stdoutStream, stderrStream)) stderrStream = mergedStream;

  // One literal, filled in and then frozen: a copy of so many fields would cost more than all the rest.
  const plan: { -readonly [K in keyof LaunchPlan]: LaunchPlan[K] } = {
    contract: 1,
    requires: noStrings,
    program: draft.program.content,
    argv: Object.freeze([(draft.argv0 ?? draft.program).content, ...draft.args.map((arg) => arg.content)]),
    env: draft.env === undefined ? 'inherit' : Object.freeze(Array.from(draft.env, envEntry)),
    cwd: draft.cwd,
    stdin: planStream(said.stdin, 'stdin'),
    stdout: stdoutStream,
    stderr: stderrStream,
    passFds:
      draft.passFds.length === 0
        ? noStrings
        : Object.freeze(draft.passFds.map(({ fd, as }) => Object.freeze({ fd: fdNumber(fd), as: as ?? fdNumber(fd) }))),
    sendBuffers: draft.sendBuffers.length === 0 ? noStrings : Object.freeze(draft.sendBuffers.map(({ fd }) => fd)),
    group: groupOf(draft),
    privileged: privileged(draft),
    pidFile: draft.pidFile,
    daemon: draft.daemon,
    handshake: draft.handshake,
    preExecHook: draft.preExecHook,
    killOnParentExit: settings.killOnParentExit === true ? 'best-effort' : settings.killOnParentExit,
    secret: secrets(draft),
    text: draftText(draft),
  };
  const requires = required(plan, draft);
  if (draft.nonblockingFds) requires.push('nonblocking-fds');
  if (mode === 'exec') requires.push('exec');
  if (mode === 'runSync') requires.push('sync');
  if (mode === 'runSync' && settings.bounded) requires.push('sync-deadline');
  plan.requires = Object.freeze(requires);
  return {
    plan: Object.freeze(plan),
    stdout,
    stderr,
    input: draft.stdin?.kind === 'input' ? draft.stdin : undefined,
    sendBuffers: draft.sendBuffers.slice(),
    rawStatus: draft.rawStatus,
    merged: plan.stderr.type === 'same-as-stdout',
  };
}

const envEntry = ([name, value]: readonly [string, Value]): readonly [string, PlanString] =>
  Object.freeze([name, value.content] as const);

function groupOf(draft: Draft): LaunchPlan['group'] {
  if (draft.session || draft.daemon) return 'session';
  if (draft.processGroup === undefined) return 'auto';
  return draft.processGroup ? 'group' : 'none';
}

function secrets(draft: Draft): LaunchPlan['secret'] {
  if (!hasSecret(draft)) return noSecrets;
  const parts: (readonly PlanString[])[] = [];
  const masked = <K>(values: Iterable<readonly [K, Value]>): K[] =>
    Array.from(values).flatMap(([place, value]) => {
      if (value.mask === undefined) return [];
      // Only what was put together shows as anything else.
      parts.push(value.mask === MASK ? noStrings : (value.parts ?? noStrings));
      return [place];
    });
  const argv = masked([draft.argv0 ?? draft.program, ...draft.args].entries());
  const env = masked(draft.env ?? []);
  const inputs = draft.sendBuffers.flatMap(({ fd, secret }) => (secret ? [fd] : []));
  if (draft.stdin?.kind === 'input' && draft.stdin.secret) inputs.unshift(0);
  const places: { -readonly [K in keyof LaunchPlan['secret']]: LaunchPlan['secret'][K] } = {
    argv: Object.freeze(argv),
    env: Object.freeze(env),
  };
  if (inputs.length > 0) places.inputs = Object.freeze(inputs);
  if (parts.some(({ length }) => length > 0)) hide(places, 'parts', Object.freeze(parts));
  return Object.freeze(places);
}

const isMasked = ({ mask }: Value): boolean => mask !== undefined;

function hasSecret({ args, argv0, env, stdin, sendBuffers }: Draft): boolean {
  if (args.some(isMasked) || argv0?.mask !== undefined || (stdin?.kind === 'input' && stdin.secret)) return true;
  return sendBuffers.some(({ secret }) => secret) || (env !== undefined && Array.from(env.values()).some(isMasked));
}

/** The redacted text of a command. */
export function draftText({ program, args, env }: Draft, options?: Parameters<typeof commandText>[1]): string {
  return commandText(
    {
      program: program.content,
      args: args.length === 0 ? noStrings : args.map(shown),
      env: env === undefined ? noStrings : Array.from(env, ([name, value]) => [name, shown(value)] as const),
    },
    options,
  );
}

const shown = ({ content, mask }: Value): PlanString => mask ?? content;
