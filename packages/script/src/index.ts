/** Programs in the shape that people know: a tagged template, and a function with options, on top of core. */
export { createScript } from './script';
export type { Merged, NoOptions, Run, RunLines, RunSync, Script, Template } from './script';
export type { ScriptInput, ScriptLineOptions, ScriptOptions, ScriptOutput } from './options';
export type { ScriptProcess } from './process';
export type { ScriptResult } from './result';
export type { TemplateItem, TemplateValue } from './value';
export { MigrationError } from './migration-error';
