/** Small repositories that have the shapes of public ones. Each passes as it is; `breaks` is an edit that makes a test fail. */
import { nodeShapes } from "./node-shapes.ts";
import { otherShapes } from "./other-shapes.ts";
import type { Shape } from "./shape.ts";

export type { Shape } from "./shape.ts";

export const shapes: readonly Shape[] = [...nodeShapes, ...otherShapes];
