/** The plots under their public names. */
export { bar } from './bar.ts';
export { confusionMatrix, heatMap } from './heatMap.ts';
export { histogram } from './histogram.ts';
export { imageGrid } from './imageGrid.ts';
export { line } from './line.ts';
export { toCanvas, toPNG } from './raster.ts';
