// out = a + p·b, element by element: all contiguous. `out` may be `a` or `b`.
import { V } from './lanes';

abstract class Blend {
  // @ts-ignore: decorator
  @inline
  static run<T extends number>(a: usize, b: usize, out: usize, p: f64, begin: usize, end: usize): void {
    const factor = v128.splat<T>(<T>p);
    const stop = end * sizeof<T>();
    let i = begin * sizeof<T>();
    for (; i + 32 <= stop; i += 32) {
      const low = V.madd<T>(factor, v128.load(b + i), v128.load(a + i));
      const high = V.madd<T>(factor, v128.load(b + i, 16), v128.load(a + i, 16));
      v128.store(out + i, low);
      v128.store(out + i, high, 16);
    }
    for (; i < stop; i += sizeof<T>()) store<T>(out + i, V.madd1<T>(<T>p, load<T>(b + i), load<T>(a + i)));
  }
}

export function add_scaled_f32(a: usize, b: usize, out: usize, p: f64, begin: usize, end: usize): void {
  Blend.run<f32>(a, b, out, p, begin, end);
}

export function add_scaled_f64(a: usize, b: usize, out: usize, p: f64, begin: usize, end: usize): void {
  Blend.run<f64>(a, b, out, p, begin, end);
}
