import { id, typeModule } from "./resolver.ts";
import { socketSdl } from "./service-sdl.ts";
import type { Socket } from "./values.ts";

export const socketModule = typeModule<Socket>("Socket", socketSdl, { id });
