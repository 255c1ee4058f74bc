/**
 * Tests that expect the system to deny access to a file. Root, as which commands run in containers, is never denied, so
 * such tests run without root's right to ignore file modes.
 */
import { below, joined } from "./files.ts";
import { testFiles } from "./programs.ts";
import type { DetectedSuite, ProjectFiles } from "./types.ts";

/** Part of util-linux, which Debian's images include. */
const asOwner = "setpriv --bounding-set=-dac_override,-dac_read_search --";

/**
 * Errors that tests expect when access is denied. Python and Node tests may also make them up, so those must also
 * change a mode.
 */
const goRefusal = /\b(?:os|fs)\.ErrPermission\b|\bEACCES\b/;
const refusal = /\bPermissionError\b|\bEACCES\b/;
const takesAway = /\bchmod(?:Sync)?\s*\(/;
/** A file that nobody may read exists to cause a denial, whatever the test calls the error. */
const takesAll = /\bchmod(?:Sync)?\s*\((?:[^\n]{0,300},)?\s*(?:0o?0*|~\s*(?:stat\.)?S_IRWX\w)\s*\)/;

export function asOwnerWhereRefused(files: ProjectFiles, suite: DetectedSuite): DetectedSuite {
  if (!expectsRefusals(files, suite)) return suite;
  const tiers = Object.fromEntries(
    Object.entries(suite.tiers).map(([tier, commands]) => [
      tier,
      tier === "smoke" ? commands : [...commands.slice(0, -1), withoutRights(commands.at(-1)!)],
    ]),
  );
  return { ...suite, tiers };
}

function expectsRefusals(files: ProjectFiles, { folder, preset }: DetectedSuite): boolean {
  if (preset === "go")
    return below(files, folder).some(
      (file) => file.endsWith("_test.go") && goRefusal.test(files.read(joined(folder, file))),
    );
  return testFiles(files, folder).some((file) => {
    const text = files.read(file);
    return takesAll.test(text) || (refusal.test(text) && takesAway.test(text));
  });
}

/** Wraps a single command, or one in a folder; a script of several commands stays as it is. */
function withoutRights(command: string): string {
  const [, enter = "", rest = command, leave = ""] = /^(\(cd \S+ && )(.+)(\))$/.exec(command) ?? [];
  return /[;&|]|^\w+=/.test(rest) ? command : `${enter}${asOwner} ${rest}${leave}`;
}
