/** Constants of the WebGPU standard, which not every host has as globals: https://www.w3.org/TR/webgpu/. */
export const BufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  QUERY_RESOLVE: 0x200,
} as const;

export const ShaderStageCompute = 0x4;
export const MapModeRead = 0x1;
