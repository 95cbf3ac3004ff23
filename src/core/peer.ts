/** Packages that a program may have or not, in Node. */

/** @throws what `refuse` makes of it: whether the package is not installed, else why it cannot be loaded */
export function requirePeer<T>(
  name: string,
  refuse: (missing: boolean, why: string, cause: unknown) => Error,
): T {
  const { createRequire } = process.getBuiltinModule('node:module');
  const path = process.getBuiltinModule('node:path');
  // A peer is installed beside the user's program. Not where this file is: that differs by bundler and module kind.
  const places = [path.resolve(process.argv[1] ?? 'index.js'), path.resolve('index.js')];
  let cause: unknown;
  for (const place of places) {
    try {
      return createRequire(place)(name);
    } catch (error) {
      cause ??= error;
      if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') break;
    }
  }
  const missing = (cause as { code?: unknown }).code === 'MODULE_NOT_FOUND';
  throw refuse(missing, cause instanceof Error ? cause.message : String(cause), cause);
}
