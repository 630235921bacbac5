import type { Subcommand } from './subcommand';
export const stop = {} as Subcommand;
export const status = {} as Subcommand;
