/**
 * A report on this host and this directory, from the programs that every Linux machine has: input fed to stdin, captured
 * and merged output, a clean environment, lines, and what happens when things go wrong. Each step runs on every backend
 * that works here.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Command as ChildProcessCommand } from '@vircommand/child-process';
import { CommandError, CommandExitError, CommandStartError, type CommandConstructor } from '@vircommand/core';
import { Command as PosixCommand, whyNot } from '@vircommand/posix';
import { failures, firstLine, steps, type Answer, type Step } from './steps';
import { Table, type Mark, type Row } from './table';

interface Subject {
  readonly name: string;
  readonly Command: CommandConstructor;
}

/** The backends that work here, the best one first. */
function subjects(): Subject[] {
  const all: Subject[] = [{ name: 'child-process', Command: ChildProcessCommand }];
  const reason = whyNot();
  if (reason === undefined) all.unshift({ name: 'posix', Command: PosixCommand });
  else console.log(`Without posix: ${reason}\n`);
  return all;
}

/** So often, in turns; the time shown is the one in the middle. */
const runs = 3;

/** Runs a step on each backend. What this machine lacks is told, not thrown. */
async function rowOf(step: Step, all: readonly Subject[]): Promise<Row> {
  const times = all.map((): number[] => []);
  let found: Answer & { readonly mark: Mark } = { command: '', answer: '', mark: 'good' };
  for (let run = 0; run < runs; run++) {
    for (const [index, { Command }] of all.entries()) {
      const begun = performance.now();
      try {
        found = { ...(await step.run(Command)), mark: 'good' };
      } catch (error) {
        found = told(error);
      }
      times[index]?.push(performance.now() - begun);
    }
  }
  const shown = times.map((taken) => `${(taken.sort((a, b) => a - b)[runs >> 1] ?? 0).toFixed(1)} ms`);
  const { mark, command, answer, message } = found;
  return { mark, cells: [step.what, command, answer, ...shown], below: message };
}

/** A step that could not be done, and why. */
function told(error: unknown): Answer & { readonly mark: Mark } {
  if (!(error instanceof CommandError)) throw error;
  const { command } = error;
  if (error instanceof CommandStartError && error.stage === 'resolve') {
    return { mark: 'absent', command, answer: `not on this machine (${error.code})` };
  }
  // What the program says of itself is the better reason.
  const own = error instanceof CommandExitError ? firstLine(error.stderrTail) : '';
  return { mark: 'bad', command, answer: own === '' ? firstLine(error.message) : own };
}

async function table(heads: readonly string[], all: readonly Subject[], list: readonly Step[]): Promise<string> {
  const rows: Row[] = [];
  for (const step of list) rows.push(await rowOf(step, all));
  return new Table([...heads, ...all.map(({ name }) => name)], rows).text();
}

async function main(): Promise<void> {
  const all = subjects();
  console.log(`Report on ${hostname()}, by ${all.map(({ name }) => name).join(' and ')}\n`);
  // The first start of a backend loads its driver; that is not what the times are about.
  for (const { Command } of all) await new Command(process.execPath, ['--version']).run();
  console.log(await table(['', 'command', 'answer'], all, steps));
  console.log('\nWhat goes wrong, on purpose\n');
  console.log(await table(['', 'command', 'error'], all, failures));
}

void main();
