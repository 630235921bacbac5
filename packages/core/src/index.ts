/** For applications. Backend authors use `@vircommand/core/backend`. */
export { Command, type CommandConstructor } from './command';
export { secret, type Secret } from './secret';
export * from './errors';
export type { Stage } from './stages';
export type { Feature } from './features';
export type { Backend } from './contract';
export type { RunningCommand } from './running';
export { abortAll, overrideBackend, withBackend } from './registry';
export type { StartEvent, ExitEvent, ErrorEvent } from './log';
export type * from './types';
