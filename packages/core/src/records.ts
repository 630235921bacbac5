/** Records of a program's output made into rows, for `runRegex()` and `runNul()`. */

/** What makes rows of records. */
export interface RowMaker {
  /** A record; the row that it completes, if it does. */
  take(record: string): string[] | undefined;
  /** The row that is left at the end. */
  rest(): string[] | undefined;
}

/** Rows of the groups of all patterns, for each line (less `prefix`) that all of them match. */
export function regexRows(patterns: readonly RegExp[], prefix: string): RowMaker {
  return {
    take(line) {
      const text = line.startsWith(prefix) ? line.slice(prefix.length) : line;
      const row: string[] = [];
      for (const pattern of patterns) {
        const match = pattern.exec(text);
        if (match === null) return undefined;
        for (const group of match.slice(1) as (string | undefined)[]) row.push(group ?? '');
      }
      return row;
    },
    rest: () => undefined,
  };
}

/** Rows of so many fields; the last one may be shorter. */
export function columnRows(columns: number): RowMaker {
  let row: string[] = [];
  const flush = (): string[] => {
    const full = row;
    row = [];
    return full;
  };
  return {
    take: (field) => (row.push(field) >= columns ? flush() : undefined),
    rest: () => (row.length > 0 ? flush() : undefined),
  };
}

/** Copies of what a caller gave, without the flags that make a pattern remember where it stopped. */
export function patternsOf(given: unknown): RegExp[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  const patterns = given.filter(
    (pattern): pattern is RegExp => Object.prototype.toString.call(pattern) === '[object RegExp]',
  );
  if (patterns.length !== given.length) return undefined;
  return patterns.map((pattern) => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')));
}

/** Iterates over the rows; leaving the loop leaves that over the records. */
export async function* rows(
  records: AsyncIterable<string>,
  maker: RowMaker,
): AsyncGenerator<string[], void, undefined> {
  for await (const record of records) {
    const row = maker.take(record);
    if (row !== undefined) yield row;
  }
  const last = maker.rest();
  if (last !== undefined) yield last;
}
