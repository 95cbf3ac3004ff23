/** `torch.linalg.qr`. */

import { recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { rowMath } from '../backend/registry.ts';
import { AutogradError } from '../core/errors.ts';
import { decompose } from '../core/reflections.ts';
import { add, mul, neg } from './arithmetic.ts';
import { cat } from './join.ts';
import { matmul } from './matmul.ts';
import {
  batchShape,
  fromMatrices,
  hostMatrices,
  matricesGiven,
  type Named,
  namedResults,
  oneOf,
} from './matrices.ts';
import { option } from './options.ts';
import { timesInverseTransposed } from './solving.ts';
import { tril } from './triangles.ts';
import { narrow, transpose } from './views.ts';

/** 'reduced': Q is m × min(m, n); 'complete': m × m; 'r': empty. */
export type QrMode = 'reduced' | 'complete' | 'r';

const mirrored = <T extends Variable>(x: T): T => transpose(x, -2, -1);

/**
 * Q with orthonormal columns and upper triangular R, Q·R = A, of matrices [..., m, n]. The diagonal of R may be negative: signs
 * are LAPACK's. Gradients are there in mode 'reduced', and in mode 'complete' if m ≤ n.
 */
export function qr<T extends Variable>(a: T, given?: QrMode | { mode?: QrMode }): Named<T, ['Q', 'R']> {
  const op = 'linalg.qr';
  matricesGiven(a, op);
  const mode = option<'mode', QrMode>(given, op, 'mode', 'reduced');
  oneOf(
    mode,
    ['reduced', 'complete', 'r'],
    `${op}: qr received unrecognized mode '${mode}' but expected one of 'reduced' (default), 'r', or 'complete'`,
  );
  const [m, n] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const columns = mode === 'complete' ? m : k;
  const found = hostMatrices(a, op).map((x) => decompose(rowMath(), x, m, n, mode === 'r' ? 0 : columns));
  const sizes = (rows: number, width: number): number[] => [...batchShape(a), rows, width];
  const [qs, rs] = [found.map(({ q }) => q), found.map(({ r }) => r)];
  const arrays = [
    fromMatrices(a, mode === 'r' ? [0] : sizes(m, columns), qs),
    fromMatrices(a, sizes(columns, n), rs),
  ];
  const results = recordMany('LinalgQrBackward0', arrays, [a], (node, outputs) => {
    const [savedQ, savedR] = [node.saveOutput(outputs[0]), node.save(outputs[1])];
    return ([gradQ, gradR]) => {
      if (mode === 'r') {
        throw new AutogradError(
          `${op}: The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, ` +
            "mode='reduced') if you are going to differentiate through linalg.qr.",
        );
      }
      if (columns > n) {
        throw new AutogradError(
          `${op}: The QR decomposition is not differentiable when mode='complete' and nrows > ncols.`,
        );
      }
      const like = (gradQ ?? gradR) as T;
      const [q, r] = [savedQ.get(like), savedR.get(like)];
      if (m >= n) return [ofTall(q, r, gradQ, gradR)];
      // A = [X Y] with X = Q·U and Y = Q·V.
      const [u, v] = [narrow(r, -1, 0, m), narrow(r, -1, m, n - m)];
      if (gradR === null) {
        const gradX = ofTall(q, u, gradQ, null);
        return [cat([gradX, mul<T>(v, 0)], -1)];
      }
      const gradV = narrow(gradR, -1, m, n - m);
      const throughY = matmul(matmul(q, v), mirrored(gradV));
      const gradX = ofTall(
        q,
        u,
        gradQ === null ? throughY : add<T>(gradQ, throughY),
        narrow(gradR, -1, 0, m),
      );
      return [cat([gradX, matmul(q, gradV)], -1)];
    };
  });
  return namedResults('linalg_qr', ['Q', 'R'], results);
}

/** The gradient of A = Q·R with m ≥ n (Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2012). */
function ofTall<T extends Variable>(q: T, r: T, gradQ: T | null, gradR: T | null): T {
  const fromR = gradR && matmul(r, mirrored(gradR));
  const fromQ = gradQ && neg(matmul(mirrored(gradQ), q));
  const part = fromR && fromQ ? add<T>(fromR, fromQ) : ((fromR ?? fromQ) as T);
  const inner = matmul(q, add<T>(tril(part), mirrored(tril(part, -1))));
  return timesInverseTransposed(gradQ ? add<T>(gradQ, inner) : inner, r);
}
