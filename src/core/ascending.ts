/** How elements are ordered wherever they are compared on the host: bigints with all their digits, NaN behind everything. */
export function ascending(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
