/** The launchers of one suite, told from those of all that runs beside it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Marks the launchers that the tests of this suite start; the numbers of those that are there. */
export function ownLaunchers(): () => string[] {
  const { LD_LIBRARY_PATH: before } = process.env;
  /** Launchers have it, and nothing else on this machine. */
  const library = `/vircommand-${process.pid}`;
  beforeEach(() => (process.env.LD_LIBRARY_PATH = library));
  afterEach(() => {
    if (before === undefined) delete process.env.LD_LIBRARY_PATH;
    else process.env.LD_LIBRARY_PATH = before;
  });
  return () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`LD_LIBRARY_PATH=${library}\0`);
      } catch {
        return false;
      }
    });
}
