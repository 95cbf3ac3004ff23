// Models in ONNX's format (protocol buffers), as small as the measurements need: some inputs, weights, a row of nodes.

const VARINT = 0;
const BYTES = 2;

function varint(/** @type {number} */ value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    if (rest < 128) return bytes;
  }
}

const number = (/** @type {number} */ field, /** @type {number} */ value) => [
  ...varint(8 * field + VARINT),
  ...varint(value),
];
/** @param {number} field @param {Iterable<number>} bytes */
const block = (field, bytes) => {
  const list = [...bytes];
  return [...varint(8 * field + BYTES), ...varint(list.length), ...list];
};
const text = (/** @type {number} */ field, /** @type {string} */ value) =>
  block(field, new TextEncoder().encode(value));

const FLOAT = 1;

/** ValueInfoProto. */
function described(/** @type {string} */ name, /** @type {number[]} */ shape) {
  const dims = shape.flatMap((size) => block(1, number(1, size)));
  return [...text(1, name), ...block(2, block(1, [...number(1, FLOAT), ...block(2, dims)]))];
}

/** TensorProto, with little-endian raw data. */
function constant(
  /** @type {string} */ name,
  /** @type {number[]} */ shape,
  /** @type {Float32Array} */ values,
) {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [
    ...shape.flatMap((size) => number(1, size)),
    ...number(2, FLOAT),
    ...text(8, name),
    ...block(9, raw),
  ];
}

/** AttributeProto with an integer. */
const integer = (/** @type {string} */ name, /** @type {number} */ value) => [
  ...text(1, name),
  ...number(3, value),
  ...number(20, 2),
];

/**
 * @typedef {object} Node
 * @property {string} op
 * @property {string[]} inputs
 * @property {string} output
 * @property {Record<string, number>} [integers]
 *
 * @param {{
 *   inputs: Record<string, number[]>,
 *   output: { name: string, shape: number[] },
 *   weights?: Record<string, { shape: number[], values: Float32Array }>,
 *   nodes: Node[],
 * }} graph
 */
export function onnxModel({ inputs, output, weights = {}, nodes }) {
  const encoded = nodes.flatMap((node) =>
    block(1, [
      ...node.inputs.flatMap((name) => text(1, name)),
      ...text(2, node.output),
      ...text(4, node.op),
      ...Object.entries(node.integers ?? {}).flatMap(([name, value]) => block(5, integer(name, value))),
    ]),
  );
  const graph = [
    ...encoded,
    ...text(2, 'bench'),
    ...Object.entries(weights).flatMap(([name, { shape, values }]) =>
      block(5, constant(name, shape, values)),
    ),
    ...Object.entries(inputs).flatMap(([name, shape]) => block(11, described(name, shape))),
    ...block(12, described(output.name, output.shape)),
  ];
  return Uint8Array.from([...number(1, 8), ...block(7, graph), ...block(8, number(2, 17))]);
}
