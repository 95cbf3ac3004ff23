// The types of a binary's exports, read from the binary itself: a kernel name or an argument count that the
// AssemblyScript sources no longer have is then a compile error in TypeScript.

const EXTERNAL_FUNCTION = 0;
const EXTERNAL_MEMORY = 2;
const FUNCTION_TYPE = 0x60;
const SECTION = { type: 1, import: 2, function: 3, export: 7 };
/** @type {Record<number, string>} */
const VALUE_TYPES = { 127: 'number', 126: 'bigint', 125: 'number', 124: 'number' }; // i32 i64 f32 f64

export class Reader {
  at = 0;
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 number. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  name() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  /**
   * @template T
   * @param {() => T} item
   */
  vector(item) {
    return Array.from({ length: this.number() }, item);
  }
}

/** The bytes of each section, by id. */
export function sections(/** @type {Uint8Array} */ binary) {
  const reader = new Reader(binary);
  reader.at = 8;
  /** @type {Map<number, Reader>} */
  const found = new Map();
  while (reader.at < binary.length) {
    const id = reader.byte();
    const size = reader.number();
    found.set(id, new Reader(binary.subarray(reader.at, reader.at + size)));
    reader.at += size;
  }
  return found;
}

/**
 * The exported functions of a binary with the TypeScript types of their parameters and result.
 * @param {Uint8Array} binary
 */
export function kernelSignatures(binary) {
  const found = sections(binary);
  const read = (/** @type {number} */ id) => found.get(id) ?? new Reader(new Uint8Array([0]));
  const types = read(SECTION.type);
  const valueTypes = () => types.vector(() => types.byte());
  const signatures = types.vector(() => {
    if (types.byte() !== FUNCTION_TYPE) throw new Error('a binary with types that are not functions');
    return { parameters: valueTypes(), results: valueTypes() };
  });

  const imports = read(SECTION.import);
  const count = imports.number();
  const first = count > 0 && [imports.name(), imports.name(), imports.byte()];
  if (count > 1 || (first && first[2] !== EXTERNAL_MEMORY)) {
    throw new Error(`kernels import nothing but their memory; found ${count} imports, the first is ${first}`);
  }
  const functions = read(SECTION.function);
  const typeOf = functions.vector(() => functions.number());

  const exported = read(SECTION.export);
  return exported
    .vector(() => ({ name: exported.name(), kind: exported.byte(), index: exported.number() }))
    .filter(({ kind }) => kind === EXTERNAL_FUNCTION)
    .map(({ name, index }) => {
      const { parameters, results } = signatures[typeOf[index]];
      const scripted = (/** @type {number} */ code) => {
        if (code in VALUE_TYPES) return VALUE_TYPES[code];
        throw new Error(`${name}: value type 0x${code.toString(16)} cannot cross into JavaScript`);
      };
      return { name, parameters: parameters.map(scripted), results: results.map(scripted) };
    });
}

/**
 * TypeScript text: `export interface Kernels { … }`.
 * @param {Uint8Array} binary
 */
export function kernelTypes(binary) {
  const lines = kernelSignatures(binary).map(({ name, parameters, results }) => {
    const list = parameters.map((type, i) => `p${i}: ${type}`).join(', ');
    return `  ${name}(${list}): ${results[0] ?? 'void'};\n`;
  });
  return `/** The exported functions of the binaries. */\nexport interface Kernels {\n${lines.join('')}}\n`;
}
