import { recipeDigest } from "../values/ids.ts";
import type { Service } from "../values/values.ts";

const alphabet = "0123456789abcdefghijklmnopqrstuv";

/**
 * Returns the hostname under which bound containers reach a service: the one that was set, or one derived from the
 * recipe.
 */
export function hostnameOf(service: Service): string {
  if (service.hostname !== undefined) return service.hostname;
  // 64 bits as 13 characters of base 32, as on a Dagger engine.
  let rest = BigInt(`0x${recipeDigest(service).slice(0, 16)}`);
  let name = "";
  for (let index = 0; index < 13; index++) {
    name = alphabet[Number(rest & 31n)]! + name;
    rest >>= 5n;
  }
  return name;
}
