/** `wasmgrad/vision`: picture data sets and what is done to them. */
export { FashionMNIST, type ImageDataset, MNIST, type MnistOptions } from './mnist.ts';
export * as transforms from './transforms.ts';
