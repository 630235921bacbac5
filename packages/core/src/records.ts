/** Records of a program's output made into rows, for `runRegex()` and `runNul()`. */
import type { LineIterator } from './lines';
import type { CommandIteration, CommandResult } from './types';

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

/** The iteration over the rows. No generator, whose `return()` would wait for a `next()` that waits for the program. */
export class RowIterator implements CommandIteration<string[]> {
  private last: Promise<unknown> = Promise.resolve();
  private over = false;
  private end: CommandResult | undefined;

  constructor(
    private readonly records: LineIterator,
    private readonly maker: RowMaker,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  get result(): Promise<CommandResult> {
    return this.records.result;
  }

  next(): Promise<IteratorResult<string[], CommandResult | undefined>> {
    const answer = this.last.then(() => this.nextRow());
    this.last = answer.catch(() => (this.over = true));
    return answer;
  }

  private async nextRow(): Promise<IteratorResult<string[], CommandResult | undefined>> {
    while (!this.over) {
      const next = await this.records.next();
      if (next.done === true) {
        this.end = next.value;
        break;
      }
      const row = this.maker.take(next.value);
      if (row !== undefined) return { value: row, done: false };
    }
    const rest = this.over ? undefined : this.maker.rest();
    this.over = true;
    return rest === undefined ? { value: this.end, done: true } : { value: rest, done: false };
  }

  /** Leaves that over the records. */
  async return(): Promise<IteratorResult<string[], undefined>> {
    this.over = true;
    await this.records.return();
    return { value: undefined, done: true };
  }

  async throw(error?: unknown): Promise<IteratorResult<string[], undefined>> {
    await this.return();
    throw error;
  }
}
