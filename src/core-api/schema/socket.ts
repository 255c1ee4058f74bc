import { id, typeModule } from "../values/resolver.ts";
import { socketSdl } from "../service/sdl.ts";
import type { Socket } from "../values/values.ts";

export const socketModule = typeModule<Socket>("Socket", socketSdl, { id });
