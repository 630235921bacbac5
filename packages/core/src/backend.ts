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
export { CommandStartError, startError } from './errors';
export { planBytes, planString } from './bytes';
export { capabilityNumber } from './capabilities';
export { statDescriptor } from './descriptor';
export { directoryError, execError } from './exec-error';
export { headOf, interpreterOf } from './interpreter';
export { currentPlace, leadsTo, nameOfWorkingDirectory, type Place } from './place';
export { resolveProgram, resolveProgramOf, type ResolveOptions } from './resolve';
export { decodeWaitStatus, signalName, signalNumber } from './status';
export { quoteForShell } from './quote';
export { describe, isOptions, noObject, ownProperties, unknownName, withoutPrototype } from './plain';
export { isAbortSignal, isDelay } from './run-options';
export { systemClock, type Clock } from './clock';
export { realTime } from './real-time';
export { GrowingMemory } from './memory';
export { openAgain, openStreamFile } from './stream-files';
export { pipeEnd, pipesOf } from './processes';
export { Descendants, type DescendantsOptions } from './tree';
export { endWithParent } from './parent-exit';
export type { ExitStatus, ResourceUsage, SignalName } from './types';
