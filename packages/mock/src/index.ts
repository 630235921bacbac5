/** For tests: programs that do what a script or a recording says, and none is started. */
export { createMock, type MockBackend, type MockOptions, type MockView } from './mock';
export { createDryRun, type DryRun } from './dry-run';
export { match, type ArgMatcher, type Pattern } from './match';
export type { Answer, Chunk, SignalReaction, StartFailure } from './answer';
export type { MockCall } from './calls';
export type { Expectation, FakeProgram, Order, ProgramEnd, Script } from './script';
export { MockError, type MockErrorCode } from './errors';
export { MOCK_FEATURES, type TimeMode } from './fake-backend';
export { openRecording, REPLAYABLE, type Recording, type RecordingOptions } from './recording';
export type { RecordMode } from './record-mode';
export { createRecorder } from './record';
export type { RecordedEvent } from './events';
export { RecordingError, type RecordingErrorCode } from './recording-error';
