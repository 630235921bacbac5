/** The command line of vircommand, for a package that brings it under another name or with another choice of the backend. */
export { chooseBackend } from './backends';
export { main } from './main';
export { runProcess } from './process';
export type { Surroundings } from './subcommand';
export type { Output } from './output';
