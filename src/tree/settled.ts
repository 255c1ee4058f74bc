/**
 * A file touched this shortly before it was read may be written again within the same tick of the file system's clock,
 * with the same size and times (git calls such an index entry racily clean). Kernel ticks are up to 10 ms.
 */
const raceWindowNs = 40_000_000n;
/** File systems that store whole seconds (their times end in nine zeros) may have ticks of two seconds. */
const coarseRaceWindowNs = 2_000_000_000n;

/** Reports whether a later write would change the file's times. A time in the future is never trusted. */
export function isSettled({ mtimeNs, ctimeNs }: { mtimeNs: bigint; ctimeNs: bigint }, readStartedNs: bigint): boolean {
  const touchedNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const window = ctimeNs % 1_000_000_000n === 0n ? coarseRaceWindowNs : raceWindowNs;
  return touchedNs + window < readStartedNs;
}
