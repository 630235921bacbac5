/** What a benchmark is: data. A file in `cases/` exports a list of these, and nothing else has to be told. */

/** Releases what `setup` made. */
export type Teardown = () => void | Promise<void>;

/** Which part a subject has in the comparison. */
export type Role = 'ours' | 'peer' | 'limit';

/** One way to do the work of a case. */
export interface Subject {
  readonly name: string;
  /** `limit`: what no library can beat. Ours are compared with the best peer and with the limit. */
  readonly role: Role;
  /** Loads what is needed; what it throws is the reason why the subject is "not here". */
  setup?(): Promise<Teardown | undefined>;
  /** The work, once: its time is the figure, unless it returns a {@link figure}. */
  run(): unknown;
}

/** What is compared: the head of a table. */
export interface Question {
  /** `group/name`; `npm run bench -- group` runs the whole group. */
  readonly name: string;
  readonly what: string;
  /** Of the figures, all of which are better when they are smaller. Default `ms`. */
  readonly unit?: 'ms' | 'µs' | 'KiB' | 'MiB' | '%';
  /** Operations in one run: the figures are per operation. Default 1. */
  readonly operations?: number;
  /** The figures are not measured but counted: one round is enough for a conclusion. */
  readonly exact?: boolean;
  /** What our figures have to keep. */
  readonly bars?: readonly Bar[];
}

/** A comparison. */
export interface Case extends Question {
  readonly subjects: readonly Subject[];
  /** Runs of a subject in each round; the round's figure is their median. */
  readonly iterations: number;
  /** Default 15. At least 6 are needed for a conclusion. */
  readonly rounds?: number;
  /** So much memory is touched before the first round, in MiB: what all subjects fill together. */
  readonly fills?: number;
  /** What else the same runs tell, as tables of their own. */
  readonly also?: readonly View[];
}

/** Another figure of the same runs. */
export interface View extends Question {
  /** Its name among those that the runs return. */
  readonly figure: string;
}

/** A figure may be at most so much: as a multiple of another subject's, or in the unit of the case. */
export interface Bar {
  readonly subject: string;
  readonly atMost: number;
  readonly than?: string;
}

/** What the command line can set. */
export interface Settings {
  /** How many lines a program writes. */
  readonly lines: number;
}

/** Figures by name; times are in milliseconds. */
export type Figures = Readonly<Record<string, number>>;

/** What a run returns that was measured elsewhere (in another process, or is no time at all). */
export interface Figure {
  /** tinybench takes this instead of the time of the run. */
  readonly overriddenDuration: number;
  readonly figures: Figures;
}

export const figure = (value: number, figures: Figures = {}): Figure => ({ overriddenDuration: value, figures });

/** Thrown in `setup`: the subject cannot take part here. */
export class NotHere extends Error {}
