/** Kullback-Leibler divergences: which pairs of distributions have one, and how it is found. */
import { ArgumentError } from '../core/errors.ts';
import type { Tensor } from '../tensor.ts';
import { Distribution } from './distribution.ts';
import { type DistributionClass, type KlRule, klRule } from './klRule.ts';
import { builtInRules } from './klRules.ts';

export type { DistributionClass } from './klRule.ts';

/** Made when it is first needed: programs that never ask for a divergence load none. */
let rules: KlRule[] | null = null;

/**
 * Says how the divergence of two classes, and of those derived from them, is computed: `registerKl(P, Q)(rule)`. The
 * later of two rules for the same pair holds. Returns the rule.
 */
export function registerKl<P extends Distribution, Q extends Distribution>(
  typeP: DistributionClass<P>,
  typeQ: DistributionClass<Q>,
): <R extends (p: P, q: Q) => Tensor>(rule: R) => R {
  for (const [name, type] of Object.entries({ typeP, typeQ })) {
    if (typeof type === 'function' && type.prototype instanceof Distribution) continue;
    if ((type as unknown) === Distribution) continue;
    throw new ArgumentError(
      `registerKl: Expected ${name} to be a Distribution subclass but got ${String(type)}`,
    );
  }
  return (rule) => {
    rules = (rules ?? builtInRules(klDivergence)).filter(({ p, q }) => p !== typeP || q !== typeQ);
    rules.push(klRule(typeP, typeQ, rule));
    return rule;
  };
}

/**
 * KL(p ‖ q) = ∫ p(x)·log(p(x)/q(x)) dx, [...batchShape]: how much longer a code made for q is for samples of p, in nats.
 * @throws ArgumentError for a pair that has no rule
 */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  for (const [name, x] of Object.entries({ p, q })) {
    if (x instanceof Distribution) continue;
    throw new ArgumentError(`klDivergence: argument '${name}' must be a Distribution, but got ${String(x)}`);
  }
  rules ??= builtInRules(klDivergence);
  const matches = [...rules, ...p.klRules(), ...q.klRules()].filter(
    (rule) => p instanceof rule.p && q instanceof rule.q,
  );
  if (matches.length === 0) {
    throw new ArgumentError(
      `klDivergence: No KL(p || q) is implemented for p type ${p.constructor.name} and q type ${q.constructor.name}`,
    );
  }
  // The rule that knows most about p; of several, the one that knows most about q.
  return matches
    .map((rule) => ({ rule, far: [distance(p, rule.p), distance(q, rule.q)] }))
    .reduce((a, b) => ((b.far[0] - a.far[0] || b.far[1] - a.far[1]) < 0 ? b : a))
    .rule.of(p, q);
}

/** How many classes the one of x is derived from before `base` comes. */
function distance(x: Distribution, base: DistributionClass<Distribution>): number {
  let steps = 0;
  let at: object = Object.getPrototypeOf(x);
  for (; at !== base.prototype; at = Object.getPrototypeOf(at)) steps++;
  return steps;
}
