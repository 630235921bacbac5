/**
 * Half of the time of an import, which a process that starts nothing, or becomes the program, need not pay: each is loaded
 * when it is needed, and in a way that bundlers understand.
 */

// eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
export const loadBinding = (): typeof import('./binding') => require('./binding') as typeof import('./binding');

export const loadBecome = (): typeof import('./become/become') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
  require('./become/become') as typeof import('./become/become');

export const loadSpawner = (): typeof import('./spawner/client') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
  require('./spawner/client') as typeof import('./spawner/client');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
export const loadEngine = (): typeof import('./engine') => require('./engine') as typeof import('./engine');
