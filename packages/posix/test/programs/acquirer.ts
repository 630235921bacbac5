/** Acquires a pid file whenever it is told to, and says how that went: FILE. */
import { acquirePath, type AcquiredPidFile, type PidFileError } from '../../src/pidfile';

const [file = ''] = process.argv.slice(2);
let acquired: AcquiredPidFile | undefined;

process.on('message', (order) => {
  if (order === 'release') {
    acquired?.release();
    process.send?.('released');
    return;
  }
  try {
    acquired = acquirePath(file);
    process.send?.({ got: process.pid });
  } catch (error) {
    process.send?.({ owner: (error as PidFileError).owner });
  }
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
