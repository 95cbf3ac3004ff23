/** Finding and reading the files of a data set, in Node. */
import { DataError } from '../core/errors.ts';

/** Where torchvision keeps the files below the root folder, and the root itself. */
const folders = (root: string, name: string): string[] => [`${root}/${name}/raw`, `${root}/${name}`, root];

const builtins = () => {
  const load = globalThis.process?.getBuiltinModule;
  return load ? { fs: load('node:fs'), zlib: load('node:zlib') } : null;
};

/** The bytes of `file` (or `file.gz`) below root. @throws DataError naming where was looked */
export function readDataFile(root: string, dataset: string, file: string): Uint8Array {
  const node = builtins();
  if (node === null) {
    throw new DataError(`${dataset}: a root folder needs Node; in a page give { images, labels } as bytes or URLs`);
  }
  const looked = folders(root, dataset).flatMap((folder) => [`${folder}/${file}`, `${folder}/${file}.gz`]);
  const found = looked.find((path) => node.fs.existsSync(path));
  if (found === undefined) {
    throw new DataError(
      `${dataset}: ${file} was not found below '${root}' (looked for ${looked.join(', ')}). Put the file there, plain or as .gz, ` +
        'or pass { download: true }',
    );
  }
  const bytes = node.fs.readFileSync(found);
  if (!found.endsWith('.gz')) return bytes;
  try {
    return node.zlib.gunzipSync(bytes);
  } catch (error) {
    throw new DataError(`${dataset}: ${found} is not a whole gzip file (${String(error)}); delete it and fetch it again`, { cause: error });
  }
}
