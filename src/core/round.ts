/** The nearest whole number, halves to the even one, as IEEE 754 and PyTorch round. */
export function roundHalfToEven(x: number): number {
  const floored = Math.floor(x);
  const distance = x - floored;
  if (distance !== 0.5)
    return distance < 0.5 ? (floored === 0 && x < 0 ? -0 : floored) : floored + 1 === 0 ? -0 : floored + 1;
  const even = floored % 2 === 0 ? floored : floored + 1;
  return even === 0 && x < 0 ? -0 : even;
}
