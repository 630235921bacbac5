/** Calls that a recording cannot tell apart, though not the same came of them: a replay would mix up their answers. */
import type { LaunchPlan } from '@vircommand/core/backend';
import { environmentDifferences, keyOf, titleOf } from './recorded-call';
import { modeVariable } from './recording-error';
import type { TapeEntry } from './tape';
import { streamOf } from './tape-event';

/** One call, and what a recording has of it. */
export interface Recorded {
  /** `undefined`: it was recorded before, and did not come again. */
  readonly plan: LaunchPlan | undefined;
  readonly entry: TapeEntry;
}

/** One that was made now. */
type Taken = Recorded & { readonly plan: LaunchPlan };

/** Calls with the same values, and what came of them. */
interface Same {
  readonly first: Recorded;
  readonly isNew: boolean;
  readonly answers: Set<string>;
}

const valueOf = ({ env }: LaunchPlan, name: string): string | undefined =>
  env === 'inherit' ? undefined : JSON.stringify(env.find(([given]) => given === name)?.[1]);

/** Values that are not stored, but for those of `secret()`: of these nobody wants anything stored. `undefined`: not known. */
const hidden = ({ plan, entry }: Recorded): readonly (readonly [name: string, value: string | undefined])[] =>
  Object.entries(entry.call.env ?? {})
    .filter(([name, value]) => value === null && plan?.secret.env.includes(name) !== true)
    .map(([name]) => [name, plan && valueOf(plan, name)]);

/** What a replay compares, but for the environment. */
const placeOf = ({ call, sent, events }: TapeEntry): string =>
  JSON.stringify([keyOf(call), sent, streamOf(events, 'stdin')]);

const environmentOf = (one: Recorded): string =>
  JSON.stringify([Object.entries(one.entry.call.env ?? {}).sort(), hidden(one)]);

const answerOf = ({ events, outcome }: TapeEntry): string => JSON.stringify([events, outcome]);

/** Names of the variables whose values alone may tell a call from an earlier one, which would answer it in a replay. */
function confused(earlier: Recorded, { plan, entry }: Taken): readonly string[] {
  const names = hidden(earlier)
    .filter(
      ([name, value]) => !plan.secret.env.includes(name) && (value === undefined || value !== valueOf(plan, name)),
    )
    .map(([name]) => name);
  return names.length > 0 && environmentDifferences(earlier.entry.call.env, plan, entry.call).length === 0 ? names : [];
}

/**
 * What is wrong, for the first of the calls that were taken of which only values that are not stored tell which is which.
 * What was recorded `before` has no values any more: unless its call came again, they count as others.
 */
export function mixedUp(taken: readonly Taken[], before: readonly Recorded[]): string | undefined {
  const alike = new Map<string, Map<string, Same>>();
  const placed = ({ entry }: Recorded): Map<string, Same> => {
    const place = placeOf(entry);
    const there = alike.get(place) ?? new Map<string, Same>();
    alike.set(place, there);
    return there;
  };
  const add = (one: Recorded, isNew: boolean): void => {
    const [there, environment, answer] = [placed(one), environmentOf(one), answerOf(one.entry)];
    const same = there.get(environment);
    if (same === undefined) there.set(environment, { first: one, isNew, answers: new Set([answer]) });
    else same.answers.add(answer);
  };
  for (const one of before) add(one, false);
  for (const one of taken) {
    const answer = answerOf(one.entry);
    for (const { first, isNew, answers } of placed(one).values()) {
      const names = answers.size === 1 && answers.has(answer) ? [] : confused(first, one);
      if (names.length > 0) return explained(first, isNew, one, names);
    }
    add(one, true);
  }
  return undefined;
}

function explained(first: Recorded, isNew: boolean, { entry }: Taken, names: readonly string[]): string {
  const perhaps = first.plan === undefined ? 'perhaps ' : '';
  const anew = isNew ? '' : ` in a recording made anew (${modeVariable}=update)`;
  return (
    `${titleOf(entry.call)} ran more than once, ${perhaps}with other values of ${names.join(', ')}, and did different ` +
    'things; a replay could not tell which is which, since these values are not stored. Store them by env: ' +
    `[${names.map((name) => `'${name}'`).join(', ')}]${anew}, by placeholders what no two runs have in common, or call ` +
    'them secret(): then the order of the calls decides'
  );
}
