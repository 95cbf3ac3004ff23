/** `nn.utils.parametrizations`: weights that are normalized whenever they are asked for. */
export {
  parametrizedSpectralNorm as spectralNorm,
  parametrizedWeightNorm as weightNorm,
} from './weightNorms.ts';
