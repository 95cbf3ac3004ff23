/** Views as users call them: with arguments by position or by name. Ops take those of views.ts, which cost less. */
import { taking } from './taking.ts';
import * as views from './views.ts';

/** The dimensions in another order; a view. @throws ShapeError, IndexError */
export const permute = /* @__PURE__ */ taking('permute', 'dims', views.permute);
/** Two dimensions exchanged; a view. @throws IndexError */
export const transpose = /* @__PURE__ */ taking('transpose', 'dim0 dim1', views.transpose);
/** One slice along a dimension, which goes; a view. @throws IndexError */
export const select = /* @__PURE__ */ taking('select', 'dim index', views.select);
/** `length` slices along a dimension from `start`; a view. @throws IndexError */
export const narrow = /* @__PURE__ */ taking('narrow', 'dim start length', views.narrow);
/** The elements of x's memory in the given shape, with the given strides. @throws ShapeError */
export const asStrided = /* @__PURE__ */ taking('as_strided', 'size stride storageOffset?', views.asStrided);
/** The same elements in another shape, a view where the strides allow it. @throws ShapeError */
export const reshape = /* @__PURE__ */ taking('reshape', 'shape', views.reshaped);
