/** Which file of a folder a request means, and nothing outside of that folder. */

export interface FoundFile {
  /** The file on disk, without symbolic links. */
  readonly path: string;
  readonly size: number;
  readonly modified: Date;
}

/** What a name stands for; neither of the two for devices and the like. */
interface Entry extends FoundFile {
  readonly isFile: boolean;
  readonly isFolder: boolean;
}

/** A file, an address to go to instead (a folder without its last slash), or nothing. */
export type Lookup = { readonly file: FoundFile } | { readonly redirect: string } | null;

/**
 * Finds what `pathname` (of a parsed URL, still percent-encoded) names below `root`. Folders answer with their
 * index.html. Nothing is found outside of `root`, be it by `..` or by a symbolic link, and nothing whose name begins
 * with a dot: such files hold settings and secrets (`.env`, `.git`).
 * @param root an existing folder, without symbolic links
 */
export async function findFile(root: string, pathname: string): Promise<Lookup> {
  const fs = process.getBuiltinModule('node:fs/promises');
  const path = process.getBuiltinModule('node:path');
  const parts = decodedParts(pathname);
  if (parts === null) return null;
  const wanted = path.join(root, ...parts);
  const resolve = async (file: string): Promise<Entry | null> => {
    try {
      const real = await fs.realpath(file);
      if (!isWithin(root, real, path.sep)) return null;
      const stats = await fs.stat(real);
      const { size, mtime: modified } = stats;
      return { path: real, size, modified, isFile: stats.isFile(), isFolder: stats.isDirectory() };
    } catch {
      return null; // not there, or not ours to read: the same answer, which tells nothing
    }
  };
  const found = await resolve(wanted);
  if (found === null || found.isFile) {
    const isFolderName = pathname.endsWith('/'); // `page.html/` names no file
    return found === null || isFolderName ? null : { file: found };
  }
  if (!found.isFolder) return null;
  if (!pathname.endsWith('/')) return { redirect: `${pathname}/` };
  const index = await resolve(path.join(wanted, 'index.html'));
  return index?.isFile ? { file: index } : null;
}

/** The names in a path, or null if one of them must not be asked for. */
function decodedParts(pathname: string): string[] | null {
  try {
    const parts = pathname
      .split('/')
      .filter((part) => part !== '')
      .map((part) => decodeURIComponent(part));
    const refused = parts.some((part) => part.startsWith('.') || /[/\\\0]/.test(part));
    return refused ? null : parts;
  } catch {
    return null; // malformed percent-encoding
  }
}

function isWithin(root: string, file: string, separator: string): boolean {
  return file === root || file.startsWith(root.endsWith(separator) ? root : root + separator);
}
