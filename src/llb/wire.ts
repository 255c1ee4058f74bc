/** The op messages as the codec takes them; names are those of `proto/ops.ts`. */
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

/** An input or output that is not there. */
export const NONE = -1;
