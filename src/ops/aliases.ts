/** PyTorch's second names of ops. */
export {
  atan2 as arctan2,
  div as divide,
  divOp as trueDivide,
  mul as multiply,
  neg as negative,
  sub as subtract,
} from './arithmetic.ts';
export {
  ge as greaterEqual,
  gt as greater,
  le as lessEqual,
  lt as less,
  ne as notEqual,
} from './comparison.ts';
export {
  abs as absolute,
  acos as arccos,
  asin as arcsin,
  atan as arctan,
  trunc as fix,
} from './elementwise.ts';
export { acosh as arccosh, asinh as arcsinh, atanh as arctanh } from './special.ts';
