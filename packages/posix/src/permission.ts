/** What of Node's permission model concerns the whole backend. */

/**
 * Whether `net` is denied, which Node's sockets over pipes need. A Node that does not have this scope says of it as well that
 * it is not granted, and makes them all the same.
 */
export function netIsDenied(): boolean {
  const permission = process.permission as NodeJS.ProcessPermission | undefined;
  return permission?.has('net') === false && process.allowedNodeEnvironmentFlags.has('--allow-net');
}
