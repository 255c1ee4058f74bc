/**
 * Text for people: names without control characters, output that moves no cursor, masked secrets. Also parses YAML that
 * others wrote.
 */
export { failureAdvice } from "./advice.ts";
export { hasInOrder } from "./in-order.ts";
export { dayAndTime } from "./local-time.ts";
export { scriptOnOneLine, userScript } from "./one-line.ts";
export { outputText, printable, printableJson, printableLines } from "./printable.ts";
export { countsText, failedTests, testCounts, type TestCounts } from "./test-output.ts";
export { testTimes } from "./test-times.ts";
export { isTooShortToMask, tooShortToMask } from "./secret-forms.ts";
export { shellWord } from "./shell-word.ts";
export { size } from "./size.ts";
export { SecretMask, type MaskedStream } from "./secret-mask.ts";
export { withoutFolders } from "./without-folders.ts";
export { yamlDocument, yamlDocuments } from "./yaml.ts";
