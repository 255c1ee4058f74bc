/** Op messages in the form that the codec accepts; names are those of `proto/ops.ts`. */
export interface WireOp {
  inputs?: { digest: string; index: number }[];
  exec?: object;
  source?: { identifier: string; attrs?: Record<string, string> };
  file?: { actions: object[] };
  merge?: { inputs: { input: number }[] };
  diff?: { lower?: { input: number }; upper?: { input: number } };
  platform?: WirePlatform;
}

export interface WirePlatform {
  os: string;
  architecture: string;
  variant?: string;
}

/** Index of an input or output that does not exist. */
export const NONE = -1;
