/**
 * Reports whether an id is a recipe. Ids of a Dagger engine are base64 of a protobuf message `DAG`: a handle of an
 * object of the session (field 2), or a recipe of calls (field 1), which the engine would run. The engine only returns
 * handles, so a recipe was written by whoever sends it.
 */
export function isRecipeId(text: string): boolean {
  // Go ignores line breaks anywhere in base64.
  const plain = text.replace(/[\r\n]/g, "");
  if (plain.length < 8 || !/^[A-Za-z0-9+/]+={0,2}$/.test(plain)) return false;
  const outer = fieldsOf(Buffer.from(plain, "base64"));
  // Repeated occurrences of a message field are merged.
  const recipe = Buffer.concat(outer?.get(1) ?? []);
  const rootDigest = fieldsOf(recipe)?.get(1) ?? [];
  return rootDigest.some((part) => part.length > 0);
}

/**
 * Reports whether an id came from an older engine, where every id is a recipe, so that forged ones cannot be told
 * apart.
 */
export function isOlderId(id: string): boolean {
  return fieldsOf(Buffer.from(id, "base64"))?.has(1) === true;
}

/**
 * Returns the length-delimited values of each field; undefined if it is no message. Groups are read as their fields.
 */
function fieldsOf(message: Buffer): Map<number, Buffer[]> | undefined {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; at < message.length && shift < 2 ** 70; shift *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    return NaN;
  };
  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        if (Number.isNaN(varint())) return undefined;
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (Number.isNaN(length) || at + length > message.length) return undefined;
        fields.set(field, [...(fields.get(field) ?? []), message.subarray(at, at + length)]);
        at += length;
        break;
      }
      case 3:
      case 4:
        break;
      case 5:
        at += 4;
        break;
      default:
        return undefined;
    }
  }
  return at === message.length ? fields : undefined;
}
