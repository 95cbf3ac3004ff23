/** The transforms as users see them. */
export {
  type AffineInterpolation,
  type Degrees,
  type Fill,
  type RandomAffineOptions,
  type RandomRotationOptions,
  randomAffine,
  randomRotation,
} from './affine.ts';
export {
  type ColorJitterOptions,
  colorJitter,
  gaussianBlur,
  grayscale,
  type Jitter,
  type RandomErasingOptions,
  randomErasing,
  randomGrayscale,
} from './colours.ts';
export {
  centerCrop,
  type RandomResizedCropOptions,
  type ResizeInterpolation,
  type ResizeOptions,
  randomResizedCrop,
  resize,
} from './resizing.ts';
export {
  compose,
  lambda,
  normalize,
  pad,
  type RandomCropOptions,
  randomApply,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
  toTensor,
} from './transforms.ts';
