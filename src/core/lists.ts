/** Lists by a rule. */

/** `rule(0)`, `rule(1)`, … `rule(length − 1)`: some ten times as fast as `Array.from({ length }, …)`. */
export function tabulate<R>(length: number, rule: (i: number) => R): R[] {
  const out: R[] = [];
  for (let i = 0; i < length; i++) out.push(rule(i));
  return out;
}
