// Where the constant tables of the binary end: everything from here on belongs to the library's allocator.
export function heapBase(): usize {
  return __heap_base;
}
