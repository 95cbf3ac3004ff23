/** The drawing of plots: the library's SVG, under the name that the plots know. */
export * from '../core/svg.ts';
