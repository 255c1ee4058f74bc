/**
 * Tests that expect the system to refuse a file: "no permission" is what nobody tells root, as whom commands run in
 * containers. Such a test command runs without root's rights to pass over the modes of files.
 */
import { below, joined } from "./files.ts";
import { testFiles } from "./programs.ts";
import type { DetectedSuite, ProjectFiles } from "./types.ts";

/** Of util-linux, which Debian's images have. */
const asOwner = "setpriv --bounding-set=-dac_override,-dac_read_search --";

/** What tests say of a refusal; Python's and Node's also name it in tests that make one up, so they must take a right away, too. */
const goRefusal = /\b(?:os|fs)\.ErrPermission\b|\bEACCES\b/;
const refusal = /\bPermissionError\b|\bEACCES\b/;
const takesAway = /\bchmod(?:Sync)?\s*\(/;
/** A file that nobody may read is there for a refusal, whatever the test calls that. */
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

/** A command alone, or one in a folder; what is a script of several stays as it is. */
function withoutRights(command: string): string {
  const [, enter = "", rest = command, leave = ""] = /^(\(cd \S+ && )(.+)(\))$/.exec(command) ?? [];
  return /[;&|]|^\w+=/.test(rest) ? command : `${enter}${asOwner} ${rest}${leave}`;
}
