/** What is stored to make the next run faster: how much, where, and how to delete it. */
export { clearCaches, type Cleared, type ClearOptions } from "./clear.ts";
export { diskUse } from "./disk-use.ts";
export { expectedCost, type ExpectedCost } from "./expected-cost.ts";
export { cacheClasses, cacheLevels, classesOf, type CacheClass, type CacheLevel } from "./levels.ts";
export { cacheStatus, type CacheRow, type CacheStatus } from "./status.ts";
