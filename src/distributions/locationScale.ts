/** What the symmetric distributions of real numbers around `loc` share. */
import type { Tensor } from '../tensor.ts';
import { type Constraint, positive, real } from './constraints.ts';
import { Elementwise, type Two } from './parameters.ts';

/** A distribution of real numbers that lies around `loc`, as wide as `scale` says. */
export abstract class LocationScale extends Elementwise {
  declare readonly loc: Tensor;
  declare readonly scale: Tensor;

  constructor(...args: Two<'loc', 'scale'>) {
    super(['loc', 'scale'], args);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { loc: Constraint; scale: Constraint } {
    return { loc: real, scale: positive };
  }
  override get support(): Constraint {
    return real;
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
}
