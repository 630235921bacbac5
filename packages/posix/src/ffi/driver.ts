/**
 * What a driver does: it binds functions of libc, and lends addresses. Nothing else of the package knows which one it is.
 *
 * Calls are synchronous only: an asynchronous one would need its buffers kept alive by somebody and a thread of libuv's
 * pool for as long as it blocks.
 */

/** The names that `VIRCOMMAND_FFI` and the backend's option take. */
export const DRIVER_NAMES = ['koffi', 'ffi-napi', 'node'] as const;
/** What calls libc. */
export type DriverName = (typeof DRIVER_NAMES)[number];

/**
 * The kinds of parameters. Variadic ones are `long`: an `int` would leave the upper half of the register undefined.
 * `buffer`: the address of its first byte, or NULL. `address`: a number that {@link Driver.address} gave, or 0.
 */
export type Parameter = 'int' | 'long' | 'buffer' | 'address';

/**
 * `int` also serves for `ssize_t` and `long` results: Linux moves at most 2^31 - 4096 bytes a call. What returns a
 * BigInt would allocate between the call and the look at errno, and a garbage collection there overwrites errno.
 */
export type Result = 'int' | 'address';

/** What a parameter takes. */
export type Argument = number | Uint8Array | null;

/** A bound function. Its caller must keep buffers referenced for as long as libc uses them. */
export type NativeFunction = (...args: Argument[]) => number;

/** Binds libc in this thread. */
export interface Driver {
  readonly name: DriverName;
  /** `undefined` if this libc has no such function. */
  bind(name: string, result: Result, parameters: readonly Parameter[]): NativeFunction | undefined;
  /** errno of this thread. It is right only as the very next thing after the call, and must not allocate. */
  readonly errno: () => number;
  /** Where a symbol of libc lies; `undefined` if there is none. */
  symbol(name: string): number | undefined;
  /** Where a buffer's bytes lie. They do not move, but the caller must keep the buffer referenced. */
  address(buffer: Uint8Array): number;
  /** The memory at an address, shared and never freed by the view. The caller vouches for it. */
  view(address: number, length: number): Uint8Array;
}

/** An address as a number; user space ends far below 2^53 on every supported architecture. */
export function exactAddress(address: bigint | number): number {
  const exact = Number(address);
  if (!Number.isSafeInteger(exact)) throw new RangeError(`address ${address} is beyond 2^53`);
  return exact;
}
