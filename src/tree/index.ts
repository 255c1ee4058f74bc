/** Host trees: patterns, listing (lstat), content digests, change sets between two listings. */
export type { TreeEntry, TreeFilter, TreeListing } from "./types.ts";
export { makeFolders, writeFileAtomically } from "./atomic.ts";
export { contentDigest, contentKey, earlierContentKey, treeStatDigest, treeStatDigestSteps } from "./digest.ts";
export { changedPaths, compareTreePaths, diffListings, sameListing, sameStat, type TreeChanges } from "./diff.ts";
export { folderIdentity, statEntry } from "./entries.ts";
export { findGitRoot, gitDirectories, gitEnvironment } from "./git-folders.ts";
export { parseGitignore, type IgnoreRule } from "./gitignore.ts";
export { ignoredPaths } from "./ignored.ts";
export { ruleFiles, sharingRules } from "./project-rules.ts";
export type { HashStore } from "./hash-cache.ts";
export { ContentHasher, type ContentHasherOptions } from "./hasher.ts";
export type { StatAhead } from "./stat-ahead.ts";
export { PathTest } from "./path-test.ts";
export { PatternMatcher } from "./patterns.ts";
export { listTree, listTreeSteps, scanTree, TreeScanner, type TreeScan } from "./scanner.ts";
export type { ScannedFolder, TreeSelection } from "./walk.ts";
export { literalPattern, maxPatternChars, nameMatcher } from "./globs.ts";
export { topmost } from "./topmost.ts";
