/** What the command `vircommand-conformance` does, apart from the process that it runs in. */
import { cases as allCases } from '../cases';
import { runCases, selected, type RunnerOptions } from '../runner';
import { checkSubject } from '../subject';
import type { ConformanceCase, ConformanceSubject } from '../types';
import { CannotRun, readArguments, usage } from './arguments';
import { loadSubject } from './load';
import { progressOn } from './progress';
import { painter, type Output } from './style';
import { listText, reportText } from './text';

/** What the command has from its process. */
export interface Surroundings {
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Called before each case. */
  readonly onCase?: ((id: string) => void) | undefined;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

function list(cases: readonly ConformanceCase[], asJson: boolean, { stdout }: Surroundings): void {
  // JSON has no functions, so what is left of a case is its description.
  stdout.write(asJson ? json(cases) : listText(cases, painter(stdout)));
}

async function test(
  subject: ConformanceSubject,
  cases: readonly ConformanceCase[],
  asJson: boolean,
  { stdout, stderr, onCase }: Surroundings,
): Promise<boolean> {
  const progress = progressOn(stderr, painter(stderr));
  const onStart: RunnerOptions['onStart'] = (testCase, ...position) => {
    onCase?.(testCase.id);
    progress.onStart?.(testCase, ...position);
  };
  try {
    const { report, evidence } = await runCases(subject, cases, { ...progress, onStart });
    progress.end();
    stdout.write(asJson ? json(report) : reportText(report, evidence, painter(stdout)));
    return report.ok;
  } catch (error) {
    progress.end();
    throw error;
  }
}

async function run(argv: readonly string[], surroundings: Surroundings): Promise<boolean> {
  const { module, only, list: listOnly, json: asJson, help } = readArguments(argv);
  if (help) {
    surroundings.stdout.write(usage);
    return true;
  }
  const cases = selected(only);
  if (cases.length === 0) throw new CannotRun(`no case matches --only ${only?.source ?? ''}; --list shows all`);
  if (listOnly || module === undefined) {
    list(cases, asJson, surroundings);
    return true;
  }
  const subject = await loadSubject(module, surroundings.cwd);
  try {
    checkSubject(subject, allCases);
  } catch (error) {
    throw new CannotRun((error as Error).message);
  }
  return test(subject, cases, asJson, surroundings);
}

/** @returns the exit status: 0 all that is declared holds, 1 something does not, 2 the suite could not run. */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<0 | 1 | 2> {
  try {
    return (await run(argv, surroundings)) ? 0 : 1;
  } catch (error) {
    const reason = error instanceof CannotRun ? error.message : error instanceof Error ? error.stack : String(error);
    surroundings.stderr.write(`vircommand-conformance: ${reason ?? ''}\n`);
    return 2;
  }
}
