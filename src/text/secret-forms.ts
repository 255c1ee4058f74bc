/** Forms in which a secret may appear in a text: plain, by its lines, and in the encodings that tools apply. */

/** Shorter texts occur everywhere: masking them would hide no secret and make the output unreadable. */
export const shortestMasked = 4;
/** Longer secrets are masked by their lines; a single line is masked as a whole. */
const longestWhole = 64 * 1024;
/** Columns at which `base64` of coreutils and of OpenSSL wrap their lines. */
const base64Columns = [76, 64];

/**
 * Reports whether a secret has fewer than four characters besides surrounding white space, so that it is not masked.
 */
export function isTooShortToMask(secret: string): boolean {
  return !isLongEnough(secret.trim());
}

/** Returns the notice about such a secret. */
export function tooShortToMask(name: string): string {
  return `the secret ${name} has fewer than four characters: too short to mask in what is printed`;
}

/** Returns the secret with and without surrounding white space, and each of its lines. */
export function plainForms(secret: string): string[] {
  if (isTooShortToMask(secret)) return [];
  const lines = linesOf(secret);
  const whole = secret.length <= longestWhole || lines.length === 1 ? [secret, secret.trim()] : [];
  return [...new Set([...whole, ...lines])];
}

/**
 * Returns the encodings of the secret and its lines: base64, hexadecimal, and escaped for URLs, JSON, XML and shells.
 */
export function encodedForms(secret: string): string[] {
  if (isTooShortToMask(secret)) return [];
  const texts = [secret, secret.trim(), ...linesOf(secret)];
  return [...new Set(texts.flatMap((text) => [...base64Forms(text), ...hexForms(text), ...escapedForms(text)]))].filter(
    isLongEnough,
  );
}

const isLongEnough = (text: string): boolean => Array.from(text).length >= shortestMasked;

function linesOf(secret: string): string[] {
  return secret
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(isLongEnough);
}

/**
 * Returns the base64 of a text at any position in the encoded data. The neighbors of the text affect the first and last
 * characters; those in between only depend on one of three alignments.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  const forms = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const isCut = (before + bytes.length) % 3 !== 0;
    return encoded.slice([0, 2, 3][before], isCut ? -1 : undefined);
  });
  const whole = bytes.toString("base64");
  const wrapped = base64Columns.flatMap((columns) =>
    whole.length > columns ? (whole.match(new RegExp(`.{1,${columns}}`, "g")) ?? []) : [],
  );
  return [...forms, whole, whole.replace(/=+$/, ""), ...wrapped].flatMap((form) => [
    form,
    form.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}

function hexForms(text: string): string[] {
  const hex = Buffer.from(text).toString("hex");
  return [hex, hex.toUpperCase()];
}

function escapedForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const urls = urlForms(text);
  return [
    json,
    json.replaceAll("/", "\\/"),
    // A message quoted in another one, as in logs.
    JSON.stringify(json).slice(1, -1),
    // Escapes as Go writes them, and as ASCII-only programs do.
    json.replace(/[<>&]/g, unicodeEscape),
    json.replace(/[^\x20-\x7e]/g, unicodeEscape),
    ...urls,
    ...urls.map((form) => form.replaceAll("%20", "+")),
    ...xmlForms(text),
    text.replaceAll("'", "'\\''"),
  ];
}

const unicodeEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Encoders differ in the characters that they keep, and in the case of hexadecimal digits. */
function urlForms(text: string): string[] {
  // An unpaired surrogate has no encoding.
  const sound = Buffer.from(text).toString();
  const component = encodeURIComponent(sound);
  const strict = component.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams([["", sound]]).toString().slice(1);
  const forms = [component, strict, strict.replaceAll("%2F", "/"), encodeURI(sound), form];
  return forms.flatMap((each) => [each, each.replace(/%../g, (code) => code.toLowerCase())]);
}

function xmlForms(text: string): string[] {
  const tags = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quotes = tags.replaceAll('"', "&quot;");
  return [tags, quotes, quotes.replaceAll("'", "&apos;"), quotes.replaceAll("'", "&#39;")];
}
