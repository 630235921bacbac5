/** What to do with recordings: decided by the test, by the environment of the run, and by a build server. */
import { modeVariable, RecordingError } from './recording-error';

/**
 * - `replay`: programs are those of the recording, and none is started.
 * - `new`: what is in the recording is replayed, what is not is run and added.
 * - `update`: everything is run, and the recording made anew.
 * - `add`: everything is run, and added to what is in the recording.
 * - `live`: everything is run, and nothing recorded.
 */
export type RecordMode = 'replay' | 'new' | 'update' | 'add' | 'live';

const modes: readonly unknown[] = ['replay', 'new', 'update', 'add', 'live'];
const isMode = (value: unknown): value is RecordMode => modes.includes(value);

/** On a build server nothing is ever recorded; else the environment variable wins over the test. */
export function recordMode(option: unknown, file: string, env: NodeJS.ProcessEnv = process.env): RecordMode {
  const check = (value: unknown, from: string): RecordMode => {
    if (isMode(value)) return value;
    const reason = `${from} must be one of ${modes.join(', ')}, not '${String(value)}'`;
    throw new RecordingError('ERR_RECORDING_USAGE', `openRecording(): ${reason}`, { file });
  };
  const said = option === undefined ? 'replay' : check(option, 'mode');
  const asked = env[modeVariable] ? check(env[modeVariable], modeVariable) : said;
  const onServer = env.CI !== undefined && !['', '0', 'false'].includes(env.CI.toLowerCase());
  return onServer ? 'replay' : asked;
}
