/** What a subcommand is: its help and completion are made of this, its code is loaded when it is used. */
import type { Backend } from '@vircommand/core';
import type { FlagGroup } from './flag';
import type { Output } from './output';

/** What a subcommand has from its process. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The backend for programs: the one that is named, or the usual one. */
  readonly backend: (name?: string) => Backend;
}

/** The positional arguments of a subcommand, as its usage writes them, and what they are. */
export interface Positional {
  readonly usage: string;
  readonly complete: 'file' | readonly string[];
}

/** One subcommand. */
export interface Subcommand {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly own: readonly Positional[];
  /** A program and its arguments follow. */
  readonly program: boolean;
  /** Paragraphs between the usage and the flags. */
  readonly details: readonly string[];
  readonly flags: readonly FlagGroup<never>[];
  readonly examples: readonly string[];
  /** @returns the exit status. */
  readonly run: (argv: readonly string[], surroundings: Surroundings) => Promise<number>;
}
