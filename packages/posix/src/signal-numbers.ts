/** Numbers of signals: one import of `node:os` for all. */
import { constants } from 'node:os';

export const { SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1 } = constants.signals;
