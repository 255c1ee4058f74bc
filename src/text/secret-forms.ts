/** How a secret may look in a text: as it is, by its lines, and in the encodings that tools put it into. */

/** What has fewer characters is in every text: masking it would hide no secret and spoil the text. */
export const shortestMasked = 4;
/** Longer secrets are masked by their lines; one of a single line as it is. */
const longestWhole = 64 * 1024;
/** `base64` of coreutils and of OpenSSL break their lines there. */
const base64Columns = [76, 64];

/** Whether a secret has fewer than four characters besides white space around it, and so is not masked at all. */
export function isTooShortToMask(secret: string): boolean {
  return !isLongEnough(secret.trim());
}

/** What is told of such a secret. */
export function tooShortToMask(name: string): string {
  return `the secret ${name} has fewer than four characters: too short to mask in what is printed`;
}

/** The secret with and without the white space around it, and each of its lines. */
export function plainForms(secret: string): string[] {
  if (isTooShortToMask(secret)) return [];
  const lines = linesOf(secret);
  const whole = secret.length <= longestWhole || lines.length === 1 ? [secret, secret.trim()] : [];
  return [...new Set([...whole, ...lines])];
}

/** The encodings of the secret and of its lines: base64, hexadecimal, and escaped for URLs, JSON, XML and shells. */
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
 * Base64 of a text that begins anywhere in what is encoded: what comes before and after it decides the first and the last
 * character, and what is between them is the same in each of three alignments.
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
    // A message that is quoted in another, as logs do.
    JSON.stringify(json).slice(1, -1),
    // As Go writes it, and as programs that stay within ASCII do.
    json.replace(/[<>&]/g, unicodeEscape),
    json.replace(/[^\x20-\x7e]/g, unicodeEscape),
    ...urls,
    ...urls.map((form) => form.replaceAll("%20", "+")),
    ...xmlForms(text),
    text.replaceAll("'", "'\\''"),
  ];
}

const unicodeEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Encoders differ in what they leave as it is, and in the case of their digits. */
function urlForms(text: string): string[] {
  // Half a pair of surrogates has no encoding.
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
