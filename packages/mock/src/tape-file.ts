/** Reading and writing the file: whole or not at all, for its owner only, and never through a link. */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { RecordingError } from './recording-error';

const unwritable = 'the recording cannot be written';
const failed = (what: string, file: string, error: unknown): RecordingError =>
  new RecordingError('ERR_RECORDING_FILE', `${file}: ${what}: ${(error as Error).message}`, { file, cause: error });

/** The text, or `undefined` if there is no such file. */
export function readTape(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failed('the recording cannot be read', file, error);
  }
}

/** That the file may be written, before programs are run for it. */
export function checkWritable(file: string): void {
  let stat;
  try {
    stat = lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw failed(unwritable, file, error);
  }
  if (stat === undefined || stat.isFile()) return;
  const what = stat.isSymbolicLink() ? 'a link, which is not followed' : 'no file';
  throw new RecordingError('ERR_RECORDING_FILE', `${file}: ${unwritable}: it is ${what}`, { file });
}

const conflict = (file: string, what: string): RecordingError =>
  new RecordingError('ERR_RECORDING_CONFLICT', `${file}: ${what}. Nothing was saved.`, { file });

/** The new file, which is also the lock: only one writer can make it, and it is gone when it is the recording. */
function openNew(temporary: string, file: string): number {
  try {
    return openSync(temporary, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw conflict(file, `somebody else is writing the file, or broke off and left ${temporary}, then remove that`);
  }
}

/**
 * Writes a new file beside the old one, lets `verify` look at what was really written, and puts it in the place of the
 * old one, which must still be `before`. Whatever goes wrong until then, the old one stays as it was.
 */
export function writeTape(
  file: string,
  text: string,
  before: string | undefined,
  verify: (written: string) => void,
): void {
  const temporary = `${file}.tmp`;
  let made = false;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const fd = openNew(temporary, file);
    made = true;
    try {
      if (readTape(file) !== before)
        throw conflict(file, 'somebody else has written the file; give each test a file of its own');
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    verify(readFileSync(temporary, 'utf8'));
    checkWritable(file);
    renameSync(temporary, file);
    made = false;
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw failed(unwritable, file, error);
  } finally {
    if (made) rmSync(temporary, { force: true });
  }
}
