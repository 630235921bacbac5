/**
 * Which descriptors the program gets, as file actions: whatever the numbers are now and whatever they become, and with
 * everything else closed.
 *
 * The wanted descriptors are first gathered at 0 to n without a gap, then all above is closed, then they move up to where
 * they belong. So the number of actions depends on how many are wanted, not on how high their numbers are.
 */

/** A descriptor of this process and its number in the program. */
export interface Move {
  readonly source: number;
  readonly target: number;
}

/** Takes the actions in their order. */
export interface ActionSink {
  /** Also for equal numbers, which then clears close-on-exec. */
  dup2(source: number, target: number): void;
  close(fd: number): void;
  /** Closes this number and all above. */
  closeFrom(lowest: number): void;
}

/**
 * @param stdio what becomes 0, 1 and 2
 * @param others targets of 3 and up, none twice
 */
export function arrange(stdio: readonly [number, number, number], others: readonly Move[], sink: ActionSink): void {
  const sorted = others.length > 1 ? others.toSorted((a, b) => a.target - b.target) : others;
  const end = 3 + sorted.length;
  // By the place where they gather. Sorted and at least 3, every target is at or above its place.
  const sources: number[] = sorted.length > 0 ? [...stdio, ...sorted.map(({ source }) => source)] : stdio.slice();

  // A source that is the place of another one is copied out of the way, above everything that is used.
  let copies: Map<number, number> | undefined;
  let spare = end;
  sources.forEach((source, place) => {
    if (source >= end || source === place || sources[source] === source || copies?.has(source) === true) return;
    while (sources.includes(spare)) spare++;
    sink.dup2(source, spare);
    (copies ??= new Map<number, number>()).set(source, spare++);
  });
  sources.forEach((source, place) => {
    sink.dup2(copies?.get(source) ?? source, place);
  });
  sink.closeFrom(end);
  if (sorted.length === 0) return;

  // From the highest down, so that none lands on a place that is still to be moved.
  for (let index = sorted.length - 1; index >= 0; index--) {
    const target = sorted[index]?.target ?? 0;
    if (target !== 3 + index) sink.dup2(3 + index, target);
  }
  const targets = new Set(sorted.map(({ target }) => target));
  for (let place = 3; place < end; place++) {
    if (!targets.has(place)) sink.close(place);
  }
}
