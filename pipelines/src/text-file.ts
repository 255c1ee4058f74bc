import { dag } from "@dagger.io/dagger";
import type { File } from "@dagger.io/dagger";

/** Returns a file with this name and text. */
export const textFile = (name: string, text: string): File => dag.directory().withNewFile(name, text).file(name);
