/** Which row of a table stands for what only fills sequences up. */
import { ArgumentError } from '../../core/errors.ts';

/** The number of the row that is left out, `index` being negative from the end; null for none. @throws ArgumentError */
export function paddingRow(index: number | null | undefined, rows: number, op: string): number | null {
  if (index == null) return null;
  if (Number.isInteger(index) && index >= -rows && index < rows) return index < 0 ? index + rows : index;
  throw new ArgumentError(
    `${op}: Padding_idx must be within num_embeddings: expected [${-rows}, ${rows}), but got ${index}`,
  );
}
