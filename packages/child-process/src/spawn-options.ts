/** From a plan to what `spawn()` and `spawnSync()` take, streams apart. */
import type { CommonSpawnOptions } from 'node:child_process';
import {
  planBytes,
  resolveProgramOf,
  startError,
  type CommandStartError,
  type LaunchPlan,
  type PlanString,
} from '@vircommand/core/backend';
import { checkAmbient } from './ambient';
import { checkFormat } from './format';

/** The program, its arguments, and the options that do not depend on the streams. */
export interface Spawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: CommonSpawnOptions & { readonly argv0: string; readonly detached: boolean };
}

// Everything is text: `raw-bytes` is not declared.
const text = (content: PlanString): string => (typeof content === 'string' ? content : planBytes(content).toString());

/** Node's list of the environment. A name may be `__proto__`. */
function environment(entries: readonly (readonly [string, PlanString])[]): NodeJS.ProcessEnv {
  const env = Object.create(null) as NodeJS.ProcessEnv;
  // Node adds this one to every environment that does not have it; without a value it is left out.
  env.NODE_V8_COVERAGE = undefined;
  if (process.platform !== 'win32') {
    for (const [name, value] of entries) env[name] = text(value);
    return env;
  }
  // Windows has one variable for all spellings of a name; the last one wins, as everywhere.
  const spelling = new Map(entries.map(([name]) => [name.toUpperCase(), name]));
  if (spelling.has('NODE_V8_COVERAGE')) delete env.NODE_V8_COVERAGE;
  for (const [name, value] of entries) if (spelling.get(name.toUpperCase()) === name) env[name] = text(value);
  return env;
}

/** Names that Windows takes for batch files: it drops dots and spaces at the end. */
const batchFile = /\.(bat|cmd)[. ]*$/i;

function programOf(plan: LaunchPlan): string {
  // Under the permission model the search would fail first, for a reason that leads astray.
  if ((process as Partial<typeof process>).permission?.has('child') === false) throw forbidden();
  const file = text(resolveProgramOf(plan));
  if (process.platform === 'win32' && batchFile.test(file)) {
    throw startError('resolve', `'${file}' is a batch file: only a shell can run it, and there never is a shell`, file);
  }
  checkFormat(file, plan.cwd);
  return file;
}

/** What Node's permission model makes of a start. */
export function forbidden(cause?: Error): CommandStartError {
  const message = "Node's permission model forbids child processes here (--allow-child-process allows them)";
  return startError('fork', Object.assign(new Error(message, { cause }), { code: 'ERR_ACCESS_DENIED' }));
}

/** Finds the program and translates the plan. @throws CommandStartError, stage `resolve`, `exec` or `privileges`. */
export function spawnOf(plan: LaunchPlan): Spawn {
  const file = programOf(plan);
  const { uid, gid } = plan.privileged;
  if (uid !== undefined) checkAmbient(uid);
  return {
    file,
    args: plan.argv.slice(1).map(text),
    options: {
      argv0: text(plan.argv[0] ?? file),
      // `setsid()`: nothing else that Node has makes a session or a group.
      detached: plan.group === 'session',
      shell: false,
      windowsHide: true,
      windowsVerbatimArguments: false,
      cwd: plan.cwd,
      env: plan.env === 'inherit' ? undefined : environment(plan.env),
      uid,
      gid,
    },
  };
}
