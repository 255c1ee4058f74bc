import { runToEnd } from "./process.ts";

const identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid", "-c", "commit.gpgsign=false"];

/** Makes the folder a git repository with everything that is not ignored in its one commit, on branch main. */
export async function gitSnapshot(root: string): Promise<void> {
  await runToEnd({ file: "git", args: ["init", "-q", "-b", "main"], cwd: root });
  await runToEnd({ file: "git", args: ["add", "-A"], cwd: root });
  await runToEnd({ file: "git", args: [...identity, "commit", "-q", "-m", "start"], cwd: root });
}
