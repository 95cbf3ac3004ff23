/** The transforms as users see them. */
export { compose, lambda, normalize, pad, randomCrop, randomHorizontalFlip, toTensor } from './transforms.ts';
