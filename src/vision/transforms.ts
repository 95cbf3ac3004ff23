/** What is done to an image before a network sees it. Images are uint8 [height, width], as the files hold them. */
import { ArgumentError } from '../core/errors.ts';
import type { Tensor } from '../tensor.ts';

/** A step from one tensor to the next; `apply` takes a single image. */
export interface Transform {
  apply(image: Tensor): Tensor;
  /** As torchvision prints it. */
  toString(): string;
}

/** What a chain of standard steps amounts to: (x / divisor − mean) / std. Such chains run as one kernel per batch. */
export interface Scaling {
  readonly divisor: number;
  readonly mean: number;
  readonly std: number;
}

class ToTensor implements Transform {
  apply(image: Tensor): Tensor {
    return image.float().div(255).unsqueeze(0);
  }
  toString(): string {
    return 'ToTensor()';
  }
}

class Normalize implements Transform {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  constructor(mean: readonly number[], std: readonly number[]) {
    if (mean.length !== std.length || mean.length === 0 || std.some((s) => s === 0)) {
      throw new ArgumentError(`normalize: expected as many means as (non-zero) deviations, but got [${mean.join(', ')}] and [${std.join(', ')}]`);
    }
    this.mean = mean;
    this.std = std;
  }
  apply(image: Tensor): Tensor {
    const [mean, std] = [this.mean, this.std].map((list) => image.derive(channelValues(image, list)));
    return image.sub(mean).div(std);
  }
  toString(): string {
    return `Normalize(mean=(${this.mean.join(', ')},), std=(${this.std.join(', ')},))`;
  }
}

/** Values per channel as an array [channels, 1, 1] that broadcasts over an image. */
function channelValues(image: Tensor, list: readonly number[]) {
  const { backend } = image.array;
  return backend.upload(Float32Array.from(list), [list.length, 1, 1], 'float32');
}

class Compose implements Transform {
  readonly steps: readonly Transform[];
  constructor(steps: readonly Transform[]) {
    this.steps = steps;
  }
  apply(image: Tensor): Tensor {
    return this.steps.reduce((x, step) => step.apply(x), image);
  }
  toString(): string {
    return `Compose(\n${this.steps.map((step) => `    ${step}`).join('\n')}\n)`;
  }
}

class Lambda implements Transform {
  readonly #fn: (image: Tensor) => Tensor;
  constructor(fn: (image: Tensor) => Tensor) {
    this.#fn = fn;
  }
  apply(image: Tensor): Tensor {
    return this.#fn(image);
  }
  toString(): string {
    return 'Lambda()';
  }
}

/** uint8 [H, W] to float32 [1, H, W] in [0, 1]. */
export const toTensor = (): Transform => new ToTensor();

/** (x − mean) / std per channel, after `toTensor`. @throws ArgumentError for lists of different lengths, or a zero */
export const normalize = (mean: readonly number[], std: readonly number[]): Transform => new Normalize(mean, std);

/** Several steps one after the other. */
export const compose = (steps: readonly Transform[]): Transform => new Compose(steps);

/** Any function of a tensor as a step. */
export const lambda = (fn: (image: Tensor) => Tensor): Transform => new Lambda(fn);

/** The scaling that a transform amounts to, or null if it is something else. */
export function asScaling(transform: Transform): Scaling | null {
  const steps = transform instanceof Compose ? transform.steps : [transform];
  const [first, second] = steps;
  if (!(first instanceof ToTensor) || steps.length > 2) return null;
  if (second === undefined) return { divisor: 255, mean: 0, std: 1 };
  if (!(second instanceof Normalize) || second.mean.length !== 1) return null;
  return { divisor: 255, mean: second.mean[0], std: second.std[0] };
}
