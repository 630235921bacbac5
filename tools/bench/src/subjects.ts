/** A subject for each library that can do the work. */
import { NotHere, type Subject } from './case';
import { libraries, type Ways } from './peers';

/** `work` says what to do with a library; `undefined` means that it has no such thing. */
export function subjectsFor(work: (ways: Ways) => (() => unknown) | undefined): Subject[] {
  return libraries.map(({ name, role, load }) => {
    let run: (() => unknown) | undefined;
    return {
      name,
      role,
      async setup() {
        run = work(await load());
        if (run === undefined) throw new NotHere('it has no such thing');
        return undefined;
      },
      run: () => run?.(),
    };
  });
}

/** Fails loudly where a library has lost something: its time would mean nothing. */
export function expectEqual(found: number, expected: number): void {
  if (found !== expected) throw new Error(`${found} instead of ${expected}`);
}
