/** The backend: what it declares, and how a plan becomes a running program. */
import { GivenOptions, startError, type Backend, type Feature } from '@vircommand/core/backend';
import type { Engine } from './engine';
import type { DriverName } from './ffi';
import { featuresWith } from './features';
import { loadBecome, loadBinding, loadEngine } from './later';
import { netIsDenied } from './permission';
import { otherRuntime } from './runtime';
import { shortageIn } from './shortage';

/** How a posix backend is made. */
export interface PosixOptions {
  /** The FFI driver; default: what `VIRCOMMAND_FFI` names, otherwise `'koffi'`. */
  readonly driver?: DriverName | undefined;
}

/**
 * A backend that starts and waits synchronously too. `dispose()` ends the threads that it keeps for starts, if it has any; it
 * can be used afterwards.
 */
export type PosixBackend = Backend & Required<Pick<Backend, 'startAndWaitSync' | 'cancelStart' | 'exec' | 'dispose'>>;

/**
 * A backend that starts programs with libc's `posix_spawn`, on Linux.
 *
 * @throws CommandUsageError for wrong options; Error that says why libc cannot be called here: another platform, a driver
 *   that cannot be loaded, or Node's permission model.
 *
 * @example
 * ```ts
 * const backend = createPosixBackend({ driver: 'node' });
 * await new Command('make', ['all'], { backend }).run();
 * ```
 */
export function createPosixBackend(options: PosixOptions = {}): PosixBackend {
  const given = new GivenOptions('createPosixBackend()', options, ['driver']);
  if (process.platform !== 'linux') {
    throw new Error(`the backend posix works on Linux only, not on ${process.platform}; use child-process there`);
  }
  if (otherRuntime !== undefined) {
    throw new Error(`the backend posix works on Node.js, not on ${otherRuntime}; use child-process there`);
  }
  // All starts, since whether a run needs a socket can depend on how long its program takes.
  if (netIsDenied()) {
    throw new Error(
      "the permission model denies the sockets over pipes: node needs '--allow-net'; child-process works without it",
    );
  }
  const { chosenDriver, DRIVER_NAMES, forcedWay, libcThrough, possibleWays } = loadBinding();
  const libc = libcThrough(chosenDriver(given.oneOf('driver', DRIVER_NAMES)));
  const ways = possibleWays(libc, forcedWay());
  let engine: Engine | undefined;
  const theEngine = (): Engine => (engine ??= new (loadEngine().Engine)(libc, ways));
  return Object.freeze({
    contract: 1 as const,
    name: 'posix',
    features: featuresWith(libc, ways),
    start: (plan) => theEngine().start(plan),
    cancelStart(plan) {
      engine?.cancel(plan);
    },
    startAndWaitSync: (plan, request) => theEngine().startAndWaitSync(plan, request),
    exec: (plan) => loadBecome().becomeProgram(plan, libc),
    async dispose() {
      await engine?.dispose();
    },
  } satisfies PosixBackend);
}

let usual: PosixBackend | Error | undefined;

/** Made when first needed, so that importing the package works everywhere; a failure that would come again is kept. */
function usualBackend(): PosixBackend | Error {
  if (usual === undefined) {
    try {
      usual = createPosixBackend();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (shortageIn(`${error.message} ${String(error.cause)}`) !== undefined) return error;
      usual = error;
    }
  }
  return usual;
}

function usable(): PosixBackend {
  const found = usualBackend();
  if (found instanceof Error) throw startError('backend', found);
  return found;
}

let withoutLibc: readonly Feature[] | undefined;

/**
 * The posix backend with the usual driver. Importing it does nothing; where it cannot work, starting fails with stage
 * `backend` and the reason, which {@link whyNot} tells beforehand.
 */
export const backend: PosixBackend = Object.freeze({
  contract: 1 as const,
  name: 'posix',
  // Where it cannot work it declares what it could do, so that the error is not about a feature.
  get features(): readonly Feature[] {
    const found = usualBackend();
    return found instanceof Error ? (withoutLibc ??= featuresWith(undefined)) : found.features;
  },
  async start(plan) {
    return usable().start(plan);
  },
  cancelStart(plan) {
    const found = usualBackend();
    if (!(found instanceof Error)) found.cancelStart(plan);
  },
  startAndWaitSync(plan, request) {
    return usable().startAndWaitSync(plan, request);
  },
  exec(plan) {
    return usable().exec(plan);
  },
  async dispose() {
    if (usual !== undefined && !(usual instanceof Error)) await usual.dispose();
  },
} satisfies PosixBackend);

/** Why the posix backend cannot be used here; `undefined`: it can. Loads the driver. */
export function whyNot(): string | undefined {
  const found = usualBackend();
  return found instanceof Error ? found.message : undefined;
}
