/**
 * `wasmgrad/vision`: image data sets and what is done to images.
 * @module wasmgrad/vision
 */
export { CIFAR10, CIFAR100, type CifarOptions } from './cifar.ts';
export type { DownloadProgress } from './download.ts';
export type { FileOptions, FileSource } from './files.ts';
export type { ImageDataset } from './imageDataset.ts';
export { FashionMNIST, MNIST, type MnistOptions, type TargetTransform } from './mnist.ts';
export * as transforms from './publicTransforms.ts';
export type { ImageTransform, Margins, Size, Transform } from './transforms.ts';
