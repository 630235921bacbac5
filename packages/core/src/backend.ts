/** For backend authors: the contract, the binding, and what backends on this machine share. */
export type {
  Backend,
  ChildHandle,
  LaunchPlan,
  PlanStream,
  PlanString,
  Reach,
  SyncOutcome,
  SyncRequest,
} from './contract';
export { FEATURES, FEATURE_INFO, isFeature, type Feature } from './features';
export { STAGES, type Stage } from './stages';
export { bindCommand } from './bind';
export type { CommandConstructor } from './command';
export { CommandStartError } from './errors';
export { startError } from './start-failure';
export { planBytes } from './bytes';
export { capabilityNumber } from './capabilities';
export { checkBackend } from './check-backend';
export { statDescriptor } from './system/descriptor';
export { directoryError, execError } from './system/exec-error';
export { headOf, interpreterOf, mostInterpreters } from './system/interpreter';
export { currentPlace, leadsTo, nameOfWorkingDirectory, type Place } from './system/place';
export { resolveProgram, resolveProgramOf, type ResolveOptions } from './system/resolve';
export { decodeWaitStatus, signalName, signalNumber } from './status';
export { quoteForShell } from './quote';
export { printable } from './printable';
export { logLine } from './log';
export { GivenOptions } from './given-options';
export {
  describe,
  editDistance,
  isOptions,
  isPlain,
  noObject,
  ownProperties,
  unknownName,
  withoutPrototype,
} from './plain';
export { isSecret } from './secret';
export { highestProcessor } from './set-process';
export { defaultDelays, isAbortSignal, isDelay } from './run-options';
export { leastForKill, treePoll } from './ending';
export { systemClock, type Clock } from './clock';
export { longestTimer, realTime } from './real-time';
export { GrowingMemory } from './memory';
export { openAgain, openStreamFile } from './system/stream-files';
export { pipeEnd, pipesOf, procIsOurs, readEntry, type ProcessEntry } from './system/processes';
export { Descendants, type DescendantsOptions } from './system/tree';
export { endWithParent } from './system/parent-exit';
export type { ExitStatus, ResourceUsage, SignalName } from './types';
