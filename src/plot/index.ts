/**
 * `wasmgrad/plot`: curves, histograms, matrices and pictures as SVG strings, for pages and for files. They take plain
 * numbers, typed arrays or tensors, and follow the reader's light or dark colour scheme. `toPNG` and `toCanvas` make pixels
 * of them.
 * @module wasmgrad/plot
 */
export type { BarOptions, BarSeries } from './bar.ts';
export type { ColorMap } from './colorMap.ts';
export type { ConfusionMatrixOptions, HeatMapOptions } from './heatMap.ts';
export type { HistogramOptions } from './histogram.ts';
export type { Image, ImageGridOptions } from './imageGrid.ts';
export type { LineOptions, Series } from './line.ts';
export * as plot from './plots.ts';
export type { RasterOptions } from './raster.ts';
export type { ScaleKind } from './scale.ts';
export type { PlotOptions, Theme } from './svg.ts';
export type { Matrix, TensorLike, Values } from './values.ts';
