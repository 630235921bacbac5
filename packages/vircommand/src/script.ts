/** `@vircommand/script` on the best backend that works here. */
import { createScript, type Script } from '@vircommand/script';
import { Command } from './index';

export * from '@vircommand/script';
const script = createScript(Command);
/** The tagged template: no shell, and what is interpolated is an argument. */
export const $: Script['$'] = script.$;
/** A call by program, arguments and options. */
export const run: Script['run'] = script.run;
/** As `run()`, blocking. */
export const runSync: Script['runSync'] = script.runSync;
/** As `run()`: lines of stdout as they come. */
export const runLines: Script['runLines'] = script.runLines;
