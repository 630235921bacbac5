/** How a call is written down, and how a call that comes is compared with those that were. */
import { isDeepStrictEqual } from 'node:util';
import {
  defaultDelays,
  planBytes,
  quoteForShell,
  type LaunchPlan,
  type PlanStream,
  type PlanString,
  type SyncRequest,
} from '@vircommand/core/backend';
import { argumentDifferences, absent, show, type Difference } from './explain';
import type { CallRedactor } from './redact';

/** What of a synchronous request is not core's default. */
export interface RecordedRequest {
  readonly timeout?: number;
  readonly killDelay?: number;
  readonly drainDelay?: number;
  readonly limit?: {
    readonly stdout?: number;
    readonly stderr?: number;
    readonly total?: number;
    readonly truncate?: true;
  };
  readonly tail?: number;
}

/** A call: what is left out is the default. Environment values that may not be stored are `null`. */
export interface RecordedCall {
  readonly program: PlanString;
  readonly args?: readonly PlanString[];
  readonly argv0?: PlanString;
  /** What was set for the program; what was passed on from the parent is not here. */
  readonly env?: Readonly<Record<string, PlanString | null>>;
  readonly cwd?: string;
  readonly stdin?: 'pipe';
  readonly stdout?: 'pipe';
  readonly stderr?: 'pipe' | 'same-as-stdout';
  readonly sendBuffers?: readonly number[];
  readonly group?: LaunchPlan['group'];
  readonly privileged?: LaunchPlan['privileged'];
  readonly daemon?: true;
  readonly handshake?: true;
  readonly hook?: NonNullable<LaunchPlan['preExecHook']>;
  readonly killOnParentExit?: LaunchPlan['killOnParentExit'];
  readonly sync?: RecordedRequest;
}

/** Their order in a file, and all that decides whether two calls are the same, but for the environment. */
const fields = [
  'program',
  'args',
  'argv0',
  'cwd',
  'stdin',
  'stdout',
  'stderr',
  'sendBuffers',
  'group',
  'privileged',
  'daemon',
  'handshake',
  'hook',
  'killOnParentExit',
  'sync',
] as const satisfies readonly (keyof RecordedCall)[];

/** What a result cannot hold anyway is no limit. */
const anyLimit = 2 ** 28;

function requestOf({ timeout, killDelay, drainDelay, limit, stderrTail }: SyncRequest): RecordedRequest {
  const bounded = (['stdout', 'stderr', 'total'] as const).filter((name) => limit[name] < anyLimit);
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(killDelay === defaultDelays.killDelay ? {} : { killDelay }),
    ...(drainDelay === defaultDelays.drainDelay ? {} : { drainDelay }),
    ...(bounded.length === 0
      ? {}
      : {
          limit: {
            ...Object.fromEntries(bounded.map((name) => [name, limit[name]])),
            ...(limit.onExceed === 'truncate' ? { truncate: true as const } : {}),
          },
        }),
    ...(stderrTail === undefined ? {} : { tail: stderrTail }),
  };
}

/** Files and descriptors are not recorded: such a plan is refused before it comes here. */
const streamName = ({ type }: PlanStream): { type: 'pipe' } | { type: 'same-as-stdout' } | undefined =>
  type === 'pipe' || type === 'same-as-stdout' ? { type } : undefined;

/** The call as it is written down. */
export function recordedCall(
  plan: LaunchPlan,
  redactor: CallRedactor,
  storedEnv: readonly string[],
  request?: SyncRequest,
): RecordedCall {
  const { program, argv, cwd, secret, sendBuffers, group, privileged, daemon, handshake, preExecHook } = plan;
  const hidden = (text: PlanString, index: number): PlanString =>
    secret.argv.includes(index)
      ? redactor.secret(`secret:argv.${index}`, typeof text === 'string' ? text : planBytes(text).toString('latin1'))
      : redactor.hidePlan(text);
  const [argv0 = program, ...args] = argv;
  const [stdin, stdout, stderr] = [plan.stdin, plan.stdout, plan.stderr].map(streamName);
  const env = plan.env === 'inherit' ? undefined : environmentOf(plan, redactor, storedEnv);
  return {
    program: redactor.hidePlan(program),
    ...(args.length === 0 ? {} : { args: args.map((arg, index) => hidden(arg, index + 1)) }),
    ...(isDeepStrictEqual(argv0, program) ? {} : { argv0: hidden(argv0, 0) }),
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd: redactor.hide(cwd) }),
    ...(stdin === undefined ? {} : { stdin: 'pipe' as const }),
    ...(stdout === undefined ? {} : { stdout: 'pipe' as const }),
    ...(stderr === undefined ? {} : { stderr: stderr.type }),
    ...(sendBuffers.length === 0 ? {} : { sendBuffers }),
    ...(group === 'auto' ? {} : { group }),
    ...(Object.keys(privileged).length === 0 ? {} : { privileged }),
    ...(daemon ? { daemon } : {}),
    ...(handshake ? { handshake } : {}),
    ...(preExecHook === undefined ? {} : { hook: hookOf(preExecHook, redactor) }),
    ...(plan.killOnParentExit === false ? {} : { killOnParentExit: plan.killOnParentExit }),
    ...(request === undefined ? {} : { sync: requestOf(request) }),
  };
}

const hookOf = (hook: NonNullable<LaunchPlan['preExecHook']>, redactor: CallRedactor): typeof hook => ({
  module: redactor.hide(hook.module),
  export: hook.export,
  data: JSON.parse(redactor.hide(JSON.stringify(hook.data))) as typeof hook.data,
});

/** What this process would hand down says nothing about the call, and differs from machine to machine. */
function environmentOf(
  { env, secret }: LaunchPlan,
  redactor: CallRedactor,
  stored: readonly string[],
): RecordedCall['env'] {
  if (env === 'inherit') return undefined;
  const entries: [string, PlanString | null][] = [];
  for (const [name, value] of env) {
    const mayBeStored = stored.includes(name) && !secret.env.includes(name);
    if (mayBeStored) entries.push([name, redactor.hidePlan(value)]);
    else if (secret.env.includes(name) || process.env[name] !== value) entries.push([name, null]);
  }
  return Object.fromEntries(entries);
}

/** For messages, in the words of the recording. */
export const titleOf = ({ program, args = [] }: RecordedCall): string =>
  [program, ...args].map((word) => quoteForShell(planBytes(word))).join(' ');

/** What two calls that are the same have in common, apart from the environment. */
export const keyOf = (call: RecordedCall): string => JSON.stringify(fields.map((field) => call[field] ?? null));

/** Names and values that differ. A variable that has its value from this process may be missing in the recording. */
export function environmentDifferences(
  recorded: RecordedCall['env'],
  actual: LaunchPlan,
  call: RecordedCall,
): Difference[] {
  if (recorded === undefined && actual.env === 'inherit') return [];
  if (recorded === undefined || actual.env === 'inherit') {
    const say = (inherited: boolean): string => (inherited ? 'inherited' : 'one of its own');
    return [{ field: 'environment', expected: say(recorded === undefined), actual: say(actual.env === 'inherit') }];
  }
  const given = new Map(actual.env);
  const differences: Difference[] = [];
  for (const [name, value] of Object.entries(recorded)) {
    const now = call.env === undefined || !Object.hasOwn(call.env, name) ? undefined : call.env[name];
    if (!given.has(name))
      differences.push({ field: `env ${name}`, expected: value === null ? 'set' : text(value), actual: absent });
    else if (value !== null && now !== undefined && !isDeepStrictEqual(value, now))
      differences.push({ field: `env ${name}`, expected: text(value), actual: now === null ? 'set' : text(now) });
  }
  for (const name of Object.keys(call.env ?? {})) {
    if (!Object.hasOwn(recorded, name)) differences.push({ field: `env ${name}`, expected: absent, actual: 'set' });
  }
  return differences;
}

const text = (value: unknown): string =>
  typeof value === 'string' ? show(value) : value === undefined ? absent : JSON.stringify(value);

/** What differs, field by field, in the words of the recording. */
export function callDifferences(recorded: RecordedCall, actual: RecordedCall, plan: LaunchPlan): Difference[] {
  const differences: Difference[] = [];
  for (const field of fields) {
    if (isDeepStrictEqual(recorded[field], actual[field])) continue;
    if (field === 'args') {
      const [expected, got] = [recorded.args ?? [], actual.args ?? []];
      differences.push(
        ...argumentDifferences(
          Math.max(expected.length, got.length),
          (index) => (expected[index] === undefined ? undefined : text(expected[index])),
          (index) => (got[index] === undefined ? undefined : plainText(got[index])),
          (index) => isDeepStrictEqual(expected[index], got[index]),
        ),
      );
    } else differences.push({ field, expected: text(recorded[field]), actual: text(actual[field]) });
  }
  return [...differences, ...environmentDifferences(recorded.env, plan, actual)];
}

const plainText = (value: PlanString): string => (typeof value === 'string' ? value : JSON.stringify(value));
