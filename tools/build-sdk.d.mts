/** Builds the programs that hold parts of the Dagger SDK into `outdir`; resolves to the files written. */
export function buildSdkPrograms(outdir: string): Promise<string[]>;

export function sdkPart(name: string): Promise<string>;
