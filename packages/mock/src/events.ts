/** What a recorder tells of the programs that it watches, as it happens. */
import type { ExitStatus, LaunchPlan, Reach, SignalName, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import type { OutputName, StartFailure } from './answer';

/** One thing that happened to one call. Bytes are copies. */
export type RecordedEvent = {
  /** Counts from 0, in the order of the starts. */
  readonly call: number;
} & (
  | { readonly type: 'start'; readonly plan: LaunchPlan }
  /** It did not start: the only event after `start`. */
  | { readonly type: 'start-error'; readonly failure: StartFailure }
  | { readonly type: OutputName; readonly data: Uint8Array }
  /** The caller wrote. */
  | { readonly type: 'stdin'; readonly data: Uint8Array }
  /** The caller wrote to a descriptor of its own. */
  | { readonly type: 'send'; readonly fd: number; readonly data: Uint8Array }
  /** The caller will write no more; or: nobody else will. */
  | { readonly type: 'end'; readonly stream: 'stdin' | OutputName }
  /** The caller reads no more, while the program runs. */
  | { readonly type: 'closed'; readonly stream: OutputName }
  /** The program reads no more, while it runs. */
  | { readonly type: 'broken'; readonly stream: 'stdin' }
  /** After the end of the program somebody else still has the pipe. */
  | { readonly type: 'held'; readonly stream: OutputName }
  | { readonly type: 'signal'; readonly name: SignalName; readonly reached: Reach }
  | { readonly type: 'handshake'; readonly step: 'wait' | 'notify'; readonly failure: StartFailure | undefined }
  | { readonly type: 'exit'; readonly status: ExitStatus }
  /** The backend lost the program. */
  | { readonly type: 'lost'; readonly failure: StartFailure }
  /** A synchronous run, all of it. */
  | {
      readonly type: 'sync';
      readonly plan: LaunchPlan;
      readonly request: SyncRequest;
      readonly result: SyncOutcome | { readonly failure: StartFailure };
    }
);
