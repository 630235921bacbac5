/** What signals do to a program that says nothing of them (signal(7)). */
import type { SignalName } from '@vircommand/core/backend';

/** The default action of a signal: all others end the program. */
const actions: Readonly<Partial<Record<SignalName, 'ignore' | 'stop' | 'continue'>>> = {
  SIGCHLD: 'ignore',
  SIGURG: 'ignore',
  SIGWINCH: 'ignore',
  SIGSTOP: 'stop',
  SIGTSTP: 'stop',
  SIGTTIN: 'stop',
  SIGTTOU: 'stop',
  SIGCONT: 'continue',
};

export const defaultAction = (name: SignalName): 'ignore' | 'stop' | 'continue' | 'end' => actions[name] ?? 'end';

/** No program can trap or ignore these. */
export const untrappable: readonly SignalName[] = Object.freeze(['SIGKILL', 'SIGSTOP']);
