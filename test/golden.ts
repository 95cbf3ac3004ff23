/**
 * Access to the golden answers (computed by PyTorch). In Node they come from the folder named by GOLDEN_DIR, else
 * from ../shared/golden, else, as always in a browser, from the copies in test/golden.
 */

declare global {
  interface ImportMeta {
    /** Vite's: the files that match, as functions that load them. */
    glob<T>(
      pattern: string,
      options?: { query: '?raw'; import: 'default' },
    ): Record<string, () => Promise<T>>;
  }
}

const copies = import.meta.glob<string>('./golden/*.json', { query: '?raw', import: 'default' });

/** The names of all golden files of the folder in use, without `.json`. */
export function goldenNames(): string[] {
  const folder = goldenFolder();
  const files = folder ? folder.fs.readdirSync(folder.path) : Object.keys(copies);
  const names = files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace(/^.*\/|\.json$/g, ''));
  return names.sort();
}

/** One golden file, parsed. The caller states the type; the runners check what they read. */
export async function loadGolden<T>(name: string): Promise<T> {
  const folder = goldenFolder();
  const file = `${folder?.path}/${name}.json`;
  // A folder of other cases may hold operators only: the rest is then checked with the copies here.
  if (folder?.fs.existsSync(file)) return JSON.parse(folder.fs.readFileSync(file, 'utf8'));
  const copy = copies[`./golden/${name}.json`];
  if (!copy) throw new Error(`no golden file ${name}.json`);
  return JSON.parse(await copy());
}

function goldenFolder() {
  const node = typeof process === 'object' && typeof process.getBuiltinModule === 'function' ? process : null;
  if (!node) return null;
  const fs = node.getBuiltinModule('node:fs');
  const named = node.env.GOLDEN_DIR;
  if (named) return { fs, path: named };
  return fs.existsSync('../shared/golden') ? { fs, path: '../shared/golden' } : null;
}

/** SHA-256 of an array's bytes (little-endian, as all supported machines are), in hexadecimal. */
export async function sha256(data: ArrayBufferView): Promise<string> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
