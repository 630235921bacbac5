/** Who takes part in a case here: each subject is set up and run once. */
import { performance } from 'node:perf_hooks';
import { NotHere, type Case, type Subject, type Teardown } from './case';

/** A subject that does not take part, and why. */
export interface Absent {
  readonly subject: Subject;
  readonly reason: string;
}

/** A peer that takes longer than this for one run, in milliseconds, and so many times longer than the quickest … */
const patience = 3000;
const hopeless = 4;

/** What has to be released is put into `teardowns`, also if this fails. */
export async function presence(
  given: Case,
  teardowns: Teardown[],
): Promise<{ readonly present: readonly Subject[]; readonly absent: readonly Absent[] }> {
  const { subjects, iterations } = given;
  const yardsticks = [given, ...(given.also ?? [])].flatMap(({ bars = [] }) => bars.map(({ than }) => than));
  const present: Subject[] = [];
  const absent: Absent[] = [];
  let quickest = Infinity;
  for (const subject of subjects) {
    let teardown: Teardown | undefined;
    try {
      teardown = await subject.setup?.();
      const begun = performance.now();
      await subject.run();
      const taken = performance.now() - begun;
      quickest = Math.min(quickest, taken);
      // … is told, and not run again: a benchmark that nobody waits for measures nothing.
      const spared = subject.role !== 'peer' || yardsticks.includes(subject.name);
      if (!spared && taken * iterations > patience && taken > hopeless * quickest) {
        const times = (taken / quickest).toFixed(0);
        throw new NotHere(`run once only: ${(taken / 1000).toFixed(1)} s, ${times} times the quickest`);
      }
      present.push(subject);
      if (teardown !== undefined) teardowns.push(teardown);
    } catch (error) {
      await teardown?.();
      absent.push({ subject, reason: reasonOf(error) });
    }
  }
  return { present, absent };
}

function reasonOf(error: unknown): string {
  if (error instanceof NotHere) return error.message;
  if (!(error instanceof Error)) return String(error);
  return error.message.split('\n')[0] ?? error.name;
}
